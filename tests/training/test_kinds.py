"""Which kind of fake a file is, and which reals it is compared with."""

from pathlib import Path

import pytest
from deepfake_contract.errors import UsageError
from deepfake_training.data import Sample, read_labelled
from deepfake_training.kinds import EDITING, KINDS, REENACTMENT, SWAP, SYNTHESIS, kind_of, kind_rows


def sample(source: str, fake: bool, kind: str = "") -> Sample:
    return Sample(Path("x.png"), fake, source, "g", name="x.png", kind=kind)


def test_a_kind_has_the_reals_of_the_sources_that_its_fakes_come_from():
    samples = [
        *(sample("dfdc", False), sample("dfdc", True), sample("portraits", False), sample("portraits", True)),
        *(sample("mine", False), sample("mine", True, REENACTMENT), sample("photos", False), sample("mine", True)),
    ]
    rows = {name: mask.nonzero()[0].tolist() for name, mask in kind_rows(samples).items()}
    assert rows == {SWAP: [0, 1], REENACTMENT: [4, 5], SYNTHESIS: [2, 3], EDITING: []}
    assert tuple(rows) == KINDS


def test_the_manifest_outweighs_the_table_of_sources(tmp_path):
    (tmp_path / "a.png").touch()
    (tmp_path / "files.csv").write_text("path,label,source,kind\na.png,fake,dfdc,face editing\n")
    (fake,) = read_labelled(tmp_path / "files.csv", "val")
    assert kind_of(fake) == EDITING and kind_of(sample("dfdc", True)) == SWAP and kind_of(sample("mine", True)) == ""


def test_an_unknown_kind_is_told():
    with pytest.raises(UsageError, match=r"x\.png the kind 'swap'; it must be face swapping, face reenactment"):
        kind_of(sample("mine", True, "swap"))
