"""The stand-in takes and refuses the same values as msgspec, whose place it takes.

That it reads and writes the whole protocol as msgspec does is in tests/test_onefile.py.
"""

import enum
from types import ModuleType, SimpleNamespace
from typing import Annotated, Any, Literal

import msgspec
import pytest

from tertulia.standin import converting, json, structs

Library = ModuleType | SimpleNamespace
STANDIN = SimpleNamespace(
    Meta=structs.Meta,
    Struct=structs.Struct,
    UNSET=structs.UNSET,
    UnsetType=structs.UnsetType,
    ValidationError=converting.ValidationError,
    convert=converting.convert,
    field=structs.field,
    json=json,
)


class Mood(enum.StrEnum):
    GOOD = "good"
    BAD = "bad"


def make_types(library: Library) -> dict[str, Any]:
    """Return types by their names, those with fields made by this library."""
    meta = library.Meta

    class Message(library.Struct, kw_only=True, frozen=True, tag_field="type", omit_defaults=True):
        pass

    class Say(Message, tag="say", kw_only=True, frozen=True):
        text: str
        sender: str = library.field(name="from", default="nobody")

    class Ping(Message, tag="ping", kw_only=True, frozen=True):
        id: Annotated[int, meta(ge=0, le=9)] | library.UnsetType = library.UNSET

        def __post_init__(self) -> None:
            if self.id == 7:
                raise ValueError("7 is none")

    class Strict(library.Struct, forbid_unknown_fields=True):
        one: int
        many: list[int] = library.field(default_factory=list)
        note: str | library.UnsetType = library.UNSET

    return {
        "anything": Any,
        "number": int,
        "fraction": float,
        "text": str,
        "truth": bool,
        "nothing": None,
        "mood": Mood,
        "literal": Literal["all", "messages"],
        "positive": Annotated[float, meta(gt=0)],
        "less": Annotated[int, meta(lt=3)],
        "short": Annotated[str, meta(min_length=1, max_length=3)],
        "letters": Annotated[str, meta(pattern="^[a-z]+$")],
        "text or nothing": str | None,
        "numbers": list[int],
        "any list": list,
        "pair": tuple[int, str],
        "row": tuple[int, ...],
        "set": set[int],
        "table": dict[str, int],
        "say": Say,
        "message": Say | Ping,
        "strict": Strict,
    }


OURS, THEIRS = make_types(STANDIN), make_types(msgspec)
VALUES = [
    *(None, True, 0, 2, 3, -1, 1.5, "", "abc", "abcd", "good", "all", "a1"),
    *([], [1, 2], [1, "x"], ["x", 1], [1], {}, {"a": 1}, {"a": "x"}, {1: 2}),
    *({"type": "say", "text": "hola"}, {"type": "say", "text": "hola", "from": "ana", "more": 1}),
    *({"type": "say"}, {"type": "say", "text": 5}, {"type": "other"}, {"text": "hola"}),
    *({"type": "ping"}, {"type": "ping", "id": 4}, {"type": "ping", "id": 10}),
    *({"type": "ping", "id": 7}, {"type": "ping", "id": None}),
    *({"one": 1}, {"one": 1, "many": [2]}, {"one": 1, "many": 2}, {"one": 1, "two": 2}),
]


def outcome(library: Library, value: Any, wanted: Any) -> Any:
    """Return what a value becomes, as JSON and with the kind of it, or that it is refused."""
    try:
        found = library.convert(value, wanted)
    except library.ValidationError:
        return "refused"
    kind = type(found).__name__
    return kind, sorted(found) if kind == "set" else library.json.encode(found)


@pytest.mark.parametrize("name", OURS)
def test_a_value_becomes_the_same_as_with_msgspec_or_is_refused_as_there(name: str) -> None:
    results = [outcome(STANDIN, value, OURS[name]) for value in VALUES]
    assert results == [outcome(msgspec, value, THEIRS[name]) for value in VALUES]
    assert set(map(type, results)) <= {str, tuple}
    assert any(result != "refused" for result in results), "the values do not try this type"
