"""Which red, green, blue and white a picture's numbers mean, numbered as in ITU-T H.273, and what they are as light."""

import numpy as np

BT709, BT470M, BT470BG, BT601, SMPTE240M, BT2020, P3_THEATRE, P3, EBU = 1, 4, 5, 6, 7, 9, 11, 12, 22
D65, C, THEATRE = (0.3127, 0.3290), (0.310, 0.316), (0.314, 0.351)  # whites, x and y of CIE 1931

Chromaticities = tuple[tuple[float, float], ...]  # white, red, green, blue, x and y each

CHROMATICITIES: dict[int, Chromaticities] = {
    BT709: (D65, (0.640, 0.330), (0.300, 0.600), (0.150, 0.060)),
    BT470M: (C, (0.67, 0.33), (0.21, 0.71), (0.14, 0.08)),
    BT470BG: (D65, (0.64, 0.33), (0.29, 0.60), (0.15, 0.06)),
    BT601: (D65, (0.630, 0.340), (0.310, 0.595), (0.155, 0.070)),
    SMPTE240M: (D65, (0.630, 0.340), (0.310, 0.595), (0.155, 0.070)),
    BT2020: (D65, (0.708, 0.292), (0.170, 0.797), (0.131, 0.046)),
    P3_THEATRE: (THEATRE, (0.680, 0.320), (0.265, 0.690), (0.150, 0.060)),
    P3: (D65, (0.680, 0.320), (0.265, 0.690), (0.150, 0.060)),
    EBU: (D65, (0.630, 0.340), (0.295, 0.605), (0.155, 0.077)),
}


def to_xyz(colours: Chromaticities) -> np.ndarray:
    """The matrix [3, 3] from linear RGB to XYZ, white having Y = 1 (SMPTE RP 177). ValueError for what is no gamut."""
    white, *rgb = (np.array([x, y, 1 - x - y]) / max(y, 1e-6) for x, y in colours)
    columns = np.stack(rgb, axis=1)
    if abs(np.linalg.det(columns)) < 1e-3:
        raise ValueError("the three primaries lie on one line")
    return columns * np.linalg.solve(columns, white)


def between(source: Chromaticities, target: Chromaticities) -> np.ndarray:
    """The matrix [3, 3] from linear RGB of one gamut to that of another, their whites taken as they are."""
    return np.linalg.solve(to_xyz(target), to_xyz(source))
