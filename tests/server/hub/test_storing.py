"""What becomes of the Room's changes, with a keeper and without one."""

from typing import Any

import pytest
from hub_chat import Chat, Keeper

from tertulia.protocol.hooks import HookCreated
from tertulia.protocol.messages import UNSET, Ok
from tertulia.protocol.moderation import SetHush
from tertulia.server.hub.records import Hook
from tertulia.server.hub.session import Receipt
from tertulia.server.hub.storing import Storing
from tertulia.server.hub.wait import Wait

HOOK = Hook(key="a-hash", name="build", operator="ana", time="2026-11-22T15:04:05.123Z")
CREATED = HookCreated(id=3, name="build", secret="a-secret", path="/hook/a-secret")


class Desk:
    """A room with one change, and the session of an operator."""

    def __init__(self, keeper: Keeper | None = None) -> None:
        chat = Chat(keeper)
        self.ana, self.owner, self.room = chat.join("ana"), chat.owner, chat.hub._room
        self.storing = Storing(self.room, keeper)
        self.room.hooks.create(HOOK)

    def store(self, request_id: Any = 3, answer: HookCreated | None = None) -> Any:
        request = SetHush(id=request_id, on=True)
        return self.storing.store_request(self.ana, request, self.owner, answer)


@pytest.fixture
def keeper() -> Keeper:
    return Keeper()


def test_without_a_keeper_there_is_always_space_and_the_changes_are_dropped():
    desk = Desk()
    assert not desk.storing.has_keeper
    assert desk.storing.reserve_space()
    desk.storing.store_changes()
    assert desk.room.changes == []


def test_without_a_keeper_a_request_is_answered_at_once():
    desk = Desk()
    assert desk.store() == Ok(id=3)
    assert desk.room.changes == []
    assert desk.store(UNSET) is None
    assert desk.store(answer=CREATED) == CREATED


def test_changes_for_which_nobody_waits_are_stored_without_a_receipt(keeper):
    desk = Desk(keeper)
    assert desk.storing.has_keeper
    desk.storing.store_changes()
    desk.storing.store_changes()
    assert keeper.kept == [([HOOK], None)]


def test_a_request_is_answered_once_it_is_stored(keeper):
    desk = Desk(keeper)
    assert desk.store(answer=CREATED) is Wait.FOR_DISK
    receipt = Receipt(desk.owner, desk.ana.route.number, 3, answer=CREATED)
    assert keeper.kept == [([HOOK], receipt)]
    assert desk.room.changes == []


def test_the_keeper_knows_whether_there_is_space(keeper):
    desk = Desk(keeper)
    keeper.room = 1
    assert desk.storing.reserve_space()
    assert not desk.storing.reserve_space()
