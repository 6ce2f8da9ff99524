"""The rows of the attendance, as the Hub hands them to the keeper."""

from hub_chat import Chat, Keeper

from tertulia.protocol.messages import CloseReason


def test_a_session_is_a_row_with_its_beginning_and_then_with_its_end():
    chat = Chat(keeper := Keeper())
    ana = chat.join("Ana", "10.0.0.7")
    chat.clock.s += 60
    chat.hub.release(ana, CloseReason.TIMEOUT)
    began, ended = keeper.visits
    assert (began.name, began.address, began.joined) == ("Ana", "10.0.0.7", ana.since)
    assert (began.ended, began.reason) == (None, None)
    assert (ended.key, ended.joined, ended.reason) == (began.key, ana.since, "timeout")
    assert ended.ended > ended.joined
    assert began.key == chat.events()[0].seq


def test_a_session_that_is_taken_over_ends_and_the_new_one_begins():
    chat = Chat(keeper := Keeper())
    old = chat.join("ana", "10.0.0.7")
    chat.join("ana", "10.0.0.8", token=old.token)
    assert [(row.address, row.reason) for row in keeper.visits] == [
        ("10.0.0.7", None),
        ("10.0.0.7", "replaced"),
        ("10.0.0.8", None),
    ]


def test_the_end_of_the_server_ends_sessions_too_and_refused_ones_leave_no_row():
    chat = Chat(keeper := Keeper())
    ana = chat.join("ana", "10.0.0.7")
    chat.register("ana", "10.0.0.8")
    chat.hub.release(ana, CloseReason.SHUTDOWN)
    assert [row.reason for row in keeper.visits] == [None, "shutdown"]
