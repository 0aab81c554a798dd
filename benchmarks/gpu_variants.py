"""Copies of a repository whose configurations differ in one thing; the graphs are shared by hard links."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path

from deepfake_contract.tensors import FACE_DETECTOR, OTHER_MODELS
from deepfake_export.sessions import read_configuration
from google.protobuf import text_format
from tritonclient.grpc import model_config_pb2 as triton

Change = Callable[[triton.ModelConfig], None]


def variant(repository: Path, folder: Path, how: Change) -> Path:
    """The repository in `folder`, changed."""
    shutil.copytree(repository, folder, copy_function=os.link)
    change(folder, how)
    return folder


def change(repository: Path, how: Change) -> None:
    """Does `how` to the configuration of each model that runs a graph; a hard link's other end stays as it is."""
    for path in repository.glob("*/config.pbtxt"):
        config = read_configuration(repository, path.parent.name)
        if config.backend:
            how(config)
            path.unlink()
            path.write_text(text_format.MessageToString(config), encoding="utf-8")


def on_gpu(config: triton.ModelConfig) -> None:
    """KIND_GPU: a model that can't have a GPU then fails to load."""
    for group in config.instance_group:
        group.kind = triton.ModelInstanceGroup.KIND_GPU


def small_warm_up(config: triton.ModelConfig) -> None:
    for each in config.model_warmup:
        each.batch_size = min(each.batch_size, 1)


def with_tf32(config: triton.ModelConfig) -> None:
    _cuda(config)["use_tf32"] = "1"


def exhaustive(config: triton.ModelConfig) -> None:
    _cuda(config)["cudnn_conv_algo_search"] = "EXHAUSTIVE"


def channels_last(config: triton.ModelConfig) -> None:
    _cuda(config)["prefer_nhwc"] = "1"


def two_instances(config: triton.ModelConfig) -> None:
    if config.name not in OTHER_MODELS:  # a network
        config.instance_group[0].count = 2


def no_delay(config: triton.ModelConfig) -> None:
    if config.name != FACE_DETECTOR:
        config.dynamic_batching.max_queue_delay_microseconds = 0


def _cuda(config: triton.ModelConfig) -> dict[str, str]:
    accelerators = config.optimization.execution_accelerators.gpu_execution_accelerator
    return next(each.parameters for each in accelerators if each.name == "cuda")
