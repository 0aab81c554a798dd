"""Writes a bundle as a complete Triton model repository."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import onnx
from deepfake_contract.description import NetworkSpec
from deepfake_contract.tensors import (
    BOXES,
    BUNDLE_PARAMETER,
    CROPS,
    ENSEMBLE,
    EVIDENCE,
    FACE_DETECTOR,
    FACE_SIDE,
    FFT,
    FFT_BRANCH,
    FRAME,
    LANDMARKS,
    META_MODEL,
    PROBABILITY,
    SCORES,
    TensorSpec,
    crops_input,
    fft_input,
    of_network,
)
from deepfake_networks.bundle import Bundle
from deepfake_networks.weights import SAFETENSORS

from deepfake_export.compact import store_exact_halves
from deepfake_export.configuration import ServingOptions, ensemble_configuration, step_configuration
from deepfake_export.external import refer_to_weights
from deepfake_export.face_detector import face_detector_model
from deepfake_export.graphs import FFTBranch, NetworkBranch
from deepfake_export.half import in_half
from deepfake_export.meta_model import meta_model, stacking_inputs
from deepfake_export.torch_to_onnx import export_module

Specs = Sequence[TensorSpec]
ANSWER = (PROBABILITY, EVIDENCE)  # of a network


def write_repository(bundle: Bundle, folder: Path, options: ServingOptions) -> None:
    """Writes every model with its configuration into the existing, empty folder."""
    description = bundle.description
    side, names = description.policy.crop_side, description.names

    def write(name: str, model: onnx.ModelProto, inputs: Specs, outputs: Specs, **kind: bool) -> None:
        version = folder / name / "1"
        version.mkdir(parents=True, exist_ok=True)
        (version / "model.onnx").write_bytes(store_exact_halves(model).SerializeToString(deterministic=True))
        configuration = step_configuration(name, inputs, outputs, options, **kind)
        (folder / name / "config.pbtxt").write_text(configuration, encoding="utf-8")

    spectra = _spectra(description.networks)
    # Spectrum and stacking are short beside the networks: one copy of each keeps up.
    if spectra:
        branch, outputs = FFTBranch(list(bundle.networks.values()), side), list(spectra.values())
        crops = [crops_input(side)]
        write(FFT_BRANCH, export_module(branch, crops, outputs), crops, outputs, copied=False)
    for spec in description.networks:
        network = in_half(bundle.networks[spec.name]) if options.in_half else bundle.networks[spec.name]
        inputs = network_inputs(spec, side)
        # In half precision the weights are no longer those of the file.
        external = spec.weights.endswith(SAFETENSORS) and not options.in_half
        model = export_module(NetworkBranch(network, side), inputs, ANSWER, fold=not external)
        if external:
            model = refer_to_weights(model, bundle.folder / spec.weights, folder / spec.name / "1")
        write(spec.name, model, inputs, ANSWER)
    gathered = stacking_inputs(names)
    write(META_MODEL, meta_model(names, description.stacking), gathered, description.outputs, copied=False)
    write(FACE_DETECTOR, face_detector_model(), [FRAME], [BOXES, SCORES, LANDMARKS], batched=False)

    (folder / ENSEMBLE / "1").mkdir(parents=True)
    # Git keeps no empty folder, and Triton wants a version's folder for an ensemble too.
    (folder / ENSEMBLE / "1" / ".gitkeep").touch()
    (folder / ENSEMBLE / "config.pbtxt").write_text(_ensemble(bundle, spectra, options), encoding="utf-8")


def network_inputs(spec: NetworkSpec, side: int) -> list[TensorSpec]:
    """The inputs of a network's Triton model."""
    fft = [fft_input(spec.fft_width)] if spec.fft else []
    return [crops_input(side), *fft, *([FACE_SIDE] if spec.face_side else [])]


def _spectra(networks: Sequence[NetworkSpec]) -> dict[str, TensorSpec]:
    """The fft branch's outputs, by the network that each is for."""
    return {spec.name: of_network(spec.name, fft_input(spec.fft_width)) for spec in networks if spec.fft}


def _ensemble(bundle: Bundle, spectra: Mapping[str, TensorSpec], options: ServingOptions) -> str:
    description = bundle.description
    side = description.policy.crop_side
    steps = [(FFT_BRANCH, {CROPS: CROPS}, {each.name: each.name for each in spectra.values()})] if spectra else []
    for spec in description.networks:
        given = {each.name: each.name for each in network_inputs(spec, side)}
        if spec.fft:
            given[FFT] = spectra[spec.name].name
        steps.append((spec.name, given, {each.name: of_network(spec.name, each).name for each in ANSWER}))
    gathered = {each.name: each.name for each in stacking_inputs(description.names)}
    steps.append((META_MODEL, gathered, {each.name: each.name for each in description.outputs}))
    return ensemble_configuration(
        ENSEMBLE,
        description.inputs,
        description.outputs,
        steps,
        {BUNDLE_PARAMETER: json.dumps(description.to_json())},
        options.batch_size,
    )
