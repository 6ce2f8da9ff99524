"""When the bell rings, and what the terminal is given to show."""

from typing import Any

import pytest

from tertulia.chat.bursts import QUIET_S
from tertulia.chat.choices import Choices
from tertulia.chat.settings import Settings
from tertulia.protocol.messages import ChatMessage, DirectMessage
from tertulia.tui.notifier import Notifier

TIME = "2026-11-22T15:04:05.123Z"


class Driver:
    def __init__(self) -> None:
        self.written = ""

    def write(self, data: str) -> None:
        self.written += data


class BellApp:
    """As much of an app as a notifier uses."""

    def __init__(self, driver: Driver | None) -> None:
        self._driver = driver
        self.bells = 0

    def bell(self) -> None:
        self.bells += 1


def said(text: str, sender: str = "luis") -> ChatMessage:
    return ChatMessage(seq=1, time=TIME, sender=sender, text=text)


def notifying(*, driver: bool = True, **chosen: Any) -> tuple[Notifier, Any]:
    app: Any = BellApp(Driver() if driver else None)
    return Notifier(app, Choices(Settings(**chosen))), app


@pytest.mark.parametrize(
    ("notify", "calls", "rings"),
    [
        ("mentions", True, True),
        ("mentions", False, False),
        ("all", True, True),
        ("all", False, True),
        ("off", True, False),
        ("off", False, False),
    ],
)
@pytest.mark.parametrize("terminal", [False, True])
def test_the_bell_rings_for_what_was_chosen(
    notify: str, calls: bool, rings: bool, terminal: bool
) -> None:
    notifier, app = notifying(notify=notify, notify_terminal=terminal)
    notifier.notify(said("hola"), 0.0, calls=calls)
    assert app.bells == rings
    assert bool(app._driver.written) == (rings and terminal)


def test_the_bell_rings_once_for_a_burst() -> None:
    notifier, app = notifying(notify_terminal=True)
    for _ in range(300):
        notifier.notify(said("ana!"), 0.0, calls=True)
    notifier.notify(said("ana?"), QUIET_S, calls=True)
    assert app.bells == 2
    assert app._driver.written.count("\x1b]9;") == 2


def test_the_terminal_is_given_sender_and_text() -> None:
    notifier, app = notifying(notify_terminal=True)
    message = DirectMessage(time=TIME, sender="José", to="ana", text="hola\nqué tal")
    notifier.notify(message, 0.0, calls=True)
    assert app._driver.written == "\x1b]9;José: hola␊qué tal\x07"


@pytest.mark.parametrize(
    "hostile", ["\x07\x1b]0;x\x07", "\x9c\x9b31m", "\x1b\\", "\u202e", "\ud800"]
)
def test_no_message_ends_the_sequence_or_begins_another(hostile: str) -> None:
    notifier, app = notifying(notify="all", notify_terminal=True)
    notifier.notify(said(hostile, sender=hostile), 0.0, calls=False)
    content = app._driver.written.removeprefix("\x1b]9;").removesuffix("\x07")
    assert len(content) == len(app._driver.written) - 5
    assert not set(content) & set(hostile) - set("]0;x31m\\")
    content.encode()


def test_of_a_long_message_the_terminal_gets_the_beginning() -> None:
    notifier, app = notifying(notify="all", notify_terminal=True)
    notifier.notify(said("x" * 10_000), 0.0, calls=False)
    assert len(app._driver.written) == 200 + 5


def test_without_a_terminal_there_is_nothing_to_show_it_on() -> None:
    notifier, app = notifying(notify="all", notify_terminal=True, driver=False)
    notifier.notify(said("hola"), 0.0, calls=False)
    assert app.bells == 1
