"""What is written to the terminal at the start, at the end and for a title."""

from typing import Any

import pytest
from textual.app import App
from textual.drivers.linux_driver import LinuxDriver
from textual.message import Message

from tertulia.tui.terminal import driver as driver_module
from tertulia.tui.terminal.abilities import Abilities
from tertulia.tui.terminal.answers import QUESTIONS
from tertulia.tui.terminal.background import LAST_QUESTION
from tertulia.tui.terminal.driver import ANSWERS_WITHIN_S, TerminalDriver, set_terminal_title
from tertulia.tui.terminal.parser import EverythingAnswered, TerminalParser

SAVED, RESTORED = "\x1b[22;2t", "\x1b[23;2t"
CONSOLE = Abilities(obeys_osc=False)


class Answered:
    """The event of the last answer; it notes how long it was waited for, and does not wait."""

    def __init__(self) -> None:
        self.is_set = True
        self.waits: list[float] = []

    def set(self) -> None:
        self.is_set = True

    def clear(self) -> None:
        self.is_set = False

    def wait(self, timeout_s: float) -> None:
        self.waits.append(timeout_s)


class Terminal:
    """A driver of which everything is noted that it lets Textual's do; the time stands still."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.done: list[str | Message] = []
        self.now = 100.0
        self.takes_over = True
        patch = monkeypatch.setattr
        patch(LinuxDriver, "__init__", lambda *_: None)
        patch(LinuxDriver, "write", lambda _driver, data: self.done.append(data))
        patch(LinuxDriver, "flush", lambda _driver: self.done.append("flush"))
        patch(LinuxDriver, "start_application_mode", lambda driver: self._start(driver))
        patch(LinuxDriver, "stop_application_mode", lambda _driver: self.done.append("stop"))
        patch(LinuxDriver, "process_message", lambda _driver, message: self.done.append(message))
        patch(driver_module.time, "monotonic", lambda: self.now)
        patch(TerminalDriver, "terminal", Abilities())
        self.app: Any = App()
        self.app.title = "tertulia"
        self.driver = self.app._driver = TerminalDriver(self.app)
        self.answered = Answered()
        patch(self.driver, "_answered", self.answered)

    def _start(self, driver: Any) -> None:
        self.done.append("start")
        driver._writer_thread = self if self.takes_over else None

    def take_done(self) -> list[str | Message]:
        done, self.done = self.done, []
        return done


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> Terminal:
    return Terminal(monkeypatch)


def shown(title: str) -> str:
    return f"\x1b]2;{title}\x07"


def test_the_terminal_is_asked_and_gets_the_title_and_gets_its_own_back(
    terminal: Terminal,
) -> None:
    terminal.driver.start_application_mode()
    assert terminal.take_done() == ["start", QUESTIONS + LAST_QUESTION, SAVED, shown("tertulia")]
    terminal.driver.stop_application_mode()
    assert terminal.take_done() == [shown(""), RESTORED, "flush", "stop"]


def test_the_console_gets_no_title_and_only_the_question_that_it_answers(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(TerminalDriver, "terminal", CONSOLE)
    terminal.driver.start_application_mode()
    terminal.driver.set_title("tertulia: General")
    terminal.driver.write("\x1b]9;a call\x07")
    terminal.driver.write("\x1b[1;1Hdrawn")
    terminal.driver.stop_application_mode()
    assert terminal.take_done() == ["start", LAST_QUESTION, "\x1b[1;1Hdrawn", "flush", "stop"]


def test_a_start_in_the_background_asks_nothing(terminal: Terminal) -> None:
    terminal.takes_over = False
    terminal.driver.start_application_mode()
    assert terminal.take_done() == ["start"]
    assert terminal.answered.is_set


def test_the_end_waits_for_the_answers_but_not_for_long(terminal: Terminal) -> None:
    terminal.driver.start_application_mode()
    assert not terminal.answered.is_set
    terminal.now += 0.125
    terminal.driver.stop_application_mode()
    terminal.now += ANSWERS_WITHIN_S
    terminal.driver.stop_application_mode()
    assert terminal.answered.waits == [ANSWERS_WITHIN_S - 0.125, 0.0]


def test_only_the_last_answer_ends_the_wait_and_other_messages_go_on(terminal: Terminal) -> None:
    terminal.driver.start_application_mode()
    terminal.take_done()
    other = Message()
    terminal.driver.process_message(other)
    assert not terminal.answered.is_set
    terminal.driver.process_message(EverythingAnswered())
    assert terminal.answered.is_set
    assert terminal.take_done() == [other]


def test_a_title_is_written_once_and_again_when_the_program_is_back(terminal: Terminal) -> None:
    set_terminal_title(terminal.app, "tertulia")
    set_terminal_title(terminal.app, "tertulia: luis")
    set_terminal_title(terminal.app, "tertulia: luis")
    assert terminal.take_done() == [shown("tertulia: luis")]
    terminal.driver.start_application_mode()
    assert terminal.take_done()[-1] == shown("tertulia: luis")


def test_without_a_terminal_a_title_is_written_nowhere(terminal: Terminal) -> None:
    terminal.app._driver = None
    set_terminal_title(terminal.app, "tertulia: luis")
    assert terminal.done == []


def test_nothing_in_a_title_ends_it_or_is_invisible(terminal: Terminal) -> None:
    terminal.driver.set_title("a\x07\x1b]52;c;aGk=\x1b\\\x9c\u202e\u200bñ田👩\u200d💻" + "z" * 1000)
    [title] = terminal.take_done()
    assert title == shown("a␇␛]52;c;aGk=␛\\<U+009C><U+202E><U+200B>ñ田👩\u200d💻" + "z" * 56)


def test_what_was_typed_ahead_is_for_the_parser(monkeypatch: pytest.MonkeyPatch) -> None:
    installed: list[Any] = []
    monkeypatch.setattr(
        driver_module.textual_private, "install", lambda *parts: installed.append(parts)
    )
    monkeypatch.setattr(TerminalDriver, "terminal", Abilities())
    monkeypatch.setattr(TerminalParser, "typed_ahead", "")
    driver_module.install(CONSOLE, "ho")
    assert (TerminalDriver.terminal, TerminalParser.typed_ahead) == (CONSOLE, "ho")
    assert installed[0][0] is TerminalParser
