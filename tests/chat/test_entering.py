"""The first registration: which name is tried, for how long, and what is final."""

from typing import Any

import pytest

from tertulia.chat import entering
from tertulia.chat.destination import Destination
from tertulia.chat.entering import MAX_FREE_NAMES, Entrance
from tertulia.client.errors import ConnectFailure, NoConnection, RegistrationRefused
from tertulia.protocol.messages import Error
from tertulia.protocol.names import parse_name

CLIENT = object()


class Door:
    """A server that a test plays, and the clock."""

    def __init__(self) -> None:
        self.now = 0.0
        self.asked: list[str] = []
        self.answers: list[Any] = []  # a code to refuse with, an exception, or a client

    def connect(self, to: Destination, *_others: Any, **_options: Any) -> Any:
        self.asked.append(to.name)
        assert len(self.asked) < 1_000, "it never gives up"
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, str):
            raise RegistrationRefused(Error(code=answer, message="", retry_after=7.0))
        if isinstance(answer, Exception):
            raise answer
        return answer

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        assert seconds > 0, "it tries again and again without a pause"
        self.now += seconds


@pytest.fixture
def door(monkeypatch: pytest.MonkeyPatch) -> Door:
    door = Door()
    monkeypatch.setattr(entering, "connect_face", door.connect)
    monkeypatch.setattr(entering, "time", door)
    return door


def entrance(name: str = "ci", **options: Any) -> Entrance:
    return Entrance(Destination(name, "h", 1), lambda: None, **options)


def test_without_options_the_first_refusal_is_final(door: Door) -> None:
    door.answers = ["name_taken"]
    with pytest.raises(RegistrationRefused):
        entrance().enter()
    assert (door.asked, door.now) == (["ci"], 0.0)


@pytest.mark.parametrize("code", ["name_taken", "address_taken", "server_full", "rate_limited"])
def test_what_others_have_is_waited_for(door: Door, code: str) -> None:
    door.answers = [code, code, CLIENT]
    assert entrance(wait_s=60.0).enter() == CLIENT
    assert door.asked == ["ci"] * 3
    assert (door.now == 14.0) if code == "rate_limited" else (0.5 <= door.now <= 1.5)


def test_the_wait_has_an_end(door: Door) -> None:
    door.answers = ["name_taken"]
    with pytest.raises(RegistrationRefused):
        entrance(wait_s=10.0).enter()
    assert door.now == pytest.approx(10.0)
    assert len(door.asked) > 10


@pytest.mark.parametrize("answer", ["name_invalid", NoConnection(ConnectFailure.REFUSED)])
def test_what_stays_wrong_is_not_waited_for(door: Door, answer: Any) -> None:
    door.answers = [answer]
    with pytest.raises((RegistrationRefused, NoConnection)):
        entrance(wait_s=60.0, takes_free_name=True).enter()
    assert (len(door.asked), door.now) == (1, 0.0)


def test_a_free_name_is_the_next_one_and_stays(door: Door) -> None:
    door.answers = ["name_taken", "name_held", CLIENT]
    way_in = entrance(takes_free_name=True)
    assert way_in.enter() == CLIENT
    assert door.asked == ["ci", "ci-2", "ci-3"]
    assert way_in.to.name == "ci-3"


def test_when_all_names_are_taken_the_first_refusal_counts(door: Door) -> None:
    name = "x" * 32
    door.answers = ["name_held", "name_taken"]
    way_in = entrance(name, takes_free_name=True)
    with pytest.raises(RegistrationRefused) as refused:
        way_in.enter()
    assert refused.value.code == "name_held"
    assert len(set(door.asked)) == MAX_FREE_NAMES
    assert all(parse_name(asked) is not None for asked in door.asked)
    assert way_in.to.name == name
