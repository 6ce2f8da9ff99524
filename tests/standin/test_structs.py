"""The classes with fields of the stand-in: defaults, what is fixed, and what two have in common."""

import pytest

from tertulia.standin.structs import UNSET, Struct, UnsetType, asdict, field, fields, replace


class Point(Struct, frozen=True):
    x: int
    y: int = 0


class Place(Point, frozen=True):
    pass


class Named(Struct, kw_only=True):
    name: str = field(name="label")
    tags: list[str] = field(default_factory=list)
    note: str | UnsetType = UNSET


class Numbered(Named):
    number: int


def test_fields_without_a_default_are_needed_and_others_not_known() -> None:
    assert (Point(1), Point(1, y=2).y) == (Point(x=1, y=0), 2)
    for wrong in (Point, lambda: Point(1, 2, 3), lambda: Point(1, x=1), lambda: Point(1, z=1)):
        with pytest.raises(TypeError):
            wrong()
    with pytest.raises(TypeError):
        Named("ana")
    assert Numbered(5, name="a").number == 5


def test_a_default_list_is_made_for_each() -> None:
    one, other = Named(name="a"), Named(name="b")
    one.tags.append("x")
    assert (one.tags, other.tags) == (["x"], [])


def test_what_is_frozen_stays_and_can_be_a_key() -> None:
    assert {Point(1): "here"}[Point(1, 0)] == "here"
    with pytest.raises(AttributeError):
        Point(1).x = 2  # type: ignore[misc]
    named = Named(name="a")
    named.name = "b"
    assert named == Named(name="b")
    assert Place(1) != Point(1)
    with pytest.raises(TypeError):
        hash(named)
    with pytest.raises(AttributeError):
        del named.name


def test_a_copy_differs_only_in_what_was_said() -> None:
    assert replace(Point(1, 2), y=3) == Point(1, 3)
    assert asdict(Point(1, 2)) == {"x": 1, "y": 2}
    assert repr(Point(1)) == "Point(x=1, y=0)"


def test_what_was_declared_can_be_looked_at() -> None:
    named = {each.name: each for each in fields(Named)}
    assert [(each.name, each.encode_name) for each in fields(Named(name="a"))] == [
        ("name", "label"), ("tags", "tags"), ("note", "note"),
    ]  # fmt: skip
    assert [each.required for each in named.values()] == [True, False, False]
    assert named["note"].default is UNSET
    assert not UNSET
