"""When the bell rings, and what the terminal is given to show."""

from typing import Any

import pytest

from tertulia.chat.face_commands import Notify, SetNotify
from tertulia.i18n import set_language
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


def notifying(command: SetNotify | None = None, *, driver: bool = True) -> tuple[Notifier, Any]:
    app: Any = BellApp(Driver() if driver else None)
    notifier = Notifier(app)
    if command is not None:
        notifier.configure(command)
    return notifier, app


@pytest.mark.parametrize(
    ("notify", "calls", "rings"),
    [
        (None, True, True),
        (None, False, False),
        (Notify.MENTIONS, True, True),
        (Notify.MENTIONS, False, False),
        (Notify.ALL, True, True),
        (Notify.ALL, False, True),
        (Notify.OFF, True, False),
        (Notify.OFF, False, False),
    ],
)
@pytest.mark.parametrize("terminal", [False, True])
def test_the_bell_rings_for_what_was_configured(
    notify: Notify | None, calls: bool, rings: bool, terminal: bool
) -> None:
    notifier, app = notifying(None if notify is None else SetNotify(notify, terminal))
    notifier.notify(said("hola"), calls=calls)
    assert app.bells == rings
    assert bool(app._driver.written) == (rings and terminal and notify is not None)


def test_the_terminal_is_given_sender_and_text() -> None:
    notifier, app = notifying(SetNotify(Notify.MENTIONS, terminal=True))
    notifier.notify(
        DirectMessage(time=TIME, sender="José", to="ana", text="hola\nqué tal"), calls=True
    )
    assert app._driver.written == "\x1b]9;José: hola␊qué tal\x07"


@pytest.mark.parametrize(
    "hostile", ["\x07\x1b]0;x\x07", "\x9c\x9b31m", "\x1b\\", "\u202e", "\ud800"]
)
def test_no_message_ends_the_sequence_or_begins_another(hostile: str) -> None:
    notifier, app = notifying(SetNotify(Notify.ALL, terminal=True))
    notifier.notify(said(hostile, sender=hostile), calls=False)
    content = app._driver.written.removeprefix("\x1b]9;").removesuffix("\x07")
    assert len(content) == len(app._driver.written) - 5
    assert not set(content) & set(hostile) - set("]0;x31m\\")
    content.encode()


def test_of_a_long_message_the_terminal_gets_the_beginning() -> None:
    notifier, app = notifying(SetNotify(Notify.ALL, terminal=True))
    notifier.notify(said("x" * 10_000), calls=False)
    assert len(app._driver.written) == 200 + 5


def test_without_a_terminal_there_is_nothing_to_show_it_on() -> None:
    notifier, app = notifying(SetNotify(Notify.ALL, terminal=True), driver=False)
    notifier.notify(said("hola"), calls=False)
    assert app.bells == 1


def test_a_configuration_is_confirmed_in_words_and_replaces_the_one_before() -> None:
    notifier, app = notifying()
    commands = [
        SetNotify(Notify.OFF),
        SetNotify(Notify.ALL),
        SetNotify(Notify.MENTIONS, terminal=True),
        SetNotify(Notify.MENTIONS),
    ]
    english = [notifier.configure(command) for command in commands]
    assert english == [
        "The bell does not ring.",
        "The bell rings for every message.",
        "The bell rings for mentions and direct messages, and the terminal shows them.",
        "The bell rings for mentions and direct messages.",
    ]
    notifier.notify(said("hola"), calls=True)
    assert (app.bells, app._driver.written) == (1, "")
    set_language("es")
    spanish = [notifier.configure(command) for command in commands]
    assert len({*english, *spanish}) == 8
