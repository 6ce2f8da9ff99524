"""What the plain face does when the connection is lost and made anew, tried without a network."""

import pytest
from plain_table import LOST, PROMPT, TIME, Clock, StubClient, Table, page, said

from tertulia.chat import chat
from tertulia.client.errors import (
    CertificateRefused,
    ConnectFailure,
    End,
    EndReason,
    NoConnection,
    RegistrationRefused,
)
from tertulia.plain.face import FIRST_PAGE, PIPE_WAITS_S
from tertulia.protocol.messages import (
    MAX_PAGE,
    Direct,
    Error,
    GetHistory,
    Joined,
    ListUsers,
    Ok,
    Say,
    SetStatus,
    Status,
)
from tertulia.tls.fingerprint import Fingerprint


def test_a_lost_connection_is_made_anew_and_what_was_missed_is_shown(table: Table) -> None:
    table.turn(said(11, "before"))
    table.lose()
    assert table.words[1:] == [
        "The connection to the server was lost.",
        "Reconnecting automatically…",
    ]
    assert not table.face.chat.over
    assert not table.face.chat.idle
    assert table.face.prompt() == "ana, no connection> "
    table.attempt(StubClient(20))
    assert table.words[3:] == ["Reconnected."]
    assert table.face.prompt() == PROMPT
    assert table.client.sent == [GetHistory(after=11, before=21, limit=MAX_PAGE)]
    table.turn(Joined(seq=21, time=TIME, name="ana", status=Status.ACTIVO), said(22, "live"))
    table.turn(page(1, said(12, "missed")))
    assert table.chat == ["luis: before", "luis: missed", "luis: live"]
    assert table.client.sent[1:] == [ListUsers()]


def test_what_waits_and_what_is_typed_meanwhile_is_said_once_afterwards(table: Table) -> None:
    for line in ("under way", "waits"):
        table.face.submit(line)
    table.turn()
    under_way = table.client.sent[-1]
    table.lose()
    table.face.submit("meanwhile")
    table.turn()
    table.attempt(StubClient(10))
    table.answer_what_is_missing()
    assert table.client.sent[-1] == under_way  # with its nonce, by which the server knows it
    table.turn(Ok(id=2))
    table.turn(Ok(id=3))
    table.turn(Ok(id=4))
    texts = [request.text for request in table.client.sent if isinstance(request, Say)]
    assert texts == ["under way", "waits", "meanwhile"]
    assert table.face.chat.idle


def test_what_was_heard_before_the_end_and_is_said_again_is_shown_once(table: Table) -> None:
    table.face.submit("hola")
    table.turn()
    nonce = table.client.sent[-1].nonce  # type: ignore[union-attr]
    table.turn(said(11, "hola", "ana", nonce=nonce))
    table.come_back(30)
    table.answer_what_is_missing()
    table.turn(said(31, "hola", "ana", nonce=nonce), Ok(id=3, seq=31))
    assert table.chat == ["ana: hola"]


def test_a_direct_message_under_way_is_sent_again_and_told_once_it_is_delivered(
    table: Table,
) -> None:
    table.face.submit("@luis psst")
    table.face.submit("@eva hey")
    table.turn()
    under_way = table.client.sent[-1]
    table.come_back()
    table.answer_what_is_missing()
    assert table.client.sent[-1] == under_way  # with its nonce, by which the server knows it
    assert table.chat == []
    table.turn(Ok(id=len(table.client.sent), time=TIME))
    assert table.chat == ["you to luis: psst"]
    assert isinstance(table.client.sent[-1], Direct)
    assert table.client.sent[-1].to == "eva"


def test_a_repeated_direct_message_to_somebody_who_is_gone_may_have_been_delivered(
    table: Table,
) -> None:
    table.face.submit("@luis psst")
    table.turn()
    table.come_back()
    table.answer_what_is_missing()
    gone = Error(id=len(table.client.sent), code="user_not_connected", message="", name="luis")
    table.turn(gone)
    assert "This may not have been delivered to luis: psst" in table.words


def test_an_ok_that_came_just_before_the_end_counts(table: Table) -> None:
    table.face.submit("@luis psst")
    table.turn()
    table.client.arrive(Ok(id=2))
    table.client.end = LOST
    table.face.chat.advance()  # the loop had found nothing to receive
    table.turn()
    assert "may not have been" not in table.stderr.getvalue()
    assert table.chat == ["you to luis: psst"]


def test_a_chosen_status_is_asked_for_again(table: Table) -> None:
    table.face.submit("/status busy")
    table.turn()
    table.turn(Ok(id=2))
    table.come_back()
    table.answer_what_is_missing()
    assert SetStatus(status="OCUPADO") in table.client.sent
    assert table.face.chat.idle
    assert table.face.prompt() == "ana, busy> "


def test_a_session_that_was_taken_over_has_its_status_still(table: Table) -> None:
    table.face.submit("/status busy")
    table.turn()
    table.turn(Ok(id=2))
    table.come_back(status=Status.OCUPADO)
    table.answer_what_is_missing()
    assert table.client.sent == [ListUsers()]


def test_a_status_under_way_is_not_shown_as_coming_but_asked_for_again(table: Table) -> None:
    table.face.submit("/status busy")
    table.turn()
    assert table.face.prompt() == "ana, asking for busy> "
    table.lose()
    assert table.face.prompt() == "ana, no connection> "
    table.attempt(StubClient())
    table.answer_what_is_missing()
    assert SetStatus(status="OCUPADO") in table.client.sent
    assert table.face.prompt() == "ana, busy> "


