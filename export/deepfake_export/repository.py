"""Writes a bundle as a complete Triton model repository."""

import json
from collections.abc import Sequence
from pathlib import Path

import onnx
from deepfake_detector.bundle import Bundle

from deepfake_export.compact import store_exact_halves
from deepfake_export.configuration import ServingOptions, ensemble_configuration, step_configuration
from deepfake_export.face_detector import face_detector_model
from deepfake_export.graphs import FFTBranch, NetworkBranch
from deepfake_export.half import in_half
from deepfake_export.meta_model import MAPS, PROBABILITIES, meta_model
from deepfake_export.tensors import (
    ANSWER,
    BOXES,
    BUNDLE_PARAMETER,
    CROPS,
    ENSEMBLE,
    EVIDENCE,
    FACE_DETECTOR,
    FFT_BRANCH,
    FRAME,
    LANDMARKS,
    META_MODEL,
    PROBABILITY,
    SCORES,
    TensorSpec,
    fft_input,
    of_role,
)
from deepfake_export.torch_to_onnx import export_module

Specs = Sequence[TensorSpec]


def write_repository(bundle: Bundle, folder: Path, options: ServingOptions) -> None:
    """Writes every model with its configuration into the existing, empty folder."""
    networks = bundle.networks
    ffts = {role: fft_input(network.spec.fft_width) for role, network in networks.items()}
    outside = {role: of_role(role, spec) for role, spec in ffts.items()}  # a branch's output as the ensemble calls it
    answer = [PROBABILITY, EVIDENCE]

    def write(name: str, model: onnx.ModelProto, inputs: Specs, outputs: Specs, **kind: bool) -> None:
        _write(folder, name, model, step_configuration(name, inputs, outputs, options, **kind))

    spectra = list(outside.values())
    # Spectrum and stacking are short beside the networks: one copy of each keeps up.
    write(
        FFT_BRANCH, export_module(FFTBranch(list(networks.values())), [CROPS], spectra), [CROPS], spectra, copied=False
    )
    for role, network in networks.items():
        network = in_half(network) if options.in_half else network
        inputs = [CROPS, ffts[role]]
        write(role, export_module(NetworkBranch(network), inputs, answer), inputs, answer)
    write(META_MODEL, meta_model(bundle.stacking), [*PROBABILITIES, *MAPS], ANSWER, copied=False)
    write(FACE_DETECTOR, face_detector_model(), [FRAME], [BOXES, SCORES, LANDMARKS], batched=False)

    (folder / ENSEMBLE / "1").mkdir(parents=True)
    # Git keeps no empty folder, and Triton wants a version's folder for an ensemble too.
    (folder / ENSEMBLE / "1" / ".gitkeep").touch()
    (folder / ENSEMBLE / "config.pbtxt").write_text(_ensemble(bundle, list(outside), options), encoding="utf-8")


def _ensemble(bundle: Bundle, roles: list[str], options: ServingOptions) -> str:
    spectra = {role: of_role(role, fft_input(0)).name for role in roles}
    crops = {CROPS.name: CROPS.name}
    steps = [(FFT_BRANCH, crops, {name: name for name in spectra.values()})]
    for role in roles:
        answer = {spec.name: of_role(role, spec).name for spec in (PROBABILITY, EVIDENCE)}
        steps.append((role, crops | {fft_input(0).name: spectra[role]}, answer))
    gathered = {spec.name: spec.name for spec in (*PROBABILITIES, *MAPS)}
    steps.append((META_MODEL, gathered, {spec.name: spec.name for spec in ANSWER}))
    parameters = {BUNDLE_PARAMETER: json.dumps(bundle.description())}
    return ensemble_configuration(ENSEMBLE, [CROPS], ANSWER, steps, parameters, options.batch_size)


def _write(folder: Path, name: str, model: onnx.ModelProto, configuration: str) -> None:
    version = folder / name / "1"
    version.mkdir(parents=True)
    (version / "model.onnx").write_bytes(store_exact_halves(model).SerializeToString(deterministic=True))
    (folder / name / "config.pbtxt").write_text(configuration, encoding="utf-8")
