"""Writes the ICC profile of a gamut and a curve, for pictures that say their colours in numbers instead."""

import struct

import numpy as np

from deepfake_client.media.primaries import Chromaticities, to_xyz

SRGB_CURVE = (2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045)  # IEC 61966-2-1, as ICC's parametric curve of type 3
D50 = np.array([0.9642, 1.0, 0.8249])  # the white that profiles are written for
MOST_LIGHT = 100  # of one primary, in times of white
BRADFORD = np.array([[0.8951, 0.2664, -0.1614], [-0.7502, 1.7135, 0.0367], [0.0389, -0.0685, 1.0296]])


def profile(colours: Chromaticities, gamma: float | None) -> bytes:
    """A display's profile (ICC.1:2022): light is value ** `gamma`, or sRGB's curve for None.

    ValueError for colours that are no gamut.
    """
    curve = _curve(3, SRGB_CURVE) if gamma is None else _curve(0, (gamma,))
    matrix = to_xyz(colours)
    adapted = _adaptation(matrix.sum(axis=1)) @ matrix
    if np.abs(adapted).max() > MOST_LIGHT:
        raise ValueError("primaries that no display has")
    tags = [(name, _xyz(column)) for name, column in zip((b"rXYZ", b"gXYZ", b"bXYZ"), adapted.T, strict=True)]
    tags += [(name, curve) for name in (b"rTRC", b"gTRC", b"bTRC")] + [(b"wtpt", _xyz(D50))]
    table, data, start = struct.pack(">I", len(tags)), b"", 128 + 4 + 12 * len(tags)
    for name, content in tags:
        table += struct.pack(">4sII", name, start + len(data), len(content))
        data += content
    return _header(start + len(data)) + table + data


def _header(size: int) -> bytes:
    version, illuminant = 0x04200000, struct.pack(">3i", *(D50 * 65536).round().astype(int))
    head = struct.pack(">I4xI4s4s4s12x4s", size, version, b"mntr", b"RGB ", b"XYZ ", b"acsp")
    return (head.ljust(68, b"\0") + illuminant).ljust(128, b"\0")


def _curve(kind: int, parameters: tuple[float, ...]) -> bytes:
    return struct.pack(f">4s4xH2x{len(parameters)}i", b"para", kind, *(round(65536 * each) for each in parameters))


def _xyz(values: np.ndarray) -> bytes:
    return struct.pack(">4s4x3i", b"XYZ ", *(values * 65536).round().astype(int))


def _adaptation(white: np.ndarray) -> np.ndarray:
    """From this white to D50 (Bradford)."""
    scale = (BRADFORD @ D50) / (BRADFORD @ white)
    return np.linalg.solve(BRADFORD, scale[:, None] * BRADFORD)
