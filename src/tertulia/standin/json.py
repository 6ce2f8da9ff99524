"""Reads and writes values and classes with fields as JSON, as msgspec does. Any thread."""

import enum
import json
from collections.abc import Iterable
from typing import Any, Generic, NoReturn, TypeVar

from tertulia.standin.converting import DecodeError, convert
from tertulia.standin.structs import UNSET, Struct

T = TypeVar("T")


def decode(data: bytes | bytearray | str, *, type: Any = Any) -> Any:
    """Return the value of a text. Raises DecodeError, ValidationError and UnicodeDecodeError."""
    text = data if isinstance(data, str) else bytes(data).decode()
    try:
        found = json.loads(text, parse_constant=_refuse)
        if "\\u" in text:  # JSON may contain half a surrogate pair
            json.dumps(found, ensure_ascii=False).encode()
    except ValueError as error:
        raise DecodeError(f"JSON is malformed: {error}") from None
    return convert(found, type)


def encode(value: Any) -> bytes:
    """Return the text of a value."""
    return _dumps(_plain(value)).encode()


def format(data: bytes, *, indent: int = 2) -> bytes:
    """Return a text with line breaks, for people."""
    return json.dumps(json.loads(data), ensure_ascii=False, indent=indent).encode()


class Decoder(Generic[T]):
    """Decodes values of one type."""

    def __init__(self, type: Any = Any) -> None:
        self._type = type

    def decode(self, data: bytes | bytearray | str) -> T:
        """Return the value of a text. See `decode`."""
        found: T = decode(data, type=self._type)
        return found


class Encoder:
    """Encodes values."""

    def encode(self, value: Any) -> bytes:
        """Return the text of a value."""
        return encode(value)

    def encode_lines(self, values: Iterable[Any]) -> bytes:
        """Return the texts of several values, each with a newline."""
        return b"".join(encode(value) + b"\n" for value in values)


def _refuse(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON")


def _dumps(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _plain(value: Any) -> Any:
    if isinstance(value, Struct):
        return _fields_of(value)
    if isinstance(value, enum.Enum):
        return value.value
    if isinstance(value, dict):
        return {_plain(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_plain(item) for item in value]
    return value


def _fields_of(struct: Struct) -> dict[str, Any]:
    cls = type(struct)
    config = cls.__struct_config__
    found: dict[str, Any] = {}
    if config.tag_field is not None:
        found[config.tag_field] = config.tag
    for each in cls.__declared__:
        value = getattr(struct, each.name)
        if value is UNSET or (config.omit_defaults and _is_default(value, each.make_default())):
            continue
        found[each.encode_name] = _plain(value)
    return found


def _is_default(value: Any, default: Any) -> bool:
    return type(value) is type(default) and bool(value == default)
