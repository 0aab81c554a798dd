"""Triton's Python-based `onnxruntime` backend: serves a model's `model.onnx` as NVIDIA's C++ backend does."""

import json
import re
from pathlib import Path

import numpy as np
import triton_python_backend_utils as pb_utils
from options import Refused, read_options
from session import check_tensors, open_session, run_options


class TritonPythonModel:
    """One instance of a model: a process with one session."""

    def initialize(self, args: dict[str, str]) -> None:
        """Opens the session; a configuration that can't be honoured fails the load with a sentence."""
        configuration = json.loads(args["model_config"])
        folder = Path(args["model_repository"])
        kind = args["model_instance_kind"]
        try:
            if kind not in ("CPU", "GPU"):
                raise Refused(f"instance group KIND_{kind} is not supported here")
            options = read_options(configuration)
            path = folder / args["model_version"] / (configuration["default_model_filename"] or "model.onnx")
            gpu = int(args["model_instance_device_id"]) if kind == "GPU" else None
            self._session, reason = open_session(path, options, gpu, required=_asks_for_gpu(folder))
            check_tensors(self._session, configuration)
        except Refused as refusal:
            raise pb_utils.TritonModelException(str(refusal)) from refusal
        self._run_options = run_options(options)
        self._batched = configuration["max_batch_size"] > 0
        self._publish(args["model_name"], reason)

    def execute(self, requests: list) -> list:
        """One response a request, in order; a run that fails is each request's error."""
        groups = [requests] if self._batched else [[each] for each in requests]
        return [response for group in groups for response in self._answer(group)]

    def _answer(self, requests: list) -> list:
        """Runs requests, joined along the batch axis, at once."""
        try:
            inputs = [{each.name(): each.as_numpy() for each in request.inputs()} for request in requests]
            names = sorted({name for request in requests for name in request.requested_output_names()})
            outputs = self._session.run(names, _join(inputs), self._run_options)
            parts = _split(dict(zip(names, outputs, strict=True)), inputs)
            return [
                pb_utils.InferenceResponse(
                    [pb_utils.Tensor(name, part[name]) for name in request.requested_output_names()]
                )
                for request, part in zip(requests, parts, strict=True)
            ]
        except Exception as cause:  # raised, it would end the process
            error = pb_utils.TritonError(f"the model failed: {cause}")
            return [pb_utils.InferenceResponse(error=error) for _ in requests]

    def _publish(self, model: str, reason: str) -> None:
        """Says where the session runs: in the log, and as a gauge among the server's metrics."""
        provider = self._session.get_providers()[0]
        if reason:
            pb_utils.Logger.log_warn(f"'{model}' runs on {provider}, not on the GPU: {reason}")
        else:
            pb_utils.Logger.log_info(f"'{model}' runs on {provider}")
        self._family = pb_utils.MetricFamily(
            name="deepfake_session",
            description="1 for the execution provider that a model's session reports",
            kind=pb_utils.MetricFamily.GAUGE,
        )
        self._gauge = self._family.Metric(labels={"model": model, "provider": provider})
        self._gauge.set(1)


def _asks_for_gpu(folder: Path) -> bool:
    """Whether the configuration says KIND_GPU itself: what arrives here is KIND_GPU for KIND_AUTO too."""
    text = (folder / "config.pbtxt").read_text()
    return re.search(r"^[^#\n]*\bKIND_GPU\b", text, re.MULTILINE) is not None


def _join(inputs: list[dict[str, np.ndarray]]) -> dict[str, np.ndarray]:
    if len(inputs) == 1:
        return inputs[0]
    return {name: np.concatenate([each[name] for each in inputs]) for name in inputs[0]}


def _split(outputs: dict[str, np.ndarray], inputs: list[dict[str, np.ndarray]]) -> list[dict[str, np.ndarray]]:
    """A request's rows of each output, a request."""
    if len(inputs) == 1:
        return [outputs]
    ends = np.cumsum([len(next(iter(each.values()))) for each in inputs])
    return [
        {name: output[end - len(next(iter(each.values()))) : end] for name, output in outputs.items()}
        for each, end in zip(inputs, ends, strict=True)
    ]
