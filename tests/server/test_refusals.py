"""Refusals: the code and the fields that a program needs, and the words for a person."""

import pytest
from msgspec import UNSET

from tertulia.protocol.attendance import AskSeenBy
from tertulia.protocol.hooks import CreateHook, RemoveHook
from tertulia.protocol.messages import (
    Direct,
    DirectMessage,
    Error,
    ErrorCode,
    GetHistory,
    GetInfo,
    Register,
    Say,
    SetStatus,
)
from tertulia.protocol.moderation import ImposeBan, Kick, LiftBan, LiftMute, ReleaseName
from tertulia.server import refusals

ANA = Register(id=1, name="ana")


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("-x", "a name has 1 to 32 letters, digits, '_', '-' or '.', and begins with a letter"),
        ("server", "this word cannot be a name: the chat needs it for itself"),
    ],
)
def test_a_name_that_the_chat_needs_is_told_apart_from_one_with_wrong_signs(
    name: str, words: str
) -> None:
    for request in (Register(id=1, name=name), CreateHook(id=1, name=name)):
        refusal = refusals.name_invalid(request)
        assert (refusal.id, refusal.code) == (1, ErrorCode.NAME_INVALID)
        assert refusal.message.startswith(words)


@pytest.mark.parametrize(
    ("code", "name", "words"),
    [
        (
            ErrorCode.NAME_TAKEN, "Ana",
            "a user 'Ana' is already connected: choose another name",
        ),
        (ErrorCode.NAME_HELD, UNSET, "this name is kept for another person: choose another name"),
        (
            ErrorCode.ADDRESS_TAKEN, UNSET,
            "a user from 10.0.0.7 is already connected (--shared-addresses allows several)",
        ),
        (ErrorCode.SERVER_FULL, UNSET, "the server is full: try again later"),
    ],
)  # fmt: skip
def test_a_newcomer_learns_what_is_in_the_way(code: ErrorCode, name: str, words: str) -> None:
    refusal = refusals.registration(ANA, code, "10.0.0.7", "Ana")
    assert refusal == Error(id=1, code=code, message=words, name=name)


@pytest.mark.parametrize(
    ("until", "text", "wait_s", "words"),
    [
        (None, None, None, "you are banned from this chat"),
        (None, "noise", None, "you are banned from this chat: noise"),
        ("12:00", None, 1.23456, "you are banned from this chat until 12:00"),
        ("12:00", "noise", 1.23456, "you are banned from this chat until 12:00: noise"),
    ],
)
def test_a_banned_user_learns_until_when_and_why(
    until: str | None, text: str | None, wait_s: float | None, words: str
) -> None:
    refusal = refusals.banned(1, until, text, wait_s)
    assert (refusal.id, refusal.code, refusal.message) == (1, ErrorCode.BANNED, words)
    assert refusal.text == (UNSET if text is None else text)
    assert refusal.retry_after == (UNSET if wait_s is None else 1.235)


@pytest.mark.parametrize(
    ("until", "wait_s", "words"),
    [
        (None, None, "an operator has muted you: you can still read, and send direct messages"),
        (
            "12:00", 1.23456,
            "an operator has muted you until 12:00: you can still read, and send direct messages",
        ),
    ],
)  # fmt: skip
def test_a_muted_user_learns_until_when(
    until: str | None, wait_s: float | None, words: str
) -> None:
    refusal = refusals.muted(1, until, wait_s)
    assert (refusal.id, refusal.code, refusal.message) == (1, ErrorCode.MUTED, words)
    assert refusal.retry_after == (UNSET if wait_s is None else 1.235)


def test_a_program_gets_the_wait_in_milliseconds_and_a_person_as_short_as_it_is_useful() -> None:
    guesses = refusals.guessed_too_often(1, 12.34567)
    requests = refusals.rate_limited(2, 0.04567)
    free = refusals.too_much_free(0.04567)
    assert [each.retry_after for each in (guesses, requests, free)] == [12.346, 0.046, 0.046]
    assert {each.code for each in (guesses, requests, free)} == {ErrorCode.RATE_LIMITED}
    assert guesses.message.endswith("try again in 12 s")
    assert requests.message.endswith("try again in 0.046 s")


@pytest.mark.parametrize(
    ("problem", "words"),
    [
        (ErrorCode.TEXT_INVALID, "a text needs at least one visible character"),
        (ErrorCode.TEXT_TOO_LONG, "a text can have at most 16384 bytes"),
    ],
)
def test_a_text_is_refused_for_its_own_fault(problem: ErrorCode, words: str) -> None:
    for refusal in (
        refusals.text_refused(Say(id=1, text=""), problem),
        refusals.notice_refused(problem),
    ):
        assert refusal.code == problem
        assert refusal.message.startswith(words)


