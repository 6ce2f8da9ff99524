"""Turns decoded JSON into a value of a type, with the checks of msgspec. Any thread."""

import enum
import re
import types
from collections.abc import Callable
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from tertulia.standin.structs import Meta, Struct, StructMeta, UnsetType, types_of


class MsgspecError(Exception):
    """The base of the errors of this package."""


class DecodeError(MsgspecError):
    """The bytes or the text to decode are not JSON."""


class ValidationError(DecodeError):
    """A value does not have the type that it should have."""


def convert(value: Any, type: Any) -> Any:
    """Return a value of this type. Raises ValidationError."""
    return _convert(value, type)


def _convert(value: Any, wanted: Any) -> Any:
    if wanted is Any or wanted is object:
        return value
    origin = get_origin(wanted)
    if origin is Annotated:
        inner, *metas = get_args(wanted)
        value = _convert(value, inner)
        for meta in metas:
            if isinstance(meta, Meta):
                _check(value, meta.bounds)
        return value
    if origin is Union or origin is types.UnionType:
        return _convert_to_one_of(value, get_args(wanted))
    if origin is Literal:
        if value in get_args(wanted):
            return value
        raise ValidationError(f"Invalid value {value!r}")
    if isinstance(wanted, StructMeta):
        return _convert_to_struct(value, wanted)
    if origin is not None:
        return _convert_container(value, origin, get_args(wanted))
    return _convert_plain(value, wanted)


def _convert_plain(value: Any, wanted: Any) -> Any:
    if wanted is None or wanted is types.NoneType:
        if value is None:
            return None
        raise _wrong("null", value)
    if isinstance(wanted, type) and issubclass(wanted, enum.Enum):
        try:
            return wanted(value)
        except ValueError:
            raise ValidationError(f"Invalid enum value {value!r}") from None
    if wanted is float and type(value) is int:
        return float(value)
    if isinstance(wanted, type):
        if type(value) is wanted:  # true is no number
            return value
        if wanted in (dict, list, tuple, set, frozenset):
            return _convert_container(value, wanted, ())
    raise _wrong(getattr(wanted, "__name__", str(wanted)), value)


def _convert_container(value: Any, origin: Any, arguments: tuple[Any, ...]) -> Any:
    if isinstance(origin, type) and issubclass(origin, dict):
        if not isinstance(value, dict):
            raise _wrong("object", value)
        key_type, item_type = arguments or (Any, Any)
        return {_convert(k, key_type): _convert(v, item_type) for k, v in value.items()}
    if not isinstance(value, list | tuple):
        raise _wrong("array", value)
    if origin is tuple and arguments and arguments[-1] is not Ellipsis:
        if len(arguments) != len(value):
            raise ValidationError(f"Expected `array` of length {len(arguments)}")
        return tuple(map(_convert, value, arguments))
    item_type = arguments[0] if arguments else Any
    items = [_convert(item, item_type) for item in value]
    make: Callable[[list[Any]], Any] = list if not isinstance(origin, type) else origin
    return items if make is list else make(items)


def _convert_to_one_of(value: Any, choices: tuple[Any, ...]) -> Any:
    structs = [choice for choice in choices if isinstance(choice, StructMeta)]
    if isinstance(value, dict) and structs:
        return _convert_to_struct(value, _chosen_by_tag(value, structs))
    failure = None
    for choice in choices:
        if choice is UnsetType or isinstance(choice, StructMeta):
            continue
        try:
            return _convert(value, choice)
        except ValidationError as error:
            failure = error
    raise failure or _wrong("object", value)


def _chosen_by_tag(value: dict[str, Any], structs: list[StructMeta]) -> StructMeta:
    tag_field = structs[0].__struct_config__.tag_field
    if tag_field is None:
        return structs[0]
    if tag_field not in value:
        raise ValidationError(f"Object missing required field `{tag_field}`")
    for struct in structs:
        if struct.__struct_config__.tag == value[tag_field]:
            return struct
    raise ValidationError(f"Invalid value {value[tag_field]!r} - at `$.{tag_field}`")


def _convert_to_struct(value: Any, wanted: StructMeta) -> Any:
    if isinstance(value, wanted):
        return value
    if isinstance(value, Struct) or not isinstance(value, dict):
        raise _wrong("object", value)
    config, types_by_name = wanted.__struct_config__, types_of(wanted)
    if config.tag_field in value and value[config.tag_field] != config.tag:
        raise ValidationError(f"Invalid value - at `$.{config.tag_field}`")
    content = {}
    for each in wanted.__declared__:
        if each.encode_name in value:
            try:
                content[each.name] = _convert(value[each.encode_name], types_by_name[each.name])
            except ValidationError as error:
                raise ValidationError(f"{error} - at `$.{each.encode_name}`") from None
    if config.forbid_unknown_fields:
        known = {each.encode_name for each in wanted.__declared__} | {config.tag_field}
        for name in value.keys() - known:
            raise ValidationError(f"Object contains unknown field `{name}`")
    try:
        return wanted(**content)
    except TypeError as error:
        raise ValidationError(str(error)) from None
    except ValueError as error:  # raised by __post_init__
        raise ValidationError(str(error)) from None


def _check(value: Any, bounds: dict[str, Any]) -> None:
    """Raise ValidationError if a value is out of bounds. `value` may be None in a union."""
    for name, bound in bounds.items():
        match name:
            case "ge":
                is_right = value >= bound
            case "gt":
                is_right = value > bound
            case "le":
                is_right = value <= bound
            case "lt":
                is_right = value < bound
            case "min_length":
                is_right = len(value) >= bound
            case "max_length":
                is_right = len(value) <= bound
            case "pattern":
                is_right = re.search(bound, value) is not None
            case _:
                is_right = True  # a description
        if not is_right:
            raise ValidationError(f"Expected a value with {name}={bound!r}")


def _wrong(wanted: str, value: Any) -> ValidationError:
    return ValidationError(f"Expected `{wanted}`, got `{type(value).__name__}`")
