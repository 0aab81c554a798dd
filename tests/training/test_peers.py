"""The simple detectors that ours are compared with."""

from contextlib import nullcontext
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from deepfake_contract.errors import UsageError
from deepfake_training import peers
from deepfake_training.augment import LIGHT
from deepfake_training.crops import Crops
from deepfake_training.data import Sample
from deepfake_training.mesonet import MesoNet, mesonet_scores, train_mesonet
from deepfake_training.peers import SPECTRUM, judged
from deepfake_training.plans import Run
from deepfake_training.recipes import Mixture
from deepfake_training.scores import HELD_OUT, LEFT_OUT, join_scores, read_scores, scores_of
from deepfake_training.spectrum import azimuthal_average
from deepfake_training.spectrum_peer import fit_spectrum, spectrum_numbers, spectrum_scores

SIDE = 64
SOURCES = ("clips", "stills", "swaps")


@pytest.fixture(scope="module")
def soft_fakes(astronaut) -> Crops:
    """In each source 24 faces and softer copies of them, in twelve groups; "photos" has reals alone."""
    random = np.random.default_rng(0)
    samples, pictures = [], []
    for source in (*SOURCES, "photos"):
        for number in range(24):
            left, top = random.integers(0, 120, 2)
            real = (astronaut[top:, 100 + left :][:SIDE, :SIDE] + random.normal(0, 3, (SIDE, SIDE, 3))).clip(0, 255)
            for fake in (False, True)[: 1 if source == "photos" else 2]:
                group, original = f"{source}{number // 2}", f"{source}-clip{number}"
                samples.append(Sample(Path(f"{source}{fake}{number}"), fake, source, group, original))
                pictures.append((cv2.GaussianBlur(real, (0, 0), 1.0) if fake else real).astype(np.uint8))
    count = len(samples)
    return Crops(samples, np.stack(pictures), np.full((count, 5, 2), np.nan), np.ones(count))


def auc(scores) -> float:
    reals, fakes = ([each.y_score for each in scores if each.y_true == label] for label in (0, 1))
    return float(np.mean([real < fake for real in reals for fake in fakes]))


def test_a_wave_is_found_at_its_frequency_whatever_its_direction():
    place = np.arange(SIDE) / SIDE
    for across, down in ((12, 0), (0, 12), (-12, 0)):
        wave = np.cos(2 * np.pi * (across * place[None] + down * place[:, None]))
        assert azimuthal_average(wave).argmax() == 12 - 1