@pytest.mark.parametrize(
    ("problem", "words"),
    [
        (ErrorCode.TEXT_INVALID, "a reason needs at least one visible character"),
        (ErrorCode.TEXT_TOO_LONG, "a reason can have at most 200 characters"),
    ],
)
def test_a_reason_is_refused_for_its_own_fault(problem: ErrorCode, words: str) -> None:
    refusal = refusals.reason_refused(Kick(id=1, name="luis"), problem, 200)
    assert (refusal.id, refusal.code) == (1, problem)
    assert refusal.message.startswith(words)


def test_an_unknown_status_is_refused_with_the_known_ones() -> None:
    refusal = refusals.status_invalid(SetStatus(id=1, status="HAPPY"))
    assert refusal.message == "the status must be one of ACTIVO, OCUPADO, INACTIVO"


def test_of_a_long_name_only_the_beginning_is_in_the_words() -> None:
    name = "ñ" * 100
    for refusal, shown in (
        (refusals.not_connected(GetInfo(id=1, name=name), name), f"no user '{'ñ' * 64}' is"),
        (refusals.busy(Direct(id=1, to=name, text="")), f"'{'ñ' * 64}' has too many"),
        (refusals.not_muted(LiftMute(id=1, name=name)), "'" + "\\xf1" * 64 + "' is not muted"),
        (refusals.not_held(ReleaseName(id=1, name=name)), "name '" + "\\xf1" * 64 + "' is not"),
        (refusals.no_hook(RemoveHook(id=1, name=name)), "no hook '" + "\\xf1" * 64 + "': "),
    ):
        assert shown in refusal.message
        assert (refusal.id, refusal.name) == (1, name)


def test_a_busy_receiver_can_be_tried_again_after_a_second() -> None:
    assert refusals.busy(Direct(id=1, to="luis", text="")).retry_after == 1.0
    assert refusals.notices_busy().retry_after == 1.0


def test_a_message_that_comes_back_is_recognised_by_its_nonce() -> None:
    message = DirectMessage(time="", sender="ana", to="luis", text="psst", nonce="n")
    refusal = refusals.undelivered(1, message)
    assert (refusal.id, refusal.name, refusal.nonce) == (1, "luis", "n")


@pytest.mark.parametrize(("last", "seq"), [(None, UNSET), (0, 0), (7, 7)])
def test_without_a_history_the_last_message_is_named_if_it_is_known(
    last: int | None, seq: int
) -> None:
    assert refusals.history_off(GetHistory(id=1), last).seq == seq


@pytest.mark.parametrize(
    ("seq", "words"), [(7, "the message was sent to everyone but not stored"), (UNSET, "done, but")]
)
def test_what_was_done_and_not_stored_is_named(seq: int, words: str) -> None:
    refusal = refusals.not_stored(1, seq)
    assert (refusal.code, refusal.seq) == (ErrorCode.UNAVAILABLE, seq)
    assert refusal.message.startswith(words)


def test_an_operator_within_the_network_to_ban_learns_which_address_is_in_it() -> None:
    by_name = refusals.bans_oneself(ImposeBan(id=1, name="ana"), "10.0.0.7")
    by_address = refusals.bans_oneself(ImposeBan(id=1, address="10.0.0.0/8"), "10.0.0.7")
    assert by_name.message == "you would ban yourself"
    assert by_address.message.startswith("you would ban yourself, because you come from 10.0.0.7:")


@pytest.mark.parametrize(
    ("network", "words"),
    [
        (None, '\'10.0.0.7\' is not banned: {"type":"bans"} lists the bans'),
        ("10.0.0.0/8", "10.0.0.7 is banned as part of 10.0.0.0/8: lift that ban"),
    ],
)
def test_a_ban_that_is_not_there_may_be_part_of_another_one(
    network: str | None, words: str
) -> None:
    refusal = refusals.not_banned(LiftBan(id=1, address="10.0.0.7"), "10.0.0.7", network)
    assert (refusal.code, refusal.message) == (ErrorCode.NOT_FOUND, words)


def test_what_is_no_address_is_shown_without_signs_that_control_a_terminal() -> None:
    text = "\x1b[2ñ" + "x" * 100
    refusal = refusals.address_invalid(ImposeBan(id=1, address=text), text)
    assert refusal.message.startswith("'\\x1b[2\\xf1" + "x" * 60 + "' is neither an IP address")
    ban = refusals.not_banned(LiftBan(id=1, address=text), text)
    assert ban.message.startswith("'\\x1b[2\\xf1" + "x" * 60 + "' is not banned")


def test_a_message_that_is_not_there_is_named() -> None:
    assert refusals.no_message(AskSeenBy(id=1, seq=7)).message == "there is no message with seq 7"
