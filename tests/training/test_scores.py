"""The table of what networks answered."""

from pathlib import Path

import numpy as np
import pytest
from deepfake_training.data import Sample
from deepfake_training.plans import Run
from deepfake_training.scores import HELD_OUT, LEFT_OUT, figures, read_scores, scores_of, write_scores

SAMPLES = [Sample(Path(f"a, b/{number}.png"), number >= 4, "swaps", f"g{number % 4}", "") for number in range(8)]
ANSWERS = np.array([0.1, 0.2, 0.3, 0.4, 0.35, 0.7, 0.8, 0.9])


def test_a_table_comes_back_as_it_was_written(tmp_path):
    scores = scores_of(Run("dinov2"), HELD_OUT, SAMPLES, ANSWERS)
    scores += scores_of(Run("dinov2", "swaps"), LEFT_OUT, SAMPLES, 1 - ANSWERS)
    write_scores(tmp_path / "scores.csv", scores)
    assert read_scores(tmp_path / "scores.csv") == scores
    assert [file.name for file in tmp_path.iterdir()] == ["scores.csv"]


def test_figures_say_of_which_network_and_pictures_they_are():
    apart = scores_of(Run("dinov2", "swaps"), LEFT_OUT, SAMPLES, 1 - ANSWERS)
    one, other = figures(scores_of(Run("dinov2"), HELD_OUT, SAMPLES, ANSWERS) + apart)
    assert one.startswith("dinov2, swaps (held out): AUC 0.938 [")
    assert one.endswith("(4 real, 4 fake, 4 groups)")
    assert other.startswith("dinov2 without swaps, swaps (left out): AUC 0.062 [")


def test_of_one_class_alone_the_mean_is_told():
    reals = scores_of(Run("lite2"), "control", SAMPLES[:4], ANSWERS[:4])
    assert figures(reals) == ["lite2, swaps (control): mean score 0.250 (4 real, 0 fake, 4 groups)"]


def test_a_score_for_each_picture():
    with pytest.raises(ValueError):
        scores_of(Run("lite2"), HELD_OUT, SAMPLES, ANSWERS[:3])