def test_a_refused_status_is_not_the_chosen_one(table: Table) -> None:
    table.face.submit("/status busy")
    table.turn()
    table.turn(Error(id=2, code="status_invalid", message="no"))
    table.come_back()
    table.answer_what_is_missing()
    assert table.client.sent == [ListUsers()]


def test_the_last_wish_for_a_status_wins(table: Table) -> None:
    table.face.submit("/status busy")
    table.turn()
    table.turn(Ok(id=2))
    table.lose()
    table.face.submit("/status away")
    table.attempt(StubClient())
    table.answer_what_is_missing()
    statuses = [request for request in table.client.sent if isinstance(request, SetStatus)]
    assert statuses[-1] == SetStatus(status="INACTIVO")
    assert table.face.prompt() == "ana, away> "


@pytest.mark.parametrize("epoch", ["another", "e"])
def test_another_numbering_is_a_chat_of_its_own(on_terminal: Table, epoch: str) -> None:
    on_terminal.turn(page(2, said(9, "old")))
    on_terminal.lose()
    on_terminal.attempt(StubClient(3, epoch=epoch))
    assert on_terminal.client.sent == [GetHistory(before=4, limit=FIRST_PAGE)]
    on_terminal.turn(said(4, "live"))
    on_terminal.turn(page(1, said(2, "theirs")))
    assert on_terminal.chat == ["luis: old", "luis: theirs", "luis: live"]
    hints = [line for line in on_terminal.words if line.startswith("/help shows")]
    assert len(hints) == 1


def test_a_pipe_gives_up_in_the_end_and_a_terminal_does_not(clock: Clock) -> None:
    for on_terminal in (False, True):
        table = Table(clock, on_terminal=on_terminal)
        table.greet()
        table.lose()
        lost_at = clock.now
        failures = 0
        while not table.face.chat.over and clock.now < lost_at + 3 * PIPE_WAITS_S:
            assert table.face.chat.wake_at is not None
            if not on_terminal and table.face.chat.wake_at == lost_at + PIPE_WAITS_S:
                clock.now = table.face.chat.wake_at
                table.turn()
            else:
                table.attempt(NoConnection(ConnectFailure.REFUSED))
                failures += 1
        assert failures >= 2
        assert table.face.chat.over is not on_terminal
        if not on_terminal:
            assert table.words[-1] == (
                "There has been no connection for 30 s. When the server is running again, "
                "use: tertulia ana h 5000"
            )
            assert table.face.finish() == chat.EXIT_LOST


def test_who_finds_the_name_taken_is_told_and_ends_with_4(table: Table) -> None:
    table.lose()
    table.attempt(RegistrationRefused(Error(code="name_taken", message="no")))
    assert table.words[-1].endswith("Try another name: tertulia ana2 h 5000")
    assert table.face.chat.over
    assert table.face.finish() == chat.EXIT_REFUSED


def test_who_finds_another_server_in_its_place_is_told_and_ends_with_4(table: Table) -> None:
    known, shown = Fingerprint(bytes(32)), Fingerprint(b"\xff" * 32)
    table.lose()
    table.attempt(CertificateRefused(known.hex, shown, "x"))
    text = "\n".join(table.words)
    assert f"    expected: {known.words}\n    shown: {shown.words}\n" in text
    assert table.face.chat.over
    assert table.face.finish() == chat.EXIT_REFUSED


def test_what_is_not_understood_ends_with_5_at_once(on_terminal: Table) -> None:
    on_terminal.lose(End(EndReason.GARBLED))
    assert on_terminal.face.chat.over
    assert on_terminal.face.finish() == chat.EXIT_LOST


def test_a_connection_lost_again_while_it_catches_up_is_no_matter(table: Table) -> None:
    table.turn(said(11, "one"))
    table.come_back(20)
    table.turn(said(21, "live, and kept back"))
    table.come_back(30)
    assert table.client.sent == [GetHistory(after=11, before=31, limit=MAX_PAGE)]
    table.answer_what_is_missing(said(15, "two"), said(21, "three"))
    assert table.chat == ["luis: one", "luis: two", "luis: three"]


def test_one_can_leave_while_there_is_no_connection(on_terminal: Table) -> None:
    on_terminal.lose()
    on_terminal.face.chat.quit()
    on_terminal.turn()
    assert on_terminal.face.chat.over
    assert on_terminal.face.finish() == chat.EXIT_FINE


def test_a_quit_that_waits_is_carried_out_when_the_connection_is_lost(on_terminal: Table) -> None:
    on_terminal.turn(page(2))
    on_terminal.face.submit("under way")
    on_terminal.face.chat.quit()
    on_terminal.turn()
    on_terminal.lose()
    on_terminal.turn()
    assert on_terminal.face.chat.over


def test_a_direct_message_under_way_is_told_though_somebody_leaves(table: Table) -> None:
    table.face.submit("@luis psst")
    table.face.chat.quit()
    table.turn()
    table.lose()
    assert table.face.chat.over
    table.face.finish()
    table.output.flush()
    assert "This may not have been delivered to luis: psst" in table.words


def test_leaving_while_an_attempt_is_under_way_closes_its_connection(table: Table) -> None:
    coming = StubClient()
    table.outcome = coming
    table.lose()
    assert table.face.chat.wake_at is not None
    table.clock.now = table.face.chat.wake_at
    table.face.chat.advance()
    assert table._rung.acquire(timeout=20)
    table.face.chat.close()
    assert coming.ended == End(EndReason.CLOSED)
