"""The log-magnitude spectrum of a picture, as the FFT branch sees it."""

import torch
from torch import Tensor
from torch.nn import functional


def log_spectrum(pictures: Tensor, side: int) -> Tensor:
    """Normalised RGB [N, 3, H, W] float to the standardised log spectrum [N, 1, side, side], zero frequency first.

    `log1p(|fft2|)` of the channels' mean, less its mean, over its standard deviation (unbiased, + 1e-6), each picture
    by itself; then averaged down where `side` is smaller than the picture.
    """
    grey = pictures.mean(dim=1, keepdim=True)
    magnitude = torch.log1p(torch.fft.fft2(grey).abs())
    return standardise(magnitude, side)


def standardise(magnitude: Tensor, side: int) -> Tensor:
    """Log magnitudes [N, 1, H, W] to mean 0 and deviation 1 per picture, averaged down to [N, 1, side, side]."""
    mean = magnitude.mean(dim=(2, 3), keepdim=True)
    deviation = magnitude.std(dim=(2, 3), keepdim=True)
    standard = (magnitude - mean) / (deviation + 1e-6)
    return standard if side == standard.shape[-1] else functional.avg_pool2d(standard, standard.shape[-1] // side)
