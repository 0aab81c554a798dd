"""The few KServe v2 calls over HTTP that starting and watching a server takes, with the standard library alone."""

import http.client
import json
from math import prod
from typing import Any

BYTES = {"BOOL": 1, "UINT8": 1, "INT8": 1, "FP16": 2, "FP32": 4, "FP64": 8, "INT32": 4, "INT64": 8}  # an element's
TIMEOUT_S = 3.0  # for all but inference: the server answers these by itself, at once
FREE_SIDE = 64  # elements along an axis of any length, in a probe


def call(
    address: str,
    path: str,
    *,
    body: bytes | None = None,
    headers: dict[str, str] | None = None,
    timeout_s: float = TIMEOUT_S,
) -> tuple[int, bytes]:
    """(status, answer's bytes) of a GET, or of a POST where there is a body; OSError where nobody answers in time."""
    host, port = address.rsplit(":", 1)
    connection = http.client.HTTPConnection(host, int(port), timeout=timeout_s)
    try:
        connection.request("GET" if body is None else "POST", path, body, headers or {})
        response = connection.getresponse()
        return response.status, response.read()
    except http.client.HTTPException as cause:
        raise OSError(f"no valid answer from {address}") from cause
    finally:
        connection.close()


def answers(address: str, path: str, timeout_s: float = TIMEOUT_S) -> bool:
    """Whether a path answers 200."""
    try:
        return call(address, path, timeout_s=timeout_s)[0] == 200
    except OSError:
        return False


def is_ready(address: str, timeout_s: float = TIMEOUT_S) -> bool:
    """Whether the server says that it serves every model."""
    return answers(address, "/v2/health/ready", timeout_s)


def read(address: str, path: str, *, body: bytes | None = None, timeout_s: float = TIMEOUT_S) -> Any:
    """The JSON at a path; OSError for any status but 200."""
    status, answer = call(address, path, body=body, timeout_s=timeout_s)
    if status != 200:
        raise OSError(f"{path} answered {status}")
    return json.loads(answer)


def entry_models(address: str) -> list[str]:
    """The models that clients call: all that are no step of an ensemble."""
    names = [each["name"] for each in read(address, "/v2/repository/index", body=b"{}")]
    configurations = [read(address, f"/v2/models/{name}/config") for name in names]
    steps = {
        step["model_name"]
        for configuration in configurations
        for step in configuration.get("ensemble_scheduling", {}).get("step", [])
    }
    return [name for name in names if name not in steps]


def probe(address: str, model: str, timeout_s: float) -> tuple[int, str]:
    """(status, message) of one small request of zeros, made from the model's own description."""
    inputs, tensors = [], b""
    batched = read(address, f"/v2/models/{model}/config").get("max_batch_size", 0) > 0
    for each in read(address, f"/v2/models/{model}")["inputs"]:
        shape = [int(side) if int(side) > 0 else FREE_SIDE for side in each["shape"]]
        if batched:
            shape[0] = 1
        size = prod(shape) * BYTES[each["datatype"]]
        inputs.append({**each, "shape": shape, "parameters": {"binary_data_size": size}})
        tensors += bytes(size)
    header = json.dumps({"inputs": inputs, "parameters": {"binary_data_output": True}}).encode()
    headers = {"Inference-Header-Content-Length": str(len(header))}
    path = f"/v2/models/{model}/infer"
    status, answer = call(address, path, body=header + tensors, headers=headers, timeout_s=timeout_s)
    return status, "" if status == 200 else answer.decode(errors="replace")
