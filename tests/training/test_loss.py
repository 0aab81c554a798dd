"""What is asked of a network about where a picture was manipulated."""

import torch
from deepfake_training.loss import place_loss

CELLS = (1, 7, 7)


def pair() -> torch.Tensor:
    """A grey real, and its fake with the upper left cell changed."""
    real = torch.full((1, 3, 224, 224), 0.5)
    fake = real.clone()
    fake[:, :, :32, :32] = 0.9
    return torch.cat([real, fake])


def answer(real: float, fake: float, cell: float) -> torch.Tensor:
    """Logits of every cell of the real, of the fake, and of the fake's changed cell."""
    found = torch.stack([torch.full(CELLS, float(real)), torch.full(CELLS, float(fake))])
    found[1, 0, 0, 0] = cell
    return found


def test_the_changed_cell_is_what_is_wanted():
    right = place_loss(answer(-9, -9, 9), pair(), torch.tensor([True]))
    assert right < 0.001
    assert place_loss(answer(-9, -9, -9), pair(), torch.tensor([True])) > 0.05
    assert place_loss(answer(-9, 9, 9), pair(), torch.tensor([True])) > 1
    assert place_loss(answer(9, -9, 9), pair(), torch.tensor([True])) > 1


def test_nothing_is_asked_of_a_fake_that_is_not_aligned():
    losses = [place_loss(answer(-9, value, -value), pair(), torch.tensor([False])) for value in (-9, 9)]
    assert losses[0] == losses[1] < 0.001


def test_an_unchanged_fake_has_no_manipulated_cell():
    same = torch.full((2, 3, 224, 224), 0.5)
    assert place_loss(answer(-9, -9, -9), same, torch.tensor([True])) < 0.001
