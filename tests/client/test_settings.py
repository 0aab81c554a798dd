"""A setting that makes no sense stops the start, with its name."""

import pytest
from deepfake_client.settings import ClientSettings
from deepfake_contract.errors import UsageError


def test_a_variable_sets_its_field():
    assert ClientSettings.from_environment({"DEEPFAKE_MAX_DURATION_S": "7.5"}).max_duration_s == 7.5


def test_an_option_wins_over_its_variable():
    assert ClientSettings.from_environment({"DEEPFAKE_TRITON": "a:1"}, triton="b:2").triton == "b:2"


@pytest.mark.parametrize("text", ["0", "-1", "nan", "inf", "1e300", "many", ""])
def test_a_time_that_makes_no_sense_is_refused_by_name(text):
    with pytest.raises(UsageError, match="DEEPFAKE_REQUEST_DEADLINE_S"):
        ClientSettings.from_environment({"DEEPFAKE_REQUEST_DEADLINE_S": text})


@pytest.mark.parametrize("text", ["0", "1.5", "99999999999999999999"])
def test_a_count_that_makes_no_sense_is_refused_by_name(text):
    with pytest.raises(UsageError, match="DEEPFAKE_DECODER_CPU_S"):
        ClientSettings.from_environment({"DEEPFAKE_DECODER_CPU_S": text})
