"""The stand-in reads and writes the same JSON as msgspec, whose place it takes."""

import enum
from types import ModuleType, SimpleNamespace
from typing import Any

import msgspec
import pytest

from tertulia.standin import converting, json, structs

Library = ModuleType | SimpleNamespace
STANDIN = SimpleNamespace(
    DecodeError=converting.DecodeError,
    Struct=structs.Struct,
    UNSET=structs.UNSET,
    UnsetType=structs.UnsetType,
    ValidationError=converting.ValidationError,
    field=structs.field,
    json=json,
)
LIBRARIES = pytest.mark.parametrize("library", [STANDIN, msgspec], ids=["standin", "msgspec"])


class Mood(enum.Enum):
    GOOD = "good"
    FINE = 7


def make_types(library: Library) -> SimpleNamespace:
    class Point(library.Struct):
        x: int
        y: int = 0
        note: str | library.UnsetType = library.UNSET

    class Sparse(library.Struct, tag="sparse", tag_field="type", omit_defaults=True):
        text: str
        number: int = 0
        fraction: float = 1.0
        tags: list[str] = library.field(default_factory=list)
        sender: str | library.UnsetType = library.field(name="from", default=library.UNSET)

    return SimpleNamespace(Point=Point, Sparse=Sparse)


@LIBRARIES
@pytest.mark.parametrize(
    "text",
    ['{"a":[1,2.5,null,true,"ñ\\n\\u00f1"]}', '"\\ud83d\\ude00"', " 5 ", '{"a":1,"a":2}'],
)
def test_a_text_is_read_however_it_is_given(library: Library, text: str) -> None:
    expected = msgspec.json.decode(text)
    for given in (text, text.encode(), bytearray(text.encode())):
        assert library.json.decode(given) == expected


@LIBRARIES
@pytest.mark.parametrize(
    "text", ["", "{", "{'a':1}", "[1,]", "NaN", "[-Infinity]", '"\\ud83d"', '"a\nb"', "1 2"]
)
def test_what_is_no_json_is_refused(library: Library, text: str) -> None:
    with pytest.raises(library.DecodeError, match=r"JSON is malformed|truncated"):
        library.json.decode(text)


def test_bytes_that_are_no_text_are_refused() -> None:
    with pytest.raises(UnicodeDecodeError):
        json.decode(b'"\xff"')


@LIBRARIES
def test_a_value_has_to_be_of_the_type(library: Library) -> None:
    point = make_types(library).Point
    for decode in (
        lambda text: library.json.decode(text, type=point),
        library.json.Decoder(point).decode,
    ):
        found = decode(b'{"x":1}')
        assert (type(found), found.x, found.y) == (point, 1, 0)
        with pytest.raises(library.ValidationError):
            decode(b'{"x":"1"}')
    assert library.json.Decoder().decode(b'{"x":"1"}') == {"x": "1"}


@LIBRARIES
@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "null"),
        ([True, 1.5, "ñ\n\x7f\u2028"], '[true,1.5,"ñ\\n\x7f\u2028"]'),
        ((1, Mood.GOOD, [Mood.FINE]), '[1,"good",[7]]'),
        ({"a": (), Mood.GOOD: {"b": Mood.FINE}}, '{"a":[],"good":{"b":7}}'),
        ({5}, "[5]"),
        (frozenset([5]), "[5]"),
    ],
)
def test_values_are_written_without_blanks_and_in_their_letters(
    library: Library, value: Any, text: str
) -> None:
    assert library.json.encode(value) == library.json.Encoder().encode(value) == text.encode()


@LIBRARIES
@pytest.mark.parametrize(
    ("fields", "text"),
    [
        ({}, '{"type":"sparse","text":""}'),
        ({"number": 0, "fraction": 1.0, "tags": []}, '{"type":"sparse","text":""}'),
        ({"sender": "ana", "number": 5}, '{"type":"sparse","text":"","number":5,"from":"ana"}'),
        ({"tags": ["x"]}, '{"type":"sparse","text":"","tags":["x"]}'),
        # Equal to the default, and written because it is of another type.
        ({"number": False}, '{"type":"sparse","text":"","number":false}'),
    ],
)
def test_a_class_may_leave_out_its_defaults(
    library: Library, fields: dict[str, Any], text: str
) -> None:
    made = make_types(library)
    assert library.json.encode(made.Sparse(text="", **fields)) == text.encode()
    assert library.json.encode([made.Point(1)]) == b'[{"x":1,"y":0}]'


@LIBRARIES
def test_each_of_several_values_is_a_line(library: Library) -> None:
    assert library.json.Encoder().encode_lines([1, {"a": "ñ"}]) == '1\n{"a":"ñ"}\n'.encode()
    assert library.json.Encoder().encode_lines([]) == b""


@LIBRARIES
def test_people_get_line_breaks(library: Library) -> None:
    text = library.json.format('{"a":["ñ",{}]}'.encode())
    assert text.decode() == '{\n  "a": [\n    "ñ",\n    {}\n  ]\n}'
    assert library.json.format(b"[1]", indent=1) == b"[\n 1\n]"
