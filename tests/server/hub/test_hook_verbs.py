"""The requests about hooks: which names they may have, what operators see, and what is kept."""

import pytest
from hook_chat import HookChat
from hub_chat import Keeper, code
from msgspec import UNSET

from tertulia.protocol.hooks import CreateHook, ListHooks, RemoveHook
from tertulia.protocol.messages import CloseReason, Error
from tertulia.protocol.moderation import BecomeOperator
from tertulia.server.hub.hook_verbs import new_secret
from tertulia.server.hub.hooks import hash_of
from tertulia.server.hub.records import Hook, Removed
from tertulia.server.hub.wait import Wait


@pytest.fixture
def chat() -> HookChat:
    return HookChat()


@pytest.fixture
def kept() -> HookChat:
    """A chat with a keeper."""
    return HookChat(Keeper())


# --- creating ------------------------------------------------------------------------------------


def test_whoever_makes_a_hook_gets_its_secret_and_its_path(chat):
    created = chat.ask(CreateHook(id=3, name="build"))
    assert (created.id, created.name) == (3, "build")
    assert created.path == f"/hook/{created.secret}"
    assert len(created.secret) == 32
    assert chat.hub.notices.knows(created.secret)
    assert chat.ask(CreateHook(name="other")).secret != created.secret


def test_a_hook_and_a_user_never_have_one_name(chat):
    build = chat.join("build")
    refused = chat.ask(CreateHook(id=3, name="Build"))
    assert (refused.code, refused.id, refused.name) == ("name_taken", 3, "build")
    chat.hub.release(build, CloseReason.QUIT)
    chat.create_hook()
    assert code(chat.register("BUILD")) == "name_held"
    refused = chat.ask(CreateHook(id=4, name="Build"))
    assert (refused.code, refused.id, refused.name) == ("name_taken", 4, "Build")


@pytest.mark.parametrize("name", ["todos", "no name"])
def test_what_cannot_be_a_users_name_cannot_be_a_hooks(chat, name):
    assert code(chat.ask(CreateHook(name=name))) == "name_invalid"


def test_a_name_that_is_held_for_a_person_is_no_hooks():
    chat = HookChat(hold_names_days=30)
    ana = chat.join("ana", key="A" * 22)
    chat.hub.release(ana, CloseReason.QUIT)
    assert code(chat.ask(CreateHook(name="ana"))) == "name_held"


def test_there_are_at_most_a_thousand_hooks(chat):
    for number in range(999):
        chat.hub._room.hooks.create(Hook(key=str(number), name=f"h{number}", operator="", time=""))
    secret = chat.create_hook("last")
    refused = chat.ask(CreateHook(id=3, name="more"))
    assert (refused.code, refused.id) == ("busy", 3)
    assert chat.hub.notices.knows(secret)
    chat.ask(RemoveHook(name="h7"))
    assert chat.ask(CreateHook(name="more")).name == "more"


def test_a_hook_is_kept_with_the_hash_alone_and_the_answer_comes_after_that(kept):
    assert kept.ask(CreateHook(id=3, name="Build")) is Wait.FOR_DISK
    [([hook], receipt)] = kept.keeper.kept
    assert (receipt.owner, receipt.session_number) == (kept.owner, 99)
    assert (receipt.request_id, receipt.answer.id) == (3, 3)
    secret = receipt.answer.secret
    time = "2026-11-22T15:04:05.123Z"
    assert hook == Hook(key=hash_of(secret), name="Build", operator="server", time=time)


# --- removing ------------------------------------------------------------------------------------


def test_a_removed_hook_is_good_for_nothing_and_its_name_is_free(chat):
    secret = chat.create_hook()
    assert chat.ask(RemoveHook(id=4, name="BUILD")).id == 4
    assert not chat.hub.notices.knows(secret)
    assert code(chat.post(secret)) == "not_found"
    chat.join("build")


@pytest.mark.parametrize("name", ["build", "no name"])
def test_a_hook_that_does_not_exist_cannot_be_removed(chat, name):
    refused = chat.ask(RemoveHook(id=4, name=name))
    assert (refused.code, refused.id, refused.name) == ("not_found", 4, name)


def test_that_a_hook_was_removed_is_kept(kept):
    secret = kept.create_hook()
    assert kept.ask(RemoveHook(id=4, name="build")) is Wait.FOR_DISK
    changes, receipt = kept.keeper.kept[-1]
    assert changes == [Removed(Hook, hash_of(secret))]
    assert (receipt.owner, receipt.request_id, receipt.answer) == (kept.owner, 4, None)


# --- listing -------------------------------------------------------------------------------------


def test_the_list_has_names_and_uses_and_no_secrets(chat):
    secret = chat.create_hook()
    (row,) = chat.ask(ListHooks()).hooks
    assert (row.name, row.by, row.used) == ("build", "server", UNSET)
    assert row.time == "2026-11-22T15:04:05.123Z"
    chat.clock.s += 60
    chat.post(secret)
    answer = chat.ask(ListHooks(id=5))
    assert (answer.id, answer.hooks[0].used) == (5, "2026-11-22T15:05:05.123Z")
    assert secret not in repr(answer)
    assert hash_of(secret) not in repr(answer)


# --- all of them ---------------------------------------------------------------------------------


REQUESTS = [CreateHook(name="other"), RemoveHook(name="build"), ListHooks()]


@pytest.mark.parametrize("request_", REQUESTS, ids=["create", "remove", "list"])
def test_only_operators_have_to_do_with_hooks_and_are_active_by_that(chat, request_):
    chat.create_hook()
    luis = chat.join("luis")
    assert code(chat.ask(request_, luis)) == "not_operator"
    chat.hub.moderator.promote(luis, BecomeOperator(secret=""))
    chat.clock.s += 60
    assert code(chat.ask(request_, luis)) is None
    assert luis.last_active == chat.clock.s


@pytest.mark.parametrize("request_", REQUESTS[:2], ids=["create", "remove"])
def test_without_space_in_the_queue_nothing_is_changed_and_it_is_no_activity(kept, request_):
    secret = kept.create_hook()
    kept.keeper.room = 0
    kept.clock.s += 60
    assert kept.ask(request_) is Wait.FOR_SPACE
    assert kept.console.last_active < kept.clock.s
    assert [row.name for row in kept.ask(ListHooks()).hooks] == ["build"]
    assert kept.hub.notices.knows(secret)


@pytest.mark.parametrize(
    "request_",
    [CreateHook(name="no name"), RemoveHook(name="nobody")],
    ids=["create", "remove"],
)
def test_a_request_that_was_refused_or_has_to_wait_does_not_count_as_carried_out(kept, request_):
    carry_out = kept.hub.moderator.carry_out
    kept.create_hook()
    assert isinstance(carry_out(kept.console, request_, kept.owner), Error)
    kept.keeper.room = 0
    waiting = CreateHook(name="other") if isinstance(request_, CreateHook) else REQUESTS[1]
    assert carry_out(kept.console, waiting, kept.owner) is Wait.FOR_SPACE


def test_a_hook_is_made_with_the_secret_that_was_chosen_for_it(chat):
    secret, request = new_secret(), CreateHook(id=3, name="build")
    done = chat.hub.moderator.create_hook(chat.console, request, chat.owner, secret)
    assert done.answer.secret == secret.text
    assert chat.hub.notices.knows(secret.text)
