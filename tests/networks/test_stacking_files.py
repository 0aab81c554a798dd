"""The stacking's two files are programs of strangers: read, never run."""

import os
import pickle
import shutil
import warnings
from pathlib import Path

import joblib
import numpy as np
import pytest
from deepfake_contract.errors import BundleError
from deepfake_networks.stacking_files import REGRESSION_FILE, SCALER_FILE, read_stacking
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.preprocessing import StandardScaler

DUMPS = Path(__file__).parent / "dumps"  # by scikit-learn 1.2.2 itself


@pytest.fixture
def folder(tmp_path, estimators) -> Path:
    for estimator, file in zip(estimators, (SCALER_FILE, REGRESSION_FILE), strict=True):
        joblib.dump(estimator, tmp_path / file)
    return tmp_path


class Attack:
    """Runs a command when it is unpickled."""

    def __init__(self, path: Path):
        self.path = path

    def __reduce__(self):
        return os.system, (f"touch {self.path}",)


def answer(stacking, scores: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-(sum(stacking.terms(scores.T)) + stacking.intercept)))


def test_the_stacking_answers_as_scikit_learn_does(folder, estimators):
    scaler, regression = estimators
    scores = np.random.default_rng(1).random((50, 3))
    expected = regression.predict_proba(scaler.transform(scores))[:, 1]
    assert np.abs(answer(read_stacking(folder, 3), scores) - expected).max() < 1e-12


def test_dumps_of_scikit_learn_1_2_2_are_read_without_a_warning():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        stacking = read_stacking(DUMPS, 3)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # scikit-learn warns of the version
        scaler, regression = joblib.load(DUMPS / SCALER_FILE), joblib.load(DUMPS / REGRESSION_FILE)
    scores = np.random.default_rng(1).random((50, 3))
    expected = regression.predict_proba(scaler.transform(scores))[:, 1]
    assert np.abs(answer(stacking, scores) - expected).max() < 1e-12


def test_heatmap_weights_are_slopes_whose_absolutes_sum_to_one(estimators, folder):
    scaler, regression = estimators
    weights = np.array(read_stacking(folder, 3).heatmap_weights())
    assert np.abs(weights).sum() == pytest.approx(1)
    slopes = regression.coef_[0] / scaler.scale_
    assert weights / weights[0] == pytest.approx(slopes / slopes[0])


def test_a_command_in_a_dump_is_refused_by_name_and_not_run(folder):
    joblib.dump(Attack(folder / "ran"), folder / SCALER_FILE)
    with pytest.raises(BundleError, match=r"meta_scaler\.pkl was refused: it asks for posix\.system"):
        read_stacking(folder, 3)
    assert not (folder / "ran").exists()


def test_a_command_in_an_array_of_objects_is_refused_and_not_run(folder, estimators):
    scaler = StandardScaler()
    scaler.__dict__ |= estimators[0].__dict__ | {"mean_": np.array([Attack(folder / "ran")], dtype=object)}
    joblib.dump(scaler, folder / SCALER_FILE)
    with pytest.raises(BundleError, match=r"holds something else than numbers"):
        read_stacking(folder, 3)
    assert not (folder / "ran").exists()


def test_an_array_that_claims_a_huge_size_is_refused(folder, estimators):
    data = joblib_bytes(estimators[0], folder)
    # K is the opcode of a small number, \x85 makes a tuple of one: the array's shape (3,).
    assert data.count(b"shape\x94K\x03\x85") == 1
    huge = b"shape\x94\x8a\x06" + (2**40).to_bytes(6, "little") + b"\x85"
    # Protocol 4 wraps opcodes in frames with a length: without the frames the change needs no correction.
    (folder / SCALER_FILE).write_bytes(unframed(data).replace(b"shape\x94K\x03\x85", huge))
    with pytest.raises(BundleError, match=r"more than 10000 numbers"):
        read_stacking(folder, 3)


def joblib_bytes(estimator, folder: Path) -> bytes:
    joblib.dump(estimator, folder / "dump")
    return (folder / "dump").read_bytes()


def unframed(data: bytes) -> bytes:
    parts, at = [data[:2]], 2
    while (start := data.find(pickle.FRAME, at)) >= 0:
        parts.append(data[at:start])
        at = start + 9
    return b"".join([*parts, data[at:]])


def test_a_compressed_dump_is_refused_with_the_cure(folder, estimators):
    joblib.dump(estimators[0], folder / SCALER_FILE, compress=3)
    with pytest.raises(BundleError, match=r"no uncompressed joblib dump.*Dump it again"):
        read_stacking(folder, 3)


def test_a_cut_off_dump_is_refused(folder):
    path = folder / REGRESSION_FILE
    path.write_bytes(path.read_bytes()[:-40])
    with pytest.raises(BundleError, match=r"meta_logreg\.pkl is damaged"):
        read_stacking(folder, 3)


def test_swapped_files_are_told(folder):
    shutil.copy(folder / SCALER_FILE, folder / REGRESSION_FILE)
    with pytest.raises(BundleError, match=r"meta_logreg\.pkl holds a StandardScaler, not a LogisticRegression"):
        read_stacking(folder, 3)


def test_another_estimator_is_refused_by_name(folder):
    joblib.dump(Ridge(), folder / REGRESSION_FILE)
    with pytest.raises(BundleError, match=r"asks for sklearn\.linear_model\._ridge\.Ridge"):
        read_stacking(folder, 3)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"coef_": np.ones((1, 2))}, r"meta_logreg\.pkl: coef_ has shape \(1, 2\), not \(1, 3\)"),
        ({"coef_": np.full((1, 3), np.nan)}, r"coefficients and intercept must be finite"),
        ({"classes_": np.array([1, 0])}, r"classes_ must be \[0, 1\] with 1 for FAKE"),
        ({"classes_": np.array(["REAL", "FAKE"])}, r"holds something else than numbers"),
        ({"intercept_": None}, r"intercept_ is not an array of numbers"),
        ({"multi_class": "multinomial"}, r"multi_class='multinomial'"),
    ],
)
def test_a_wrong_regression_is_told_by_key(folder, estimators, change, message):
    regression = LogisticRegression()
    regression.__dict__ |= estimators[1].__dict__ | change
    joblib.dump(regression, folder / REGRESSION_FILE)
    with pytest.raises(BundleError, match=message):
        read_stacking(folder, 3)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"scale_": np.array([1.0, 0.0, 1.0])}, r"scale must be above 0"),
        ({"scale_": None}, r"scale_ is not an array"),
        ({"mean_": np.ones(4)}, r"mean_ has shape \(4,\), not \(3,\)"),
    ],
)
def test_a_wrong_scaler_is_told_by_key(folder, estimators, change, message):
    scaler = StandardScaler()
    scaler.__dict__ |= estimators[0].__dict__ | change
    joblib.dump(scaler, folder / SCALER_FILE)
    with pytest.raises(BundleError, match=message):
        read_stacking(folder, 3)
