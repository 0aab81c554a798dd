"""The spectrum by matrix products, since ONNX's DFT operator is slow and inexact in ONNX Runtime."""

import math

import torch
from torch import Tensor, nn


class TableSpectrum(nn.Module):
    """Grey pictures [N, 1, side, side] to `log1p(|fft2|)` of the same shape, zero frequency first.

    A real picture's spectrum is symmetric, |F[-u, -v]| = |F[u, v]|: half of the columns is computed and mirrored.
    """

    over_rows: Tensor
    over_columns: Tensor
    mirrored_rows: Tensor
    mirrored_columns: Tensor

    def __init__(self, side: int):
        super().__init__()
        self.columns = half = side // 2 + 1
        turns = torch.outer(torch.arange(side), torch.arange(side)).remainder(side).double() * (2 * math.pi / side)
        cosine, sine = turns.cos(), turns.sin()
        self.register_buffer("over_rows", torch.cat([cosine, sine]).float())  # [2 side, side]
        self.register_buffer("over_columns", torch.cat([cosine[:, :half], sine[:, :half]], dim=1).float())
        self.register_buffer("mirrored_rows", (-torch.arange(side)).remainder(side))
        self.register_buffer("mirrored_columns", side - torch.arange(half, side))

    def forward(self, grey: Tensor) -> Tensor:
        products = self.over_rows @ (grey @ self.over_columns)
        by_cosine, by_sine = products.chunk(2, dim=2)
        real = by_cosine[..., : self.columns] - by_sine[..., self.columns :]
        imaginary = by_cosine[..., self.columns :] + by_sine[..., : self.columns]
        magnitude = torch.log1p(torch.sqrt(real * real + imaginary * imaginary))
        mirrored = magnitude.index_select(2, self.mirrored_rows).index_select(3, self.mirrored_columns)
        return torch.cat([magnitude, mirrored], dim=3)
