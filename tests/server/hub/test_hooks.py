"""Hooks: who may have which name, what comes through them, and what is kept."""

import pytest
from hub_chat import Chat, Keeper, code

from tertulia.protocol.hooks import CreateHook, ListHooks, RemoveHook
from tertulia.protocol.messages import ChatMessage, CloseReason
from tertulia.protocol.moderation import BecomeOperator, SetHush
from tertulia.server.hub.hooks import Hooks, hash_of
from tertulia.server.hub.records import Hook, HookMessage, Removed
from tertulia.server.hub.session import Route
from tertulia.server.hub.wait import Wait


@pytest.fixture
def chat():
    return Chat()


def console(chat):
    return chat.hub.moderator.open_console(Route("", 99))


def ask(chat, request):
    outcome = chat.hub.moderator.carry_out(console(chat), request, chat.owner)
    return getattr(outcome, "answer", outcome)


def secret_of(chat, name="build"):
    created = ask(chat, CreateHook(id=3, name=name))
    assert (created.id, created.name) == (3, name)
    assert created.path == f"/hook/{created.secret}"
    assert len(created.secret) >= 22
    return created.secret


def post(chat, secret, text="build ok"):
    return chat.hub.notices.say(secret, text, chat.owner)


def test_a_hook_says_something_under_its_name_and_is_marked(chat):
    secret = secret_of(chat)
    said = post(chat, secret)
    (message,) = chat.events()
    assert isinstance(message, ChatMessage)
    assert (message.seq, message.sender, message.text, message.hook) == (
        *(said.seq, "build", "build ok", True),
    )
    assert code(post(chat, secret + "x")) == "not_found"
    assert code(post(chat, secret, "\x1b[2J")) == "text_invalid"
    assert code(post(chat, secret, " ")) == "text_invalid"
    assert code(post(chat, secret, "x" * 16_385)) == "text_too_long"


def test_the_list_has_names_and_uses_and_no_secrets(chat):
    secret = secret_of(chat)
    (row,) = ask(chat, ListHooks()).hooks
    assert (row.name, row.by, row.used or None) == ("build", "server", None)
    assert row.time
    chat.clock.s += 60
    post(chat, secret)
    answer = ask(chat, ListHooks())
    assert answer.hooks[0].used > row.time
    assert secret not in repr(answer)
    assert hash_of(secret) not in repr(answer)


def test_a_removed_hook_is_good_for_nothing_and_its_name_is_free(chat):
    secret = secret_of(chat)
    assert chat.hub.notices.knows(secret)
    assert ask(chat, RemoveHook(id=4, name="BUILD")).id == 4
    assert not chat.hub.notices.knows(secret)
    assert code(post(chat, secret)) == "not_found"
    assert code(ask(chat, RemoveHook(name="build"))) == "not_found"
    chat.join("build")


def test_a_hook_and_a_user_never_have_one_name(chat):
    build = chat.join("build")
    assert code(ask(chat, CreateHook(name="Build"))) == "name_taken"
    chat.hub.release(build, CloseReason.QUIT)
    secret_of(chat)
    assert code(chat.register("BUILD")) == "name_held"
    assert code(ask(chat, CreateHook(name="Build"))) == "name_taken"
    assert code(ask(chat, CreateHook(name="todos"))) == "name_invalid"
    assert code(ask(chat, CreateHook(name="no name"))) == "name_invalid"


def test_a_name_that_is_held_for_a_person_is_no_hooks():
    chat = Chat(hold_names_days=30)
    ana = chat.join("ana", key="A" * 22)
    chat.hub.release(ana, CloseReason.QUIT)
    assert code(ask(chat, CreateHook(name="ana"))) == "name_held"


def test_only_operators_have_to_do_with_hooks_and_a_hush_does_not_hold_for_them(chat):
    secret = secret_of(chat)
    luis = chat.join("luis")
    for request in (CreateHook(name="x"), ListHooks(), RemoveHook(name="build")):
        assert code(chat.hub.moderator.carry_out(luis, request, chat.owner)) == "not_operator"
    chat.hub.moderator.promote(luis, BecomeOperator(secret=""))
    ask(chat, SetHush(on=True))
    assert post(chat, secret).seq


def test_hooks_and_their_marks_are_kept_and_the_answer_comes_after_that():
    chat = Chat(keeper := Keeper())
    assert ask(chat, CreateHook(id=3, name="build")) is Wait.FOR_DISK
    ((hook,), receipt) = keeper.kept[-1]
    assert isinstance(hook, Hook)
    assert receipt.request_id == 3
    secret = receipt.answer.secret
    assert (hook.key, hook.name, hook.operator) == (hash_of(secret), "build", "server")
    assert secret not in repr(keeper.kept[-1][0])
    assert post(chat, secret) is Wait.FOR_DISK
    ((mark,), none) = keeper.kept[-1]
    ((message, stored),) = keeper.written
    assert (mark, none) == (HookMessage(key=message.seq), None)
    assert stored.seq == message.seq
    again = Chat(later := Keeper())
    later.rows = [hook]
    again = Chat(later)
    assert post(again, secret) is Wait.FOR_DISK
    assert code(again.register("build")) == "name_held"
    ask(again, RemoveHook(name="build"))
    assert later.kept[-1][0] == [Removed(Hook, hook.key)]


def test_without_room_in_the_queue_nothing_is_said_or_made():
    chat = Chat(keeper := Keeper())
    ask(chat, CreateHook(id=3, name="build"))
    secret = keeper.kept[-1][1].answer.secret
    keeper.room = 0
    before = chat.hub.events.last_seq
    assert code(post(chat, secret)) == "busy"
    assert ask(chat, CreateHook(name="other")) is Wait.FOR_SPACE
    assert chat.hub.events.last_seq == before


def test_the_mark_of_a_message_is_kept_before_the_message():
    chat = Chat(keeper := Keeper())
    ask(chat, CreateHook(id=3, name="build"))
    secret = keeper.kept[-1][1].answer.secret
    steps = []
    keeper.keep = lambda changes, receipt=None: steps.extend(changes)
    keeper.write = lambda message, receipt: steps.append(message)
    post(chat, secret)
    assert [type(step) for step in steps] == [HookMessage, ChatMessage]


def test_of_a_removed_hook_nothing_is_left():
    hooks = Hooks([])
    hook = Hook(key="hash", name="build", operator="ana", time="")
    hooks.create(hook)
    hooks.note_message(hook, 7, "2026-11-22T15:04:05.123Z")
    hooks.remove(hook)
    assert (len(hooks), hooks.by_name, hooks.last_used) == (0, {}, {})
