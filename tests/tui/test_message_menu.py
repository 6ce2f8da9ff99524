"""The menu of a message: what is offered for which message and to whom, and what is then done."""

from collections.abc import Callable
from typing import Any

import pytest

from tertulia.chat.face_commands import ShowSeen
from tertulia.protocol.moderation import PinMessage
from tertulia.tui.message_menu import MessageMenu
from tertulia.tui.model.timeline import Delivery, Said
from tertulia.tui.widgets.copying import CopyWanted

TIME = "2026-11-22T15:04:05.123Z"


def said(text: str = "hello", sender: str = "luis", **fields: Any) -> Said:
    return Said(TIME, sender, text, **fields)


class Screen:
    """A screen with a menu, which notes what the menu shows and does."""

    def __init__(self, *, is_operator: bool = False) -> None:
        self.is_operator = is_operator
        self.chat = self.state = self.log_view = self
        self.marks = 1
        self.opened: list[str] = []
        self.sent_again: list[Said] = []
        self.asked: list[Any] = []
        self.posted: list[Any] = []
        this: Any = self
        self.menu = MessageMenu(this, this, this, self.opened.append, self.sent_again.append)

    def push_screen(self, dialog: Any, answer: Callable[[str | None], None]) -> None:
        self.text, self.answer = dialog._text, answer
        self.offered = [row.key for row in dialog._rows]

    def ask(self, *request: Any) -> None:
        """As the model, and as the questions about who has seen a message."""
        self.asked.append(request[-1])

    def pop_marked(self) -> None:
        self.marks -= 1

    def post_message(self, message: Any) -> None:
        self.posted.append(message)

    def choose(self, entry: Said, key: str | None) -> None:
        this: Any = self
        self.menu.show(this, entry)
        self.answer(key)


FAILED = {"delivery": Delivery.FAILED}


@pytest.mark.parametrize(
    ("is_operator", "entry", "offered"),
    [
        (False, said(seq=3), ["copy", "write", "close"]),
        (False, said(seq=3, own=True), ["copy", "seen", "close"]),
        (False, said(own=True), ["copy", "close"]),
        (False, said(own=True, **FAILED), ["copy", "again", "close"]),
        (False, said(seq=3, hook=True), ["copy", "close"]),
        (True, said(seq=3), ["copy", "seen", "pin", "write", "close"]),
        (True, said(seq=3, own=True), ["copy", "seen", "pin", "close"]),
        (True, said(), ["copy", "write", "close"]),
    ],
)
def test_only_what_is_possible_with_a_message_is_offered(
    is_operator: bool, entry: Said, offered: list[str]
) -> None:
    screen = Screen(is_operator=is_operator)
    screen.choose(entry, None)
    assert screen.offered == offered
    assert (screen.asked, screen.posted, screen.opened, screen.sent_again) == ([], [], [], [])
    assert screen.marks == 1


def test_the_message_is_shown_in_one_short_and_harmless_line() -> None:
    screen = Screen()
    screen.choose(said("one\n two\x1b " + "x" * 60), None)
    assert screen.text == "luis: one two␛ " + "x" * 44 + "…"
    screen.choose(said("\u202e" * 60), None)
    assert screen.text == "luis: " + "<U+202E>" * 6 + "<U+20…"


def test_each_choice_does_its_action() -> None:
    screen = Screen(is_operator=True)
    entry = said("to be\ncopied", seq=3, **FAILED)
    screen.choose(entry, "copy")
    [copied] = screen.posted
    assert isinstance(copied, CopyWanted)
    assert copied.text == "to be\ncopied"
    screen.choose(entry, "write")
    assert screen.opened == ["luis"]
    screen.choose(entry, "again")
    assert screen.sent_again == [entry]
    screen.choose(entry, "close")
    assert (screen.asked, screen.marks) == ([], 1)


@pytest.mark.parametrize(
    ("key", "asked"), [("seen", ShowSeen(3)), ("pin", PinMessage(seq=3))], ids=["seen", "pin"]
)
def test_a_question_to_the_server_is_about_this_message_and_ends_the_mark(
    key: str, asked: object
) -> None:
    screen = Screen(is_operator=True)
    screen.choose(said(seq=3), key)
    assert (screen.asked, screen.marks) == ([asked], 0)


@pytest.mark.parametrize("key", ["seen", "pin"])
def test_nothing_is_asked_about_a_message_that_has_no_number(key: str) -> None:
    screen = Screen(is_operator=True)
    screen.choose(said(), key)
    assert (screen.asked, screen.marks) == ([], 1)
