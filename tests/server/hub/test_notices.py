"""What programs say through hooks: under which name, and what is kept of it before the answer."""

import pytest
from hook_chat import HookChat
from hub_chat import Keeper, code
from msgspec import UNSET

from tertulia.protocol.messages import ChatMessage, Ok
from tertulia.protocol.moderation import SetHush
from tertulia.server.hub.records import HookMessage
from tertulia.server.hub.wait import Wait


@pytest.fixture
def chat() -> HookChat:
    return HookChat()


@pytest.fixture
def kept() -> HookChat:
    """A chat with a keeper."""
    return HookChat(Keeper())


def test_a_hook_says_something_under_its_name_and_is_marked(chat):
    secret = chat.create_hook()
    assert chat.post(secret) == Ok(seq=1)
    assert chat.events() == [
        ChatMessage(
            seq=1, time="2026-11-22T15:04:05.123Z", sender="build", text="build ok", hook=True
        )
    ]


@pytest.mark.parametrize(
    ("text", "refusal"),
    [("\x1b[2J", "text_invalid"), (" ", "text_invalid"), ("x" * 16_385, "text_too_long")],
)
def test_a_text_that_breaks_the_rules_is_not_said(chat, text, refusal):
    assert code(chat.post(chat.create_hook(), text)) == refusal
    assert chat.events() == []


def test_a_secret_that_no_hook_has_says_nothing(chat):
    secret = chat.create_hook()
    assert chat.hub.notices.knows(secret)
    assert not chat.hub.notices.knows(secret + "x")
    assert code(chat.post(secret + "x")) == "not_found"
    assert chat.events() == []


def test_a_hush_does_not_hold_for_hooks(chat):
    secret = chat.create_hook()
    chat.ask(SetHush(on=True))
    assert chat.post(secret) == Ok(seq=2)


def test_without_a_keeper_no_changes_pile_up(chat):
    chat.post(chat.create_hook())
    assert chat.hub._room.changes == []


def test_a_message_and_its_mark_are_kept_and_the_answer_comes_after_that(kept):
    secret = kept.create_hook()
    assert kept.post(secret) is Wait.FOR_DISK
    [(message, receipt)] = kept.keeper.written
    assert (message.seq, message.sender, message.hook) == (5_001, "build", True)
    assert (receipt.owner, receipt.session_number, receipt.request_id) == (kept.owner, 0, UNSET)
    assert receipt.seq == 5_001
    assert kept.keeper.kept[-1] == ([HookMessage(key=5_001)], None)


def test_the_mark_of_a_message_is_kept_before_the_message(kept):
    secret = kept.create_hook()
    steps = []
    kept.keeper.keep = lambda changes, receipt=None: steps.extend(changes)
    kept.keeper.write = lambda message, receipt: steps.append(message)
    kept.post(secret)
    assert [type(step) for step in steps] == [HookMessage, ChatMessage]


def test_without_space_in_the_queue_nothing_is_said(kept):
    secret = kept.create_hook()
    kept.keeper.room = 0
    refused = kept.post(secret)
    assert (refused.code, refused.retry_after) == ("busy", 1.0)
    assert kept.events() == []
    assert kept.keeper.written == []


def test_a_wrong_secret_takes_no_space_in_the_queue(kept):
    kept.create_hook()
    space = kept.keeper.room
    assert code(kept.post("wrong")) == "not_found"
    assert kept.keeper.room == space


def test_a_hook_of_an_earlier_run_is_still_good(kept):
    secret = kept.create_hook()
    later = Keeper()
    later.rows = kept.keeper.kept[-1][0]
    again = HookChat(later)
    assert again.post(secret) is Wait.FOR_DISK
    assert code(again.register("build")) == "name_held"
