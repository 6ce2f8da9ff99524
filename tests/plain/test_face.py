"""What the plain face does with each thing that comes, tried without a network."""

import pytest
from plain_table import Clock, Table, page, said, without_nonces

from tertulia.chat import settings
from tertulia.chat.exit_status import EXIT_NOT_ALL_SAID
from tertulia.chat.jobs import ANSWER_WITHIN_S
from tertulia.client.errors import RETRY_AFTER_S
from tertulia.client.inbox import Dropped
from tertulia.plain.face import FIRST_PAGE
from tertulia.protocol.messages import (
    MAX_PAGE,
    ChatMessage,
    DirectMessage,
    Error,
    Gap,
    GetHistory,
    ListUsers,
    Ok,
    Presence,
    Quit,
    Say,
    Search,
    SetStatus,
    Status,
    UserList,
)


def test_requests_are_sent_one_after_the_other(table: Table) -> None:
    for line in ("one", "two"):
        table.face.submit(line)
    table.turn()
    assert without_nonces(table.client.sent) == [ListUsers(), Say(text="one")]
    assert not table.face.chat.idle
    table.turn(Ok(id=2, seq=11))
    assert without_nonces(table.client.sent[2:]) == [Say(text="two")]
    table.turn(Ok(id=3, seq=12))
    assert table.face.chat.idle


@pytest.mark.parametrize("retry_after", [0.25, None])
def test_what_came_too_fast_is_said_again_after_the_wait(
    table: Table, clock: Clock, retry_after: float | None
) -> None:
    table.face.submit("hola")
    table.turn()
    wait = {} if retry_after is None else {"retry_after": retry_after}
    table.turn(Error(id=2, code="rate_limited", message="slow down", **wait))
    assert len(table.client.sent) == 2
    assert table.face.chat.wake_at == clock.now + 1.1 * (retry_after or RETRY_AFTER_S)
    clock.now = table.face.chat.wake_at
    table.turn()
    assert table.client.sent[2] == table.client.sent[1]  # with the same nonce
    table.turn(Ok(id=3, seq=11))
    assert table.face.chat.idle
    assert table.stderr.getvalue().count("\n") == 1  # the greeting


def test_what_is_never_answered_is_told_and_the_next_has_its_turn(
    table: Table, clock: Clock
) -> None:
    table.face.submit("/status busy")
    table.face.submit("hola")
    table.turn()
    assert table.face.prompt() == "ana, asking for busy> "
    clock.now += ANSWER_WITHIN_S
    table.turn()
    assert "The server did not answer." in table.stderr.getvalue()
    assert without_nonces(table.client.sent[1:]) == [
        SetStatus(status="OCUPADO"),
        Say(text="hola"),
    ]
    assert table.face.prompt() == "ana> "
    table.turn(Ok(id=2))  # too late
    assert table.face.prompt() == "ana> "


def test_a_refused_status_is_not_shown(table: Table) -> None:
    table.face.submit("/status busy")
    table.turn()
    table.turn(Error(id=2, code="status_invalid", message="no"))
    assert table.face.prompt() == "ana> "
    assert "refused the request: no (status_invalid)" in table.stderr.getvalue()


def test_an_own_direct_message_is_shown_once_delivered_with_the_registered_name(
    table: Table,
) -> None:
    table.face.submit("@josé psst")
    table.turn()
    assert table.stdout.getvalue() == ""
    table.turn(Ok(id=2))
    assert table.stdout.getvalue().endswith("] you to José: psst\n")


def test_a_note_to_oneself_is_shown_once(table: Table) -> None:
    table.face.submit("@ana remember")
    table.turn()
    note = DirectMessage(time="", sender="ana", to="ana", text="remember")
    table.turn(note, Ok(id=2))
    assert table.stdout.getvalue().count("remember") == 1


def test_dropped_messages_are_told(table: Table) -> None:
    table.turn(Dropped(2))
    assert "2 direct messages or answers were lost" in table.stderr.getvalue()


def test_after_quit_nothing_more_is_sent(table: Table) -> None:
    assert table.face.submit("/quit") == Quit()
    table.face.chat.quit()
    table.face.submit("too late")
    table.turn()
    assert table.face.chat.over
    assert table.client.sent == [ListUsers()]
    assert table.face.finish() == EXIT_NOT_ALL_SAID
    table.output.flush()
    assert table.words[1] == "Not sent: too late"


def test_completion_knows_who_is_here(table: Table) -> None:
    assert table.face.complete("@jo") == (0, ["@José "])