def test_the_average_is_that_of_the_whole_transform():
    plane = np.random.default_rng(0).normal(0, 9, (SIDE, SIDE))
    frequency = np.fft.fftfreq(SIDE) * SIDE
    ring = np.hypot(frequency[:, None], frequency[None]).round()
    power = np.log(np.abs(np.fft.fft2(plane)) ** 2 + 1)
    expected = [power[ring == radius].mean() for radius in range(1, SIDE // 2 + 1)]
    assert np.allclose(azimuthal_average(plane), expected)
    assert spectrum_numbers(np.repeat(plane.astype(np.uint8)[..., None], 3, axis=2)).shape == (SIDE,)


def test_a_large_source_does_not_outvote_a_small_one():
    """What is more in the fakes of one is less in those of the other: nothing is known of either."""
    samples, numbers = [], []
    for source, sign, count in (("large", 1.0, 200), ("small", -1.0, 20)):
        for fake in (False, True):
            samples += [Sample(Path(source), fake, source, "g", "")] * count
            numbers += [[sign if fake else -sign]] * count
    assert np.abs(spectrum_scores(fit_spectrum(np.array(numbers), samples), np.array(numbers)) - 0.5).max() < 0.05


def test_many_fakes_make_no_picture_likelier_a_fake():
    samples = [Sample(Path("a"), number >= 20, "swaps", "g", "") for number in range(220)]
    numbers = np.random.default_rng(0).normal(0, 1, (220, 1))
    assert spectrum_scores(fit_spectrum(numbers, samples), numbers).mean() == pytest.approx(0.5, abs=0.05)


def test_the_spectrum_tells_soft_fakes_of_a_source_that_it_never_saw(soft_fakes):
    scores = judged(Run(SPECTRUM, "swaps"), peers.peers(1, 7)[SPECTRUM], soft_fakes, 7)
    assert {(each.network, each.without, each.part, each.source) for each in scores} == {
        (SPECTRUM, "swaps", LEFT_OUT, "swaps")
    }
    assert len(scores) == 48 and auc(scores) > 0.9


def test_a_peer_is_shown_nothing_that_it_is_judged_by_and_no_source_of_one_class(soft_fakes):
    learnt, asked = [], []

    def peer(learn: Crops):
        learnt.extend(learn.samples)

        def answer(crops: Crops) -> np.ndarray:
            asked.extend(crops.samples)
            return np.zeros(len(crops.samples))

        return answer

    scores = judged(Run("peer"), peer, soft_fakes, 7)
    assert {each.part for each in scores} == {HELD_OUT}
    assert len(scores) == len(asked) > 0
    assert not {each.group for each in learnt} & {each.group for each in asked}
    assert {each.source for each in learnt} == set(SOURCES)
    assert {each.source for each in asked} == {*SOURCES, "photos"}
    learnt.clear()
    judged(Run("peer", "clips"), peer, soft_fakes, 7)
    assert {each.source for each in learnt} == {"stills", "swaps"}


def test_a_source_that_is_not_there_is_refused(soft_fakes):
    with pytest.raises(UsageError, match="nothing of the source clip"):
        judged(Run("peer", "clip"), lambda learn: lambda asked: np.zeros(0), soft_fakes, 7)


def test_mesonet_has_as_many_weights_as_the_paper_says():
    assert sum(each.numel() for each in MesoNet().parameters()) == 27_977


@pytest.mark.parametrize("side", [64, 224, 256])
def test_mesonet_takes_crops_of_any_size(side):
    with torch.inference_mode():
        assert MesoNet().eval()(torch.rand(2, 3, side, side)).shape == (2,)


def test_mesonet_learns_and_comes_out_the_same_twice(soft_fakes):
    gentle = Mixture(0.0, 0.0, LIGHT)
    first, second = (mesonet_scores(train_mesonet(soft_fakes, gentle, 64, 7), soft_fakes) for _ in range(2))
    assert np.array_equal(first, second)
    fake = np.array([sample.fake for sample in soft_fakes.samples])
    learnt = mesonet_scores(train_mesonet(soft_fakes, gentle, 6_400, 7), soft_fakes)
    assert learnt[fake].mean() > learnt[~fake].mean() + 0.1


def test_scores_replace_earlier_ones_of_the_same_peer_and_pictures(tmp_path):
    samples = [Sample(Path(str(number)), bool(number % 2), "swaps", "g", "") for number in range(4)]
    other = scores_of(Run("mesonet_peer"), HELD_OUT, samples, np.full(4, 0.2))
    for value in (0.3, 0.4):
        own = scores_of(Run(SPECTRUM), HELD_OUT, samples, np.full(4, value))
        join_scores(tmp_path / "scores.csv", own)
        join_scores(tmp_path / "scores.csv", other)
    assert sorted(each.y_score for each in read_scores(tmp_path / "scores.csv")) == [0.2] * 4 + [0.4] * 4


def test_the_command_leaves_each_source_out_in_turn(manifest, tmp_path, whole_picture, monkeypatch, capsys):
    monkeypatch.setattr(peers, "served_faces", lambda _: nullcontext(whole_picture))
    words = [str(manifest), "--output", str(tmp_path / "out"), "--work", str(tmp_path / "work")]
    assert peers.main([*words, "--without", "all", "--pictures", "32"]) == 0
    lines = capsys.readouterr().out.split("\n")
    assert [line.partition(": AUC")[0] for line in lines if line] == [
        f"{peer} without {source}, {source} (left out)"
        for source in ("stills", "swaps")
        for peer in ("spectrum_peer", "mesonet_peer")
    ]
    assert len(read_scores(tmp_path / "out" / "scores.csv")) == 2 * 48


def test_what_is_done_when_it_is_stopped_is_kept(manifest, tmp_path, whole_picture, monkeypatch, capsys):
    def interrupted(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(peers, "served_faces", lambda _: nullcontext(whole_picture))
    monkeypatch.setattr(peers, "train_mesonet", interrupted)
    words = [str(manifest), "--output", str(tmp_path / "out"), "--work", str(tmp_path / "work")]
    assert peers.main([*words, "--without", "swaps"]) == 130
    assert "scores.csv has the peers that were done" in capsys.readouterr().err
    assert {each.network for each in read_scores(tmp_path / "out" / "scores.csv")} == {SPECTRUM}


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--split", "train"], "is learnt from"),
        (["--pictures", "0"], "at least 1"),
        (["--pictures", "9", "--peer", "spectrum_peer"], "--pictures is for mesonet_peer"),
    ],
)
def test_options_that_make_no_sense_are_refused(manifest, tmp_path, words, said):
    with pytest.raises(UsageError, match=said):
        peers.main([str(manifest), "--output", str(tmp_path), *words])


def test_a_folder_has_no_split_that_was_not_learnt_from(tmp_path):
    with pytest.raises(UsageError, match="needs a manifest"):
        peers.main([str(tmp_path), "--output", str(tmp_path), "--split", "val"])
