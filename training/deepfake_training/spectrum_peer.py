"""A logistic regression on the spectrum, which networks have to beat (after Durall et al. 2020)."""

from collections import Counter
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.progress import track
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler

from deepfake_training.crops import Crops
from deepfake_training.data import Sample
from deepfake_training.spectrum import azimuthal_average, luminance

REGULARISATION = 0.1  # scikit-learn's C


class Spectra:
    """The spectrum's numbers of crops, each computed once."""

    def __init__(self) -> None:
        self._known: dict[Path, np.ndarray] = {}

    def of(self, crops: Crops) -> np.ndarray:
        """float64 [N, S], of crops with S pixels a side."""
        new = [index for index, sample in enumerate(crops.samples) if sample.path not in self._known]
        for index in track(new, "spectra", transient=True, disable=not new, console=Console(stderr=True)):
            self._known[crops.samples[index].path] = spectrum_numbers(crops.pictures[index])
        return np.stack([self._known[sample.path] for sample in crops.samples])


def spectrum_numbers(picture: np.ndarray) -> np.ndarray:
    """Of a crop RGB uint8 [S, S, 3], float64 [S]: the mean log power of all directions, S / 2 numbers of the picture as
    it is and as many of it under a Hann window, without which its borders show as a cross in the spectrum."""
    plane = luminance(picture)
    plane -= plane.mean()
    window = np.hanning(len(plane))
    return np.concatenate([azimuthal_average(plane), azimuthal_average(plane * np.outer(window, window))])


def fit_spectrum(numbers: np.ndarray, samples: list[Sample]) -> Pipeline:
    """From numbers [N, S] of samples; the reals and the fakes of each source weigh the same in all."""
    kinds = [(sample.source, sample.fake) for sample in samples]
    sizes = Counter(kinds)
    weights = np.array([len(kinds) / (len(sizes) * sizes[kind]) for kind in kinds])
    model = make_pipeline(StandardScaler(), LogisticRegression(C=REGULARISATION, max_iter=1000))
    return model.fit(numbers, [fake for _, fake in kinds], logisticregression__sample_weight=weights)


def spectrum_scores(model: Pipeline, numbers: np.ndarray) -> np.ndarray:
    """Probability of FAKE, float64 [N], by the numbers [N, S]."""
    return model.predict_proba(numbers)[:, 1]
