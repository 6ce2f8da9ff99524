"""What counts as the activity of a user, and when everyone sees it."""

import pytest
from hub_chat import Chat

from tertulia.protocol.messages import Presence, SetStatus, Status
from tertulia.server.hub.session import Session

NOON = 5_000.0  # of the clock of the chat


@pytest.fixture
def chat() -> Chat:
    chat = Chat()
    chat.clock.s = NOON
    return chat


def last_event(chat: Chat) -> object:
    return chat.hub.events._events[-1]


def idle(chat: Chat) -> Session:
    """Return the session of a user who has chosen OCUPADO and is shown as idle."""
    ana = chat.join("ana")
    chat.hub.set_status(ana, SetStatus(status=Status.OCUPADO))
    chat.hub.idle(ana)
    assert ana.status is Status.INACTIVO
    chat.clock.s += 60.0
    return ana


def test_the_time_is_noted_and_returned(chat):
    ana = chat.join("ana")
    chat.clock.s += 60.0
    seq = chat.hub.events.last_seq
    assert chat.hub.activity.note(ana) == ana.last_active == NOON + 60.0
    assert chat.hub.events.last_seq == seq, "nothing has changed that others see"


def test_the_chosen_status_of_an_idle_user_is_shown_again(chat):
    ana = idle(chat)
    chat.hub.activity.note(ana)
    event = last_event(chat)
    assert isinstance(event, Presence)
    assert (event.name, event.status, event.by) == ("ana", Status.OCUPADO, "server")


def test_nothing_is_shown_of_a_user_who_has_gone(chat):
    ana = idle(chat)
    chat.hub.release(ana, "quit")
    seq = chat.hub.events.last_seq
    chat.hub.activity.note(ana)
    assert (ana.status, chat.hub.events.last_seq) == (Status.INACTIVO, seq)


def test_reading_counts_unless_the_client_catches_up_by_itself(chat):
    ana = idle(chat)
    ana.is_catching_up = True
    chat.hub.activity.note_reading(ana)
    assert (ana.status, ana.last_active) == (Status.INACTIVO, NOON)
    chat.hub.activity.note(ana)
    assert not ana.is_catching_up
    chat.clock.s += 1.0
    chat.hub.activity.note_reading(ana)
    assert ana.last_active == NOON + 61.0
