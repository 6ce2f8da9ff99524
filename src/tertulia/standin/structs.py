"""Classes that declare their fields, as those of msgspec. Any thread.

The fields lie in the instance's `__dict__`. Types are looked at only when something is decoded.
"""

import inspect
import typing
from collections.abc import Callable
from typing import Any, NamedTuple, dataclass_transform


class UnsetType:
    """The type of `UNSET`, which stands for a field that is not there."""

    def __repr__(self) -> str:
        return "UNSET"

    def __bool__(self) -> bool:
        return False


UNSET = UnsetType()


class _NoDefault:
    def __repr__(self) -> str:
        return "NODEFAULT"


NODEFAULT: Any = _NoDefault()


class _Given(NamedTuple):
    """The arguments of `field`."""

    default: Any
    default_factory: Any
    name: str | None


def field(
    *, default: Any = NODEFAULT, default_factory: Any = NODEFAULT, name: str | None = None
) -> Any:
    """Declare a field with a function that makes its default, or with another name in JSON."""
    return _Given(default, default_factory, name)


class Meta:
    """Bounds of a value, for `Annotated`."""

    def __init__(self, **bounds: Any) -> None:
        self.bounds = bounds


class FieldInfo(NamedTuple):
    """A field of a class, as `fields` returns it."""

    name: str
    encode_name: str
    type: Any
    default: Any = NODEFAULT
    default_factory: Any = NODEFAULT

    @property
    def required(self) -> bool:
        """Whether it has no default."""
        return self.default is NODEFAULT and self.default_factory is NODEFAULT


class Config(NamedTuple):
    """How a class is to be encoded."""

    tag: str | None = None
    tag_field: str | None = None
    frozen: bool = False
    omit_defaults: bool = False
    forbid_unknown_fields: bool = False


class Declared(NamedTuple):
    """A field as it was declared."""

    name: str
    encode_name: str
    default: Any
    default_factory: Any
    kw_only: bool

    def make_default(self) -> Any:
        """Return the default; NODEFAULT if there is none."""
        return self.default if self.default_factory is NODEFAULT else self.default_factory()


@dataclass_transform(field_specifiers=(field,))
class StructMeta(type):
    """Reads the fields of a class when it is declared."""

    __struct_config__: Config
    __declared__: tuple[Declared, ...]
    __struct_fields__: tuple[str, ...]
    __match_args__: tuple[str, ...]

    def __new__(
        mcs,
        name: str,
        bases: tuple[type, ...],
        namespace: dict[str, Any],
        *,
        kw_only: bool = False,
        tag: str | None = None,
        **options: Any,
    ) -> "StructMeta":
        cls = super().__new__(mcs, name, bases, namespace)
        fields: dict[str, Declared] = {}
        inherited: dict[str, Any] = {}
        for base in reversed(cls.__mro__[1:]):
            if isinstance(base, StructMeta):
                fields |= {each.name: each for each in base.__declared__}
                inherited |= base.__struct_config__._asdict()
        for own in inspect.get_annotations(cls):
            given = namespace.get(own, NODEFAULT)
            if own in namespace:
                delattr(cls, own)
            fields[own] = _declare(own, given, kw_only)
        inherited |= {key: value for key, value in options.items() if key in Config._fields}
        inherited["tag"] = tag or (name if inherited.get("tag_field") else None)
        cls.__struct_config__ = Config(**inherited)
        in_order = sorted(fields.values(), key=lambda each: each.kw_only)  # stable
        cls.__declared__ = tuple(in_order)
        cls.__struct_fields__ = tuple(each.name for each in in_order)
        positional = tuple(each.name for each in in_order if not each.kw_only)
        type.__setattr__(cls, "__match_args__", positional)
        return cls

    def __init__(
        cls, name: str, bases: tuple[type, ...], namespace: dict[str, Any], **_options: Any
    ) -> None:
        super().__init__(name, bases, namespace)


def _declare(name: str, given: Any, kw_only: bool) -> Declared:
    if isinstance(given, _Given):
        encode_name = given.name or name
        return Declared(name, encode_name, given.default, given.default_factory, kw_only)
    if isinstance(given, list | dict | set):
        return Declared(name, name, NODEFAULT, given.copy, kw_only)
    return Declared(name, name, given, NODEFAULT, kw_only)


class Struct(metaclass=StructMeta):
    """The base of the classes with fields."""

    def __init__(self, *values: Any, **named: Any) -> None:
        cls = type(self)
        if len(values) > len(cls.__match_args__):
            raise TypeError("Extra positional arguments provided")
        given = dict(zip(cls.__struct_fields__, values, strict=False))
        if given.keys() & named.keys():
            raise TypeError("an argument was given twice")
        given |= named
        content = {}
        for each in cls.__declared__:
            value = given.pop(each.name, NODEFAULT)
            if value is NODEFAULT:
                value = each.make_default()
            if value is NODEFAULT:
                raise TypeError(f"Missing required argument '{each.name}'")
            content[each.name] = value
        if given:
            raise TypeError(f"Unexpected keyword argument '{next(iter(given))}'")
        self.__dict__.update(content)
        post_init: Callable[[], None] | None = getattr(self, "__post_init__", None)
        if post_init is not None:
            post_init()

    def __setattr__(self, name: str, value: Any) -> None:
        if type(self).__struct_config__.frozen:
            raise AttributeError(f"immutable type: '{type(self).__name__}'")
        self.__dict__[name] = value

    def __delattr__(self, name: str) -> None:
        raise AttributeError(name)

    def __eq__(self, other: object) -> bool:
        if type(self) is not type(other):
            return NotImplemented
        return self.__dict__ == other.__dict__

    def __hash__(self) -> int:
        if not type(self).__struct_config__.frozen:
            raise TypeError(f"unhashable type: '{type(self).__name__}'")
        return hash((type(self), *self.__dict__.values()))

    def __repr__(self) -> str:
        fields = ", ".join(f"{name}={value!r}" for name, value in self.__dict__.items())
        return f"{type(self).__name__}({fields})"


def replace(struct: Any, /, **changes: Any) -> Any:
    """Return a copy with other values in some fields."""
    return type(struct)(**(struct.__dict__ | changes))


def asdict(struct: Struct) -> dict[str, Any]:
    """Return the fields by their names."""
    return dict(struct.__dict__)


def types_of(cls: StructMeta) -> dict[str, Any]:
    """Return the types of the fields by their names."""
    known = _types.get(cls)
    if known is None:
        known = _types[cls] = typing.get_type_hints(cls, include_extras=True)
    return known


def fields(struct: Any) -> tuple[FieldInfo, ...]:
    """Return the fields of a class, or of the class of an instance."""
    cls: Any = struct if isinstance(struct, StructMeta) else type(struct)
    types = types_of(cls)
    return tuple(
        FieldInfo(each.name, each.encode_name, types[each.name], each.default, each.default_factory)
        for each in cls.__declared__
    )


_types: dict[StructMeta, dict[str, Any]] = {}
