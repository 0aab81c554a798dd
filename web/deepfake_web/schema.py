"""JSON Schema from dataclasses, so that what is documented is what is answered."""

import inspect
import types
from dataclasses import MISSING, Field, fields, is_dataclass
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

SCALARS = {str: "string", int: "integer", float: "number", bool: "boolean"}


def schema_of(kind: Any, definitions: dict[str, Any]) -> dict[str, Any]:
    """The schema of a type; dataclasses become references, and their schemas are added to `definitions`. What is
    written beside a type (`Annotated`) is its description."""
    if is_dataclass(kind) and isinstance(kind, type):
        _define(kind, definitions)
        return {"$ref": f"#/components/schemas/{kind.__name__}"}
    if kind in SCALARS:
        return {"type": SCALARS[kind]}
    origin, arguments = get_origin(kind), get_args(kind)
    if origin is Annotated:
        return schema_of(arguments[0], definitions) | {"description": " ".join(arguments[1:])}
    if kind is types.NoneType:
        return {"type": "null"}
    if origin is Literal:
        return {"type": SCALARS[type(arguments[0])], "enum": list(arguments)}
    if origin in (Union, types.UnionType):
        return {"anyOf": [schema_of(each, definitions) for each in arguments]}
    if origin is list:
        return {"type": "array", "items": schema_of(arguments[0], definitions)}
    if origin is tuple:
        items = [schema_of(each, definitions) for each in arguments]
        return {"type": "array", "prefixItems": items, "minItems": len(items), "maxItems": len(items)}
    if origin is dict:
        return {"type": "object", "additionalProperties": schema_of(arguments[1], definitions)}
    raise TypeError(f"no schema for {kind}")


def _define(kind: type, definitions: dict[str, Any]) -> None:
    if kind.__name__ in definitions:
        return
    definitions[kind.__name__] = {}  # before its fields: a type may hold itself
    hints = get_type_hints(kind, include_extras=True)
    definitions[kind.__name__] = {
        "type": "object",
        "description": " ".join((inspect.getdoc(kind) or "").split()),
        "properties": {each.name: schema_of(hints[each.name], definitions) | _default(each) for each in fields(kind)},
        # A field with a default is left out where it was not asked for.
        "required": [each.name for each in fields(kind) if each.default is MISSING],
    }


def _default(field: Field) -> dict[str, Any]:
    return {} if field.default is MISSING or field.default is None else {"default": field.default}
