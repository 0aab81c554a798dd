"""Dataclasses from and to the tables of TOML and JSON, checked against the fields' types."""

import json
import types
from collections.abc import Mapping
from dataclasses import MISSING, asdict, fields, is_dataclass
from typing import Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

from deepfake_contract.errors import BundleError

T = TypeVar("T")


def from_table(kind: type[T], table: Any, where: str) -> T:
    """The dataclass `kind` from a table; BundleError names `where` and the key that is missing, unknown or wrong."""
    if not isinstance(table, Mapping):
        raise BundleError(f"{where} is missing.")
    known = {each.name: each for each in fields(kind)}  # type: ignore[arg-type]
    for key in table.keys() - known.keys():
        raise BundleError(f"{where} has an unknown key {key!r}; it may have {', '.join(known)}.")
    for key, each in known.items():
        if key not in table and each.default is MISSING and each.default_factory is MISSING:
            raise BundleError(f"{where} lacks the key {key!r}.")
    hints = get_type_hints(kind)
    values = {key: _value(hints[key], value, f"{where} {key}") for key, value in table.items()}
    try:
        return kind(**values)
    except ValueError as cause:
        raise BundleError(f"{where} {cause}.") from cause


def to_plain(value: Any) -> dict[str, Any]:
    """A dataclass as plain JSON types."""
    return json.loads(json.dumps(asdict(value)))


def to_toml(value: Any) -> str:
    """A plain value as TOML writes it in one line."""
    if isinstance(value, Mapping):
        items = ", ".join(f"{key} = {to_toml(item)}" for key, item in value.items())
        return f"{{ {items} }}"
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(to_toml(item) for item in value) + "]"
    return json.dumps(value, ensure_ascii=False)


def _value(hint: Any, value: Any, where: str) -> Any:
    """The value as the type says; whole numbers pass as float, lists become tuples."""
    origin, arguments = get_origin(hint), get_args(hint)
    if origin in (Union, types.UnionType):
        if value is None and type(None) in arguments:
            return None
        return _value(next(each for each in arguments if each is not type(None)), value, where)
    if is_dataclass(hint):
        return from_table(hint, value, where)  # type: ignore[arg-type]
    if origin is tuple and isinstance(value, list):
        kinds = [arguments[0]] * len(value) if arguments[-1] is Ellipsis else arguments
        if len(kinds) == len(value):
            places = [f"{where} {number}" if is_dataclass(kind) else where for number, kind in enumerate(kinds, 1)]
            return tuple(_value(*each) for each in zip(kinds, value, places, strict=True))
    if origin is Mapping and isinstance(value, dict):
        return value
    if origin is Literal and value in arguments:
        return value
    if hint is float and isinstance(value, (int, float)) and not isinstance(value, bool):
        return float(value)
    if hint in (int, str, bool) and type(value) is hint:
        return value
    name = getattr(hint, "__name__", str(hint)) if origin is None else str(hint).replace("typing.", "")
    raise BundleError(f"{where} must be {name}, but is {value!r}.")
