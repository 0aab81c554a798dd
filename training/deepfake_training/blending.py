"""Fakes made from real faces: self-blended images (Shiohara and Yamasaki, CVPR 2022), and faces put onto others.

Self-blending joins a face with itself, changed a little: what is left to learn is the border and the statistics that
don't fit, which every method that pastes a face leaves behind, and no method in particular. Where the
face lies is known from five landmarks.
"""

import cv2
import numpy as np

from deepfake_training.augment import rescale

RATIOS = (0.25, 0.5, 0.75, 1.0, 1.0, 1.0)  # how much of the source shows inside the mask
KERNELS = np.arange(5, 26, 2)  # of the mask's blurs, in pixels
# The face's oval in units of the distance from the eyes to the mouth: half its height, and least half its width; and in
# units of the distance between the eyes half its width.
HALF_HEIGHT, LEAST_HALF_WIDTH, HALF_WIDTH = 1.35, 0.75, 1.0


def self_blended(real: np.ndarray, landmarks: np.ndarray, random: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """A real crop RGB uint8 [S, S, 3] with its landmarks [5, 2] to (real, fake) of a pair.

    What is changed, and what is moved, is the source or the target, and the target is the pair's real: neither a change
    nor the softness that moving leaves is a sign of a fake by itself.
    """
    source = target = real
    mask = _elastic(_face_mask(len(real), landmarks, random), random)
    if random.random() < 0.5:
        source = _changed(source, random)
    else:
        target = _changed(target, random)
    move = _small_move(len(real), random)
    if random.random() < 0.5:
        source, mask = _warped(source, move), _warped(mask, move)
    else:
        target = _warped(target, move)
    return target, _blend(source, mask, target, random)


def swapped(
    real: np.ndarray,
    landmarks: np.ndarray,
    other: np.ndarray,
    other_landmarks: np.ndarray,
    random: np.random.Generator,
) -> tuple[np.ndarray, np.ndarray]:
    """The face of another crop, turned to this real one's landmarks, its colours brought near, and put onto it;
    (real, fake) of a pair.

    Softer is the source, or the target and so the pair's real. Half of the fakes are joined by their gradients (Pérez
    et al. 2003, Poisson image editing), which leaves no border.
    """
    side, target = len(real), real
    turn, _ = cv2.estimateAffinePartial2D(other_landmarks, landmarks, method=cv2.LMEDS)
    if turn is None:
        turn = np.eye(2, 3)
    mask = _face_mask(side, landmarks, random)
    source = _coloured_like(_warped(other, turn, cv2.INTER_LANCZOS4), target, (mask > 0).astype(np.uint8))
    softer, factor = random.random(), random.uniform(0.3, 0.9)
    if softer < 0.4:
        source = rescale(source, factor, cv2.INTER_AREA, cv2.INTER_CUBIC)
    elif softer < 0.8:
        target = rescale(target, factor, cv2.INTER_AREA, cv2.INTER_CUBIC)
    mask = _elastic(mask, random)
    seamless = random.random() < 0.5
    return target, (_seamless if seamless else _blend)(source, mask, target, random)


def _coloured_like(source: np.ndarray, target: np.ndarray, where: np.ndarray) -> np.ndarray:
    """The source with the target's mean and deviation of each channel (Reinhard et al. 2001), both taken `where`."""
    (mean, deviation), (wanted, wanted_deviation) = (cv2.meanStdDev(each, mask=where) for each in (source, target))
    matched = (source - mean.ravel()) * (wanted_deviation / np.maximum(deviation, 1)).ravel() + wanted.ravel()
    return matched.round().clip(0, 255).astype(np.uint8)


def _blend(source: np.ndarray, mask: np.ndarray, target: np.ndarray, random: np.random.Generator) -> np.ndarray:
    soft = _soft(mask, random)[..., None] * random.choice(RATIOS)
    return (soft * source + (1 - soft) * target).round().clip(0, 255).astype(np.uint8)


def _seamless(source: np.ndarray, mask: np.ndarray, target: np.ndarray, random: np.random.Generator) -> np.ndarray:
    inside = np.zeros(mask.shape, np.uint8)
    # The equations need a border of the target on every side.
    inside[2:-2, 2:-2] = (mask[2:-2, 2:-2] > 0.5) * 255
    x, y, width, height = cv2.boundingRect(inside)
    if min(width, height) < 8:
        return _blend(source, mask, target, random)
    return cv2.seamlessClone(source, target, inside, (x + width // 2, y + height // 2), cv2.NORMAL_CLONE)


def _small_move(side: int, random: np.random.Generator) -> np.ndarray:
    """A matrix [2, 3] that shifts and scales a little."""
    shift, scale = random.uniform(-1, 1, 2) * (0.03 * side, 0.015 * side), random.uniform(0.95, 1 / 0.95)
    middle = (1 - scale) * side / 2
    return np.array([[scale, 0, middle + shift[0]], [0, scale, middle + shift[1]]])


def _warped(image: np.ndarray, matrix: np.ndarray, how: int = cv2.INTER_LINEAR) -> np.ndarray:
    return cv2.warpAffine(image, matrix, image.shape[1::-1], flags=how, borderMode=cv2.BORDER_REFLECT_101)


def _changed(image: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """Colours moved a little, and then softer, smoother or sharper."""
    pixels = image.astype(np.float32)
    if random.random() < 0.3:
        pixels += random.uniform(-20, 20, 3).astype(np.float32)
    hue, saturation, value = random.uniform(-0.3, 0.3, 3)
    hsv = cv2.cvtColor(pixels.clip(0, 255) / 255, cv2.COLOR_RGB2HSV)
    turned = (hsv[..., 0] + hue * 30) % 360  # degrees
    strength = (hsv[..., 1:] * (1 + saturation, 1 + value)).clip(0, 1)
    coloured = cv2.cvtColor(np.dstack([turned, strength]).astype(np.float32), cv2.COLOR_HSV2RGB) * 255
    brightness, contrast = random.uniform(-0.1, 0.1, 2)
    pixels = (coloured - 128) * (1 + contrast) + 128 + 255 * brightness
    changed = pixels.round().clip(0, 255).astype(np.uint8)
    kind = random.random()
    if kind < 0.35:
        return rescale(changed, float(random.choice([0.25, 0.5])), cv2.INTER_AREA, cv2.INTER_LINEAR)
    if kind < 0.5:
        return _upsampled(changed, random)
    if kind < 0.65:  # the skin without its grain, its edges kept: how generated faces look
        return cv2.bilateralFilter(changed, 7, random.uniform(15, 45), 3.0)
    soft = cv2.GaussianBlur(changed, (0, 0), 1.5)
    amount = random.uniform(0.2, 0.5)
    return cv2.addWeighted(changed, 1 + amount, soft, -amount, 0)


def _upsampled(image: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """Half the size, and brought back as a generator's last layer does: zeros between the pixels, then a learnt kernel,
    here a random one. It leaves the copies of the spectrum by which generated pictures can be told (Zhang et al. 2019,
    Detecting and Simulating Artifacts in GAN Fake Images), and is as crisp as a generator."""
    height, width = image.shape[:2]
    small = cv2.resize(image, (width // 2, height // 2), interpolation=cv2.INTER_AREA).astype(np.float32)
    spread = np.zeros((height // 2 * 2, width // 2 * 2, 3), np.float32)
    spread[::2, ::2] = 4 * small
    row = np.array([1, 3, 3, 1]) + random.normal(0, 0.08, 4)
    column = np.array([1, 3, 3, 1]) + random.normal(0, 0.08, 4)
    kernel = np.outer(column / column.sum(), row / row.sum())
    made = cv2.filter2D(spread, -1, kernel, borderType=cv2.BORDER_REFLECT_101)
    sharp = cv2.addWeighted(made, 1.8, cv2.GaussianBlur(made, (0, 0), 1.0), -0.8, 0)
    return cv2.resize(sharp.round().clip(0, 255).astype(np.uint8), (width, height), interpolation=cv2.INTER_NEAREST)


def _face_mask(side: int, landmarks: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """The face's oval, whole or a part of it, float32 [S, S] of 0 and 1."""
    eyes, mouth = landmarks[:2].mean(axis=0), landmarks[3:].mean(axis=0)
    down = mouth - eyes
    height = max(float(np.hypot(*down)), 0.05 * side)
    between = float(np.hypot(*(landmarks[1] - landmarks[0])))
    half = np.array([max(HALF_WIDTH * between, LEAST_HALF_WIDTH * height), HALF_HEIGHT * height])
    angle = float(np.degrees(np.arctan2(-down[0], down[1])))
    centre = (eyes + mouth) / 2
    mask = np.zeros((side, side), np.float32)
    _oval(mask, centre, 2 * half * random.uniform(0.8, 1.1, 2), angle + random.uniform(-6, 6))
    whole = mask.copy()
    part, line = random.random(), random.uniform(-0.6, 0.4)
    x, y = centre
    if part < 0.2:  # without the forehead
        mask[: max(0, int(y + (line - 0.4) * height))] = 0
    elif part < 0.3:  # without the mouth
        mask[max(0, int(y + (0.3 - line) * height)) :] = 0
    elif part < 0.4:  # one side
        mask[:, : max(0, int(x + line * between / 2))] = 0
    elif part < 0.55:  # a patch: eyes, nose or mouth
        patch = np.zeros_like(mask)
        spot = landmarks[random.integers(5)] + random.normal(0, 0.1 * height, 2)
        _oval(patch, spot, random.uniform(0.5, 1.6, 2) * height, random.uniform(-90, 90))
        mask = mask * patch
    return mask if mask.any() else whole


def _oval(mask: np.ndarray, centre: np.ndarray, diameters: np.ndarray, angle: float) -> None:
    cv2.ellipse(mask, (centre.tolist(), diameters.tolist(), angle), 1.0, cv2.FILLED)


def _elastic(mask: np.ndarray, random: np.random.Generator) -> np.ndarray:
    side = len(mask)
    waves = random.normal(0, 0.03 * side, (6, 6, 2)).astype(np.float32)
    field = cv2.resize(waves, (side, side), interpolation=cv2.INTER_CUBIC)
    x, y = np.meshgrid(np.arange(side, dtype=np.float32), np.arange(side, dtype=np.float32))
    return cv2.remap(mask, x + field[..., 0], y + field[..., 1], cv2.INTER_LINEAR)


def _soft(mask: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """Blurred, eroded to where it was whole, blurred again, its highest value 1."""
    first, second = (int(kernel) for kernel in random.choice(KERNELS, 2))
    mask = cv2.GaussianBlur(mask, (first, first), 0)
    eroded = (mask > 0.99).astype(np.float32)
    if not eroded.any():  # a patch smaller than the kernel
        eroded = (mask >= 0.5 * mask.max()).astype(np.float32)
    soft = cv2.GaussianBlur(eroded, (second, second), 0)
    return soft / max(float(soft.max()), 1e-6)
