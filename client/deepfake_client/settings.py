"""Every limit and default of the client, each settable through the environment."""

import os
import sys
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field, fields

from deepfake_contract.errors import UsageError

MIB = 1024 * 1024
MIN = sys.float_info.min  # the least number above 0
OFFICIAL = "c2pa"  # the trust list that comes along


def setting(default: int | float | str, help: str, *, zero: bool = False):
    """A field with the sentence that `--help` and README print for it; `zero` allows a number to be 0."""
    return field(default=default, metadata={"help": help, "zero": zero})


@dataclass(frozen=True)
class ClientSettings:
    """The field `max_bytes` is the variable `DEEPFAKE_MAX_BYTES`, and so on."""

    triton: str = setting("", "host:port of a Triton's gRPC; empty starts one of our own")
    max_bytes: int = setting(500 * MIB, "largest file, bytes")
    max_duration_s: float = setting(30 * 60.0, "longest clip, seconds")
    max_pixels: int = setting(50_000_000, "largest picture or frame, pixels")
    max_frames: int = setting(256, "most frames of one clip that are analysed")
    decoder_memory_bytes: int = setting(2048 * MIB, "address space of the decoding child process, bytes")
    decoder_cpu_s: int = setting(300, "processor time of the decoding child process, seconds")
    trust_list: str = setting(
        OFFICIAL,
        "PEM file of certificates whose Content Credentials are trusted; c2pa is the C2PA's own list of 2026-09-24, "
        "which comes along; empty checks no signer",
    )
    batch_size: int = setting(8, "most face crops per request")
    requests_in_flight: int = setting(4, "requests to Triton at once, per file")
    request_deadline_s: float = setting(120.0, "longest wait for one request to Triton, seconds")
    analysis_deadline_s: float = setting(900.0, "longest analysis of one file, seconds")

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] = os.environ, **overrides: int | float | str | None):
        """Defaults, then `DEEPFAKE_*` variables, then the overrides that are not None; UsageError names a bad one."""
        values: dict[str, int | float | str] = {}
        for each in fields(cls):
            text = environment.get(f"DEEPFAKE_{each.name.upper()}")
            override = overrides.pop(each.name, None)
            if override is not None:
                values[each.name] = override
            elif text is not None:
                values[each.name] = _parse(each.name, text, type(each.default))
        if overrides:
            raise TypeError(f"no such setting: {', '.join(overrides)}")
        return cls(**values)  # type: ignore[arg-type]

    def check_frames(self, frames: int, name: str) -> int:
        """`frames`, which UsageError calls `name` where nobody may ask for so many."""
        if not 1 <= frames <= self.max_frames:
            raise UsageError(f"{name} must be a whole number from 1 to {self.max_frames}, but is {frames}.")
        return frames

    @classmethod
    def described(cls) -> str:
        """Variables, defaults and what they mean, for `--help`."""
        lines = (
            f"  DEEPFAKE_{each.name.upper()}={each.default}\n      {each.metadata['help']}" for each in fields(cls)
        )
        return "settings, as environment variables with their defaults:\n" + "\n".join(lines)

    def __post_init__(self) -> None:
        for each in fields(self):
            value = getattr(self, each.name)
            zero = each.metadata["zero"]
            largest = threading.TIMEOUT_MAX if isinstance(value, float) else sys.maxsize  # also refuses inf and nan
            if isinstance(value, (int, float)) and not ((0 if zero else MIN) <= value <= largest):
                least = "0 or more" if zero else "above 0"
                raise UsageError(f"DEEPFAKE_{each.name.upper()} must be {least} and at most {largest}, but is {value}.")
        if self.trust_list not in ("", OFFICIAL):
            _check_trust_list(self.trust_list)


def _parse(name: str, text: str, kind: type) -> int | float | str:
    try:
        return kind(text)
    except ValueError as cause:
        number = "a whole number" if kind is int else "a number"
        raise UsageError(f"DEEPFAKE_{name.upper()} must be {number}, but is {text!r}.") from cause


def _check_trust_list(path: str) -> None:
    """Raises UsageError where the file can't be read or holds no certificate."""
    import ssl  # only here: it takes a while, and few have a list of their own

    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(cafile=path)
    except ssl.SSLError as cause:
        raise UsageError(
            f"DEEPFAKE_TRUST_LIST must name a PEM file of certificates, but {path!r} holds none, or damaged ones."
        ) from cause
    except (OSError, ValueError) as cause:
        reason = getattr(cause, "strerror", None) or str(cause)
        raise UsageError(
            f"DEEPFAKE_TRUST_LIST must name a PEM file of certificates, but {path!r} can't be read: {reason}."
        ) from cause
