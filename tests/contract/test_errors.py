"""One family of errors, each telling its reader, its HTTP status and its exit code."""

import pytest
from deepfake_contract import errors


def family(root: type[errors.DeepfakeError]) -> list[type[errors.DeepfakeError]]:
    return [root, *(each for child in root.__subclasses__() for each in family(child))]


@pytest.mark.parametrize("kind", family(errors.DeepfakeError))
def test_each_is_a_sentence_with_a_status_and_an_exit_code(kind):
    error = kind("The file is too large.")
    assert error.detail == "The file is too large."
    assert 400 <= error.status < 600 and error.exit_code in (1, 2, 3, 4)
    assert error.title and kind.__doc__


def test_every_error_of_the_project_is_of_the_family():
    named = {name for name in vars(errors) if name.endswith("Error")}
    assert {each.__name__ for each in family(errors.DeepfakeError)} >= named
    assert {"BundleError", "ExportError", "ServingError", "SetUpError"} < named