def test_on_a_terminal_the_last_messages_come_after_the_greeting_and_then_the_hints(
    on_terminal: Table,
) -> None:
    assert on_terminal.client.sent == [ListUsers(), GetHistory(before=11, limit=FIRST_PAGE)]
    on_terminal.turn(said(11, "live"))
    assert on_terminal.chat == []
    on_terminal.turn(page(2, said(8, "before"), said(9, "then")))
    assert on_terminal.chat == ["luis: before", "luis: then", "luis: live"]
    assert on_terminal.words[-1] == "/help shows all commands, and /quit leaves the chat."


def test_without_a_history_a_terminal_says_nothing_of_it(on_terminal: Table) -> None:
    on_terminal.turn(said(11, "live"), Error(id=2, code="history_off", message="no"))
    assert on_terminal.chat == ["luis: live"]
    assert len(on_terminal.words) == 4  # the greeting and three hints


def test_a_pipe_gets_no_messages_from_before(table: Table) -> None:
    assert table.client.sent == [ListUsers()]
    assert len(table.words) == 1


def test_a_gap_is_filled_before_what_came_after_it_without_a_word(table: Table) -> None:
    table.turn(Gap(after=10, through=20), said(21, "after"))
    assert table.chat == []
    assert table.client.sent[1:] == [GetHistory(after=10, before=21, limit=MAX_PAGE)]
    table.turn(page(2, said(12, "missed"), said(15, "too")))
    assert table.chat == ["luis: missed", "luis: too", "luis: after"]
    assert table.client.sent[2:] == [ListUsers()]
    assert len(table.words) == 1


@pytest.mark.parametrize("code", ["history_off", "unavailable"])
def test_a_gap_that_cannot_be_filled_is_told(table: Table, code: str) -> None:
    table.turn(Gap(after=10, through=20), said(21, "after"))
    table.turn(Error(id=2, code=code, message="no"))
    assert table.words[1:] == ["Some messages may be missing here."]
    assert table.chat == ["luis: after"]


@pytest.mark.parametrize(
    ("last_message", "words"), [(10, []), (11, ["Some messages are missing here."])]
)
def test_a_server_without_history_knows_whether_messages_are_missing(
    table: Table, last_message: int, words: list[str]
) -> None:
    table.turn(Gap(after=10, through=20), said(21, "after"))
    table.turn(Error(id=2, code="history_off", message="no", seq=last_message))
    assert table.words[1:] == words
    assert table.chat == ["luis: after"]


def test_an_error_to_a_page_that_is_not_needed_any_more_gives_nothing_up(
    on_terminal: Table,
) -> None:
    on_terminal.turn(Gap(after=10, through=20), said(21, "after"))
    on_terminal.turn(Error(id=2, code="unavailable", message="no"))
    on_terminal.turn(UserList(id=3, seq=20, users=[]))
    assert on_terminal.client.sent[-1] == GetHistory(after=10, before=21, limit=MAX_PAGE)
    number = len(on_terminal.client.sent)
    on_terminal.turn(page(number, said(12, "missed")))
    assert on_terminal.chat == ["luis: missed", "luis: after"]


def test_each_history_goes_further_back(table: Table) -> None:
    table.face.submit("/history 2")
    table.turn()
    assert table.client.sent[1:] == [GetHistory(before=11, limit=2)]
    table.turn(page(2, said(8, "eight"), said(9, "nine"), more=True))
    assert table.chat == ["luis: eight", "luis: nine"]
    assert table.words[1:] == ["There are older messages."]
    table.face.submit("/historial")
    table.turn()
    assert table.client.sent[2:] == [GetHistory(before=8, limit=20)]
    table.turn(page(3))
    assert table.words[2:] == ["No messages found."]


def test_a_search_shows_what_it_finds_and_moves_nothing(table: Table) -> None:
    table.face.submit("/buscar pan")
    table.turn()
    assert table.client.sent[1:] == [Search(text="pan")]
    table.turn(page(2, said(3, "pan y vino"), more=False))
    assert table.chat == ["luis: pan y vino"]
    table.face.submit("/history")
    table.turn()
    assert table.client.sent[2:] == [GetHistory(before=11, limit=20)]


# --- what rings, what is silent, and what is taken back ------------------------------------------


def direct(sender: str = "luis", to: str = "ana") -> DirectMessage:
    return DirectMessage(time="", sender=sender, to=to, text="psst")


class Ringing:
    """A stream that is a terminal, for the bell."""

    def __init__(self, table: Table) -> None:
        self._stderr = table.stderr
        table.stderr.isatty = lambda: True  # type: ignore[method-assign]
        table.stderr.fileno = lambda: -1  # type: ignore[method-assign]

    @property
    def bells(self) -> int:
        return self._stderr.getvalue().count("\a")


