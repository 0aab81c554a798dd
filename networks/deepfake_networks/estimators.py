"""Reads scikit-learn estimators from joblib dumps without running what the files hold.

A pickle is a program. Here it may name nothing but numbers, arrays and the two estimators of the stacking, and each
estimator is replaced by a holder of its attributes: no code of the file and none of scikit-learn's is called, so the
version that wrote the dump does not matter either.
"""

import io
import math
from pathlib import Path
from typing import Any

import numpy as np
from deepfake_contract.errors import BundleError
from joblib.numpy_pickle import NumpyArrayWrapper, NumpyUnpickler

MAX_BYTES = 1024 * 1024  # a dump of three numbers a line has about 1 kB
MAX_NUMBERS = 10_000  # in one array


class Estimator:
    """The attributes of an estimator that was dumped."""


class StandardScaler(Estimator):
    pass


class LogisticRegression(Estimator):
    pass


class NumericArray(NumpyArrayWrapper):
    """An array of a dump: numbers only, since an array of objects holds a pickle of its own."""

    def read(self, unpickler: NumpyUnpickler, ensure_native_byte_order: bool) -> np.ndarray:
        if not isinstance(self.dtype, np.dtype) or self.dtype.kind not in "biuf":
            raise BundleError("an array in it holds something else than numbers")
        if math.prod(int(side) for side in self.shape) > MAX_NUMBERS:
            raise BundleError(f"an array in it has more than {MAX_NUMBERS} numbers")
        return super().read(unpickler, ensure_native_byte_order)


# By numpy's public functions: its inner modules moved between versions 1 and 2.
_reconstruct, _scalar = np.ndarray(0).__reduce__()[0], np.float64(0).__reduce__()[0]
ALLOWED: dict[str, Any] = {
    "sklearn.preprocessing._data.StandardScaler": StandardScaler,
    "sklearn.linear_model._logistic.LogisticRegression": LogisticRegression,
    "joblib.numpy_pickle.NumpyArrayWrapper": NumericArray,
    "numpy.ndarray": np.ndarray,
    "numpy.dtype": np.dtype,
    "numpy.core.multiarray._reconstruct": _reconstruct,
    "numpy.core.multiarray.scalar": _scalar,
    "numpy._core.multiarray._reconstruct": _reconstruct,
    "numpy._core.multiarray.scalar": _scalar,
}


class RestrictedUnpickler(NumpyUnpickler):
    """Finds the allowed names, and refuses any other by name."""

    def find_class(self, module: str, name: str) -> Any:
        try:
            return ALLOWED[f"{module}.{name}"]
        except KeyError:
            raise BundleError(f"it asks for {module}.{name}, which no scaler or logistic regression needs") from None


def read_estimator(path: Path, kind: str) -> Estimator:
    """The `StandardScaler` or `LogisticRegression` in an uncompressed joblib dump; BundleError says what is wrong."""
    try:
        data = path.read_bytes()
    except OSError as cause:
        raise BundleError(f"{path.name} can't be read: {cause.strerror}; put it into the bundle's folder.") from cause
    again = "Dump it again with joblib.dump(estimator, path), from a file you trust."
    if len(data) > MAX_BYTES or not data.startswith(b"\x80"):
        raise BundleError(f"{path.name} is no uncompressed joblib dump of an estimator. {again}")
    try:
        value = RestrictedUnpickler("", io.BytesIO(data), ensure_native_byte_order=True).load()
    except BundleError as cause:
        raise BundleError(f"{path.name} was refused: {cause}. {again}") from cause
    except Exception as cause:  # a damaged program can fail in any way
        raise BundleError(f"{path.name} is damaged: {type(cause).__name__}. {again}") from cause
    if type(value).__name__ != kind or not isinstance(value, Estimator):
        raise BundleError(f"{path.name} holds a {type(value).__name__}, not a {kind}. {again}")
    return value
