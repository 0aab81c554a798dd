"""Shows a high-dynamic-range frame as its standard-range twin, so that networks see what they were taught on.

Curves: ITU-R BT.2100 (PQ and HLG); white: ITU-R BT.2408, 203 nits; gamut: ITU-R BT.2087; display: ITU-R BT.1886.
"""

import numpy as np

from deepfake_client.media.primaries import BT709, BT2020, CHROMATICITIES, between, to_xyz

PQ, HLG = 16, 18  # transfer characteristics, ITU-T H.273
SDR_WHITE_NITS = 203.0
KNEE = 0.8  # of SDR white, in linear light: below, nothing changes; above, highlights are compressed under white
HLG_GAMMA, HLG_PEAK_NITS = 1.2, 1000.0  # the reference display
DISPLAY_GAMMA = 2.4
PIXELS = 1 << 16  # converted at once: they fit a processor's cache, and a large frame needs little memory
SMALLEST = 1e-6  # light that is divided by
STEPS = 4095  # of the last table; its steps are even in the root of light, fine where the eye is


def to_sdr(signal: np.ndarray, transfer: int, primaries: int = BT2020) -> np.ndarray:
    """RGB, uint16 [H, W, 3], full range, with PQ or HLG as `transfer`, as uint8 [H, W, 3] in BT.709.

    `primaries` are of ITU-T H.273; those without a gamut here are taken for BT.2020's.
    """
    gamut = CHROMATICITIES.get(primaries, CHROMATICITIES[BT2020])
    to_bt709 = between(gamut, CHROMATICITIES[BT709]).T.astype(np.float32)
    luma = to_xyz(gamut)[1].astype(np.float32)
    light = (_pq_light() if transfer == PQ else _hlg_light()).astype(np.float32)
    shown = (255 * (np.arange(STEPS + 1) / STEPS) ** (2 / DISPLAY_GAMMA)).round().astype(np.uint8)
    pixels, result = signal.reshape(-1, 3), np.empty((signal.size // 3, 3), np.uint8)
    for at in range(0, len(pixels), PIXELS):
        linear = light[pixels[at : at + PIXELS]]
        if transfer == HLG:
            linear = _hlg_display(linear, luma)
        linear = np.maximum(linear @ to_bt709, 0)
        result[at : at + PIXELS] = shown[(np.sqrt(_compressed(linear)) * STEPS).astype(np.uint16)]
    return result.reshape(signal.shape)


def _pq_light() -> np.ndarray:
    """Light for each of the 65,536 values, 1 at SDR white (BT.2100, table 4)."""
    m1, m2, c1, c2, c3 = 1305 / 8192, 2523 / 32, 107 / 128, 2413 / 128, 2392 / 128
    root = np.linspace(0, 1, 65536) ** (1 / m2)
    return 10000 / SDR_WHITE_NITS * (np.maximum(root - c1, 0) / (c2 - c3 * root)) ** (1 / m1)


def _hlg_light() -> np.ndarray:
    """Scene light, 0 to 1, for each of the 65,536 values (BT.2100, table 5)."""
    a, b, c = 0.17883277, 0.28466892, 0.55991073
    value = np.linspace(0, 1, 65536)
    return np.where(value <= 0.5, value**2 / 3, (np.exp((value - c) / a) + b) / 12)


def _hlg_display(scene: np.ndarray, luma: np.ndarray) -> np.ndarray:
    """Scene light as the reference display shows it, 1 at SDR white (BT.2100, the reference OOTF)."""
    return HLG_PEAK_NITS / SDR_WHITE_NITS * (scene @ luma)[..., None] ** (HLG_GAMMA - 1) * scene


def _compressed(linear: np.ndarray) -> np.ndarray:
    """Linear light under 1, the hue kept: all three channels are scaled as their largest needs."""
    red, green, blue = linear.T
    peak = np.maximum(np.maximum(red, green), blue)[:, None]  # far faster than max(axis=1) over three
    over = np.maximum(peak - KNEE, 0)
    room = 1 - KNEE
    return linear * ((np.minimum(peak, KNEE) + room * over / (over + room)) / np.maximum(peak, SMALLEST))