def entered(table: Table) -> Ringing:
    terminal = Ringing(table)
    table.turn(page(2, said(5, "ana was called before"), said(6, "@ana")))
    assert terminal.bells == 0
    return terminal


@pytest.mark.parametrize(
    ("message", "bells"),
    [
        (said(11, "hola"), 0),
        (said(11, "hola ANA!"), 1),
        (said(11, "ana is me", sender="ana"), 0),
        (direct(), 1),
        (direct(sender="ana"), 0),
    ],
)
def test_the_bell_rings_for_mentions_and_direct_messages_of_others(
    on_terminal: Table, message: ChatMessage | DirectMessage, bells: int
) -> None:
    terminal = entered(on_terminal)
    on_terminal.turn(message)
    assert terminal.bells == bells


def test_the_bell_rings_once_for_many_and_as_it_was_chosen(on_terminal: Table) -> None:
    terminal = entered(on_terminal)
    on_terminal.turn(*(said(11 + number, "ana!") for number in range(300)))
    assert terminal.bells == 1
    on_terminal.face.submit("/notify off")
    on_terminal.turn(direct())
    assert terminal.bells == 1


def test_a_pipe_gets_no_bell(table: Table) -> None:
    terminal = Ringing(table)
    table.turn(said(11, "ana!"), direct())
    assert terminal.bells == 0


def test_on_a_terminal_only_the_own_status_is_told_unless_others_are_asked_for(
    on_terminal: Table,
) -> None:
    entered(on_terminal)
    changes = [
        Presence(seq=seq, time="", name=name, status=Status.OCUPADO, by="user")
        for seq, name in ((11, "luis"), (12, "ana"))
    ]
    on_terminal.turn(*changes)
    assert on_terminal.chat[2:] == ["you are now busy (OCUPADO)"]


def test_what_was_said_before_is_marked_and_what_was_missed_is_not(on_terminal: Table) -> None:
    on_terminal.turn(page(2, said(9, "old")), Gap(after=10, through=20), said(21, "live"))
    on_terminal.turn(page(3, said(12, "missed")))
    on_terminal.face.submit("/search x")
    on_terminal.turn()
    on_terminal.turn(UserList(id=4, seq=20, users=[]))
    number = len(on_terminal.client.sent)
    assert on_terminal.client.sent[-1] == Search(text="x")
    on_terminal.turn(page(number, said(21, "live")))
    lines = on_terminal.stdout.getvalue().splitlines()
    assert [line.startswith("earlier: ") for line in lines] == [True, False, False, True]


def test_ctrl_c_takes_back_what_has_not_gone_out_and_nothing_else(on_terminal: Table) -> None:
    entered(on_terminal)
    on_terminal.face.submit("gone out")
    on_terminal.turn()
    for line in ("waits", "@luis psst", "/users"):
        on_terminal.face.submit(line)
    on_terminal.turn()
    on_terminal.face.take_back()
    on_terminal.turn()
    assert on_terminal.words[-2:] == [
        "Taken back, and not sent: waits", "Taken back, and not sent: psst",
    ]  # fmt: skip
    on_terminal.turn(Ok(id=3, seq=11))
    assert without_nonces(on_terminal.client.sent[2:]) == [Say(text="gone out"), ListUsers()]
    on_terminal.face.take_back()
    on_terminal.turn()
    assert on_terminal.words[-1] == "To leave, type /quit or press Ctrl+D."


def test_what_needs_an_escape_sequence_is_refused_and_not_saved(on_terminal: Table) -> None:
    entered(on_terminal)
    on_terminal.face.submit("/notify terminal")
    on_terminal.turn()
    assert on_terminal.words[-1].startswith("Only the full screen can ask")
    assert not settings.load().settings.notify_terminal
    on_terminal.face.submit("/plain on")
    on_terminal.turn()
    assert on_terminal.words[-1].startswith("From now on, tertulia starts line by line")
    assert settings.load().settings.plain


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("@jsoé hola", "Not delivered: nobody called “jsoé” is connected. Did you mean “José”?"),
        ("/info jose2", "Nobody called “jose2” is connected. Did you mean “José”?"),
        ("@eva hola", "Not delivered: nobody called “eva” is connected."),
    ],
)
def test_for_an_unknown_name_a_similar_one_is_suggested(
    table: Table, line: str, words: str
) -> None:
    table.face.submit(line)
    table.turn()
    name = line.split()[0].lstrip("@") if line.startswith("@") else line.split()[1]
    table.turn(Error(id=2, code="user_not_connected", message="no", name=name))
    assert table.words[-1] == words
