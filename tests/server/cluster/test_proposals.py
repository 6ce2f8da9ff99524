"""What a node proposes instead of doing it, and what it decides at once."""

from typing import Any

import pytest
from operated_nodes import Chat

from tertulia.protocol.attendance import MarkSeen
from tertulia.protocol.hooks import CreateHook, HookCreated, HookList, ListHooks, RemoveHook
from tertulia.protocol.messages import Error, ErrorCode, GetInfo, StoredMessage, UserList
from tertulia.protocol.moderation import (
    BanList,
    BecomeOperator,
    ImposeBan,
    Kick,
    ListBans,
    PinMessage,
)
from tertulia.server.cluster.commands import Command, Operate, Promote, unpack
from tertulia.server.cluster.letters import SeenThrough
from tertulia.server.cluster.proposals import ticket_for
from tertulia.server.cluster.proposer import Ticket
from tertulia.server.history.mail import Stored
from tertulia.server.hub.moderated import Moderated
from tertulia.server.hub.wait import Wait

OLD = StoredMessage(seq=1, time="2026-11-18T10:00:00.000Z", sender="eva", text="de antes")


@pytest.fixture
def chat() -> Chat:
    return Chat()


def code(outcome: Any) -> ErrorCode:
    assert isinstance(outcome, Error), outcome
    return outcome.code


def proposed(chat: Chat, node: str = "a") -> list[Command]:
    """Return the commands that a node has in the air."""
    batches = [unpack(data) for data in chat[node].air]
    return [command for batch in batches if batch is not None for command in batch.commands]


def test_a_ticket_is_for_a_connection_that_is_there(chat: Chat) -> None:
    owner: Any = chat.a.mail
    request = GetInfo(id=5, name="luis")
    ticket = ticket_for(chat.ana.route, request, lambda _route: owner)
    assert ticket == Ticket(owner, chat.ana.route.number, request, 5)
    assert ticket_for(chat.ana.route, request, lambda _route: None) is None


def test_a_nonce_is_forgotten_by_the_time_of_the_log(chat: Chat) -> None:
    def say() -> None:
        chat.a.say(chat.ana, nonce="n1")
        chat.settle()

    say()
    chat.a.clock.s += chat.a.config.nonce_keep_s
    say()
    assert chat.texts(chat.b) == ["hola"], "it was said twice"
    chat.a.give_life()
    chat.settle(after_ms=int(chat.a.config.nonce_keep_s * 1_000) + 1)
    say()
    assert chat.texts(chat.b) == ["hola", "hola"]


# --- operators -----------------------------------------------------------------------------------


def test_only_an_operators_session_may_ask_and_a_user_may_not(chat: Chat) -> None:
    assert code(chat.b.operate(chat.luis, Kick(name="ana", id=1))) is ErrorCode.NOT_OPERATOR


def test_what_only_reads_is_answered_at_once(chat: Chat) -> None:
    assert isinstance(chat.a.operate(chat.ana, ListBans()), BanList)
    assert isinstance(chat.a.operate(chat.ana, ListHooks()), HookList)
    fitting = chat.a.operate(chat.ana, ImposeBan(name="luis", check=True))
    assert isinstance(fitting, UserList)
    assert [user.name for user in fitting.users] == ["luis"]
    assert proposed(chat) == []


@pytest.mark.parametrize("request_", [ImposeBan(name="luis"), Kick(name="luis"), PinMessage()])
def test_what_changes_something_is_proposed(chat: Chat, request_: Any) -> None:
    assert chat.a.operate(chat.ana, request_) is Wait.FOR_ORDER
    assert proposed(chat) == [Operate(chat.ana.route.number, False, request_)]


def test_the_console_says_that_it_is_one(chat: Chat) -> None:
    mailbox: Any = chat.a.mail
    console = chat.a.hub.moderator.open_console(chat.a.switchboard.connect(mailbox))
    chat.a.operate(console, Kick(name="luis"))
    assert proposed(chat) == [Operate(console.route.number, True, Kick(name="luis"))]


def test_a_user_becomes_an_operator_when_that_has_come_back(chat: Chat) -> None:
    request = BecomeOperator(secret="secret", id=4)
    assert chat.b.hub.moderator.promote(chat.luis, request) is Wait.FOR_ORDER
    assert proposed(chat, "b") == [Promote(chat.luis.route.number)]
    assert not chat.luis.is_operator
    chat.settle()
    (answer,) = chat.b.mail.outcomes()
    assert answer.id == 4
    assert chat.luis.is_operator


