"""Reads from a server's log why it did not start."""

import re

PORT_TAKEN = re.compile("address already in use|failed to bind", re.IGNORECASE)

CRASH = re.compile(r"^terminate called|^Signal \(\d+\) received", re.MULTILINE)


def is_port_taken(log: str) -> bool:
    """Whether the server found one of its ports taken."""
    return PORT_TAKEN.search(log) is not None


def is_crash(log: str) -> bool:
    """Whether the server was ended by a fault of its own, as now and then by a lock_exception on a crowded machine."""
    return CRASH.search(log) is not None


def reason(log: str) -> str:
    """Why the server did not start, in lines: the models that failed, else the errors, else the end of its log."""
    lines = log.splitlines()
    errors = [line for line in lines if re.match(r"E\d{4} ", line) and "CudaDriverHelper" not in line]
    failed = [line for line in errors if "failed to load" in line]
    told = [_message(line) for line in failed or errors] or lines[-12:]
    return "\n".join(dict.fromkeys(told)) or "(it logged nothing)"


def _message(line: str) -> str:
    """A log line without time and place, and without a model process's traceback."""
    text = re.sub(r'^\S+ \S+ \d+ \S+\] "?', "", line).replace("Internal: TritonModelException: ", "")
    return text.split("\\n\\nAt:")[0].rstrip('"')
