"""Where a served model runs, as the project's own Triton backend publishes it among the server's metrics."""

import re

METRIC = (
    "deepfake_session"  # a gauge with the labels model and provider; the backend, which imports nothing, has it too
)
GPU_PROVIDERS = frozenset({"CUDAExecutionProvider", "TensorrtExecutionProvider"})
_LINE = re.compile(rf'^{METRIC}\{{model="([^"]+)",provider="([^"]+)"\}} 1', re.MULTILINE)


def session_providers(metrics: str) -> dict[str, str]:
    """Each model's execution provider, from the text of Triton's metrics; empty where another backend serves."""
    return dict(_LINE.findall(metrics))