def test_a_message_that_the_history_has_found_is_pinned_everywhere(chat: Chat) -> None:
    mailbox: Any = chat.a.mail
    request = PinMessage(seq=1, id=1)
    pin_found = chat.a.hub.moderator.pin_found
    assert code(pin_found(chat.ana, request, mailbox, None)) is ErrorCode.NOT_FOUND
    assert proposed(chat) == []
    assert pin_found(chat.ana, request, mailbox, OLD) is Wait.FOR_ORDER
    chat.settle()
    (outcome,) = chat.a.mail.outcomes()
    assert isinstance(outcome, Moderated)
    for node in (chat.a, chat.b):
        assert node.hub.room.moderation.pin is not None
        assert node.hub.room.moderation.pin.text == "de antes"


def test_a_message_that_is_not_here_is_looked_for_before_anything_is_proposed(chat: Chat) -> None:
    assert chat.a.operate(chat.ana, PinMessage(seq=999)) is Wait.FOR_MESSAGE
    assert proposed(chat) == []


def test_the_message_that_is_pinned_is_found_by_the_node_that_is_asked(chat: Chat) -> None:
    chat.b.say(chat.luis, "importante")
    chat.settle()
    seq = chat.a.events()[-1].seq
    fresh = chat.fresh("c")
    fresh.resume(chat.a.packed())
    outcome = chat.done(PinMessage(seq=seq, id=1))
    assert isinstance(outcome, Moderated)
    assert fresh.hub.room.moderation.pin is not None
    assert fresh.hub.room.moderation.pin.text == "importante"
    looks = fresh.operate(chat.ana, PinMessage(seq=seq, id=1))
    assert looks is Wait.FOR_MESSAGE, "in the histories of the others, too"


# --- hooks ---------------------------------------------------------------------------------------


def test_only_the_operator_gets_the_secret_of_a_hook(chat: Chat) -> None:
    assert chat.a.operate(chat.ana, CreateHook(name="backup", id=1)) is Wait.FOR_ORDER
    (data,) = chat.a.air
    chat.settle()
    created = chat.a.mail.outcomes()[0].answer
    assert isinstance(created, HookCreated)
    assert created.secret.encode() not in data
    assert created.path.endswith(created.secret)
    mailbox: Any = chat.b.mail
    assert chat.b.hub.notices.say(created.secret, "hecho", mailbox) is Wait.FOR_DISK
    (data,) = chat.b.air
    assert created.secret.encode() not in data
    chat.settle()
    (stored,) = chat.b.mail.collect()
    assert isinstance(stored, Stored)
    ((receipt, is_stored),) = stored.rows
    assert is_stored
    assert chat.a.events()[-1].seq == receipt.seq
    chat.check_alike()


def test_a_post_whose_hook_was_removed_meanwhile_is_not_said(chat: Chat) -> None:
    chat.a.operate(chat.ana, CreateHook(name="backup", id=1))
    chat.settle()
    secret = chat.a.mail.outcomes()[0].answer.secret
    chat.a.operate(chat.ana, RemoveHook(name="backup", id=2))
    chat.a.land()
    mailbox: Any = chat.b.mail
    assert chat.b.hub.notices.say(secret, "hecho", mailbox) is Wait.FOR_DISK
    chat.settle()
    ((_, is_stored),) = chat.b.mail.collect()[-1].rows
    assert not is_stored
    assert chat.texts(chat.a) == []
    chat.check_alike()


@pytest.mark.parametrize(
    ("text", "refusal"), [("", ErrorCode.TEXT_INVALID), ("hecho", ErrorCode.NOT_FOUND)]
)
def test_a_post_that_cannot_be_said_is_refused_at_once(
    chat: Chat, text: str, refusal: ErrorCode
) -> None:
    mailbox: Any = chat.a.mail
    assert code(chat.a.hub.notices.say("unknown", text, mailbox)) is refusal
    assert proposed(chat) == []


# --- what users have seen ------------------------------------------------------------------------


def test_the_other_nodes_are_told_what_a_user_has_seen_if_it_counts(chat: Chat) -> None:
    last = chat.a.hub.events.last_seq
    assert chat.a.hub.seen.note(chat.ana, MarkSeen(seq=last), 100.0)
    assert not chat.a.hub.seen.note(chat.ana, MarkSeen(seq=last), 200.0)
    assert chat.a.letters == [("", SeenThrough(chat.ana.route.number, last))]
