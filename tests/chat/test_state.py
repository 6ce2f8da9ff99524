"""What a client knows after what it was told, in whatever order the pieces came."""

from msgspec.structs import replace

from tertulia.chat.state import MAX_GONE, MAX_SPEAKERS, State
from tertulia.protocol.messages import (
    ChatMessage,
    Direct,
    DirectMessage,
    Gap,
    Joined,
    Left,
    Ok,
    Presence,
    Say,
    Status,
    User,
    UserList,
    Welcome,
)
from tertulia.protocol.moderation import Muted, Role

TIME = "2026-11-22T15:04:05.123Z"


def new_welcome(seq: int = 10) -> Welcome:
    return Welcome(
        name="ana", address="127.0.0.1", status=Status.ACTIVO, seq=seq, token="t", epoch="e",
        server="s", protocol=1, idle_after=120, max_text=16384,
    )  # fmt: skip


def new_state(seq: int = 10) -> State:
    return State(new_welcome(seq))


def users(seq: int, **statuses: str) -> UserList:
    rows = [User(name=name, status=Status(status)) for name, status in statuses.items()]
    return UserList(seq=seq, users=rows)


def joined(seq: int, name: str) -> Joined:
    return Joined(seq=seq, time=TIME, name=name, status=Status.ACTIVO)


def left(seq: int, name: str) -> Left:
    return Left(seq=seq, time=TIME, name=name, reason="quit")


def presence(seq: int, name: str, status: Status, by: str = "user") -> Presence:
    assert by in ("user", "server")
    return Presence(seq=seq, time=TIME, name=name, status=status, by="user")


def message(seq: int, sender: str, text: str = "hola") -> ChatMessage:
    return ChatMessage(seq=seq, time=TIME, sender=sender, text=text)


def direct(sender: str, to: str, text: str = "hola") -> DirectMessage:
    return DirectMessage(time=TIME, sender=sender, to=to, text=text)


def roster(state: State) -> dict[str, str]:
    return {user.name: str(user.status) for user in state.users}


def test_the_list_and_later_events_make_the_roster() -> None:
    state = new_state()
    assert state.needs_users
    state.apply(users(11, ana="ACTIVO", luis="OCUPADO"))
    state.apply(joined(12, "eva"))
    state.apply(presence(13, "luis", Status.INACTIVO))
    state.apply(left(14, "eva"))
    assert not state.needs_users
    assert roster(state) == {"ana": "ACTIVO", "luis": "INACTIVO"}


def test_an_event_that_the_list_knew_already_changes_nothing() -> None:
    state = new_state()
    state.apply(users(20, ana="ACTIVO", luis="ACTIVO"))
    state.apply(joined(15, "eva"))  # who had left again before 20
    state.apply(left(16, "luis"))  # who had come back before 20
    state.apply(presence(17, "ana", Status.OCUPADO))
    assert roster(state) == {"ana": "ACTIVO", "luis": "ACTIVO"}
    assert state.status is Status.ACTIVO


def test_an_event_that_overtook_the_list_is_not_undone_by_it() -> None:
    state = new_state()
    state.apply(joined(21, "eva"))
    state.apply(left(22, "luis"))
    state.apply(presence(23, "ana", Status.OCUPADO))
    state.apply(users(20, ana="ACTIVO", luis="ACTIVO"))
    assert roster(state) == {"ana": "OCUPADO", "eva": "ACTIVO"}
    assert state.status is Status.OCUPADO


def test_an_event_with_the_number_of_the_list_is_in_the_list() -> None:
    state = new_state()
    state.apply(presence(20, "luis", Status.OCUPADO))  # of a user whose rights are not known yet
    state.apply(left(20, "eva"))
    operator = User(name="luis", status=Status.OCUPADO, operator=True)
    eva = User(name="eva", status=Status.ACTIVO)
    state.apply(UserList(seq=20, users=[operator, eva]))
    assert state.users == [eva, operator]
    state.apply(left(20, "eva"))
    state.apply(joined(20, "zoe"))
    assert state.users == [eva, operator]


def test_a_user_who_came_back_is_present_although_the_list_is_older() -> None:
    state = new_state()
    state.apply(left(21, "luis"))
    state.apply(joined(22, "luis"))
    state.apply(users(20, ana="ACTIVO"))
    assert roster(state) == {"ana": "ACTIVO", "luis": "ACTIVO"}


def test_after_a_gap_a_list_made_later_is_needed() -> None:
    state = new_state()
    state.apply(users(11, ana="ACTIVO"))
    state.apply(Gap(after=11, through=500))
    assert state.needs_users
    state.apply(users(400, ana="ACTIVO"))
    assert state.needs_users
    state.apply(users(500, ana="ACTIVO", eva="ACTIVO"))
    assert not state.needs_users
    assert roster(state) == {"ana": "ACTIVO", "eva": "ACTIVO"}


def test_a_user_who_came_back_during_a_gap_is_in_the_list_that_was_made_after_it() -> None:
    state = new_state()
    state.apply(left(11, "luis"))
    state.apply(Gap(after=11, through=15))
    state.apply(users(15, ana="ACTIVO", luis="OCUPADO"))
    assert roster(state) == {"ana": "ACTIVO", "luis": "OCUPADO"}


def test_the_own_status_is_the_servers_and_what_was_asked_for_stands_beside_it() -> None:
    state = new_state()
    state.ask_status(Status.OCUPADO)
    assert (state.status, state.asked_status) == (Status.ACTIVO, Status.OCUPADO)
    state.apply(presence(11, "ana", Status.INACTIVO))  # by the server, meanwhile
    assert (state.status, state.asked_status) == (Status.INACTIVO, Status.OCUPADO)
    state.apply(presence(12, "ana", Status.OCUPADO))
    assert (state.status, state.asked_status) == (Status.OCUPADO, None)


def test_ok_confirms_a_status_and_an_error_leaves_it() -> None:
    state = new_state()
    state.ask_status(Status.OCUPADO)
    state.answer_status(granted=False)
    assert (state.status, state.asked_status) == (Status.ACTIVO, None)
    state.ask_status(Status.OCUPADO)
    state.answer_status(granted=True)
    assert (state.status, state.asked_status) == (Status.OCUPADO, None)


def test_what_was_said_and_heard_is_counted() -> None:
    state = new_state()
    state.apply(message(11, "luis"))
    state.apply(direct("luis", "ana", "secret"))
    told = state.note_delivery(Direct(to="eva", text="psst"), TIME)
    assert (told.sender, told.to, told.text, told.time) == ("ana", "eva", "psst", TIME)
    assert (state.said, state.heard) == (1, 2)


def test_the_newest_own_message_stays_when_the_event_of_an_older_one_comes_later() -> None:
    state = new_state()
    state.note_said(Say(text="the second"), Ok(seq=12))
    state.apply(message(11, "ana", "the first"))
    assert state.own_message == (12, "the second")


def test_a_note_to_oneself_is_counted_once() -> None:
    state = new_state()
    state.apply(direct("ana", "ana", "remember"))
    state.note_delivery(Direct(to="ana", text="remember"), TIME)
    assert (state.said, state.heard) == (1, 0)


def test_who_spoke_last_is_offered_first_and_who_is_gone_is_not() -> None:
    state = new_state()
    state.apply(users(11, ana="ACTIVO", bea="ACTIVO", eva="ACTIVO", luis="ACTIVO", zoe="ACTIVO"))
    for seq, name in enumerate(["luis", "zoe", "eva", "luis"], 12):
        state.apply(message(seq, name))
    state.apply(left(20, "eva"))
    assert state.names() == ["luis", "zoe", "bea"]


def test_a_spelling_finds_the_registered_name() -> None:
    state = new_state()
    state.apply(users(11, ana="ACTIVO", José="ACTIVO"))
    assert state.registered_name("JOSÉ") == "José"
    assert state.registered_name("nobody") == "nobody"


def test_the_status_of_a_user_is_known_as_long_as_that_one_is_here() -> None:
    state = new_state()
    assert state.status_of("ana") is Status.ACTIVO
    assert state.status_of("luis") is None
    state.apply(users(11, ana="ACTIVO", luis="OCUPADO"))
    assert state.status_of("luis") is Status.OCUPADO
    state.apply(presence(12, "luis", Status.INACTIVO))
    assert state.status_of("luis") is Status.INACTIVO
    assert state.status_of("LUIS") is None  # `registered_name` is for spellings
    state.apply(left(13, "luis"))
    assert state.status_of("luis") is None
    state.resume(replace(new_welcome(), status=Status.OCUPADO), is_renumbered=False)
    assert state.status_of("ana") is Status.OCUPADO


def test_everything_that_grows_has_a_bound() -> None:
    state = new_state()
    for seq in range(11, 11 + 4 * MAX_GONE, 3):
        name = f"u{seq}"
        state.apply(joined(seq, name))
        state.apply(message(seq + 1, name))
        state.apply(left(seq + 2, name))
        state.apply(direct(name, "ana"))
    state.apply(users(10, ana="ACTIVO"))
    assert len(state._gone) <= MAX_GONE
    assert len(state._speakers) <= MAX_SPEAKERS
    assert roster(state) == {"ana": "ACTIVO"}


def test_a_new_connection_begins_with_a_new_list_and_keeps_the_count() -> None:
    state = new_state()
    state.apply(users(10, ana="ACTIVO", luis="ACTIVO"))
    for event in (message(11, "luis"), left(12, "eva"), left(13, "zoe")):
        state.apply(event)
    state.ask_status(Status.OCUPADO)
    state.resume(replace(new_welcome(seq=3), status=Status.INACTIVO), is_renumbered=True)
    assert roster(state) == {"ana": "INACTIVO"}
    assert (state.status, state.asked_status) == (Status.INACTIVO, None)
    assert state.needs_users
    assert state.heard == 1
    state.apply(joined(4, "eva"))  # smaller numbers than before the loss
    state.apply(users(4, ana="ACTIVO", eva="ACTIVO", zoe="ACTIVO"))
    assert not state.needs_users
    assert roster(state) == {"ana": "ACTIVO", "eva": "ACTIVO", "zoe": "ACTIVO"}


def test_a_refused_list_is_not_needed_until_there_is_another_connection() -> None:
    state = new_state()
    state.refuse_users()
    assert not state.needs_users
    state.apply(Gap(after=10, through=20))
    assert not state.needs_users
    state.resume(new_welcome(), is_renumbered=False)
    assert state.needs_users


def test_what_was_said_under_another_numbering_is_counted_too() -> None:
    state = new_state()
    state.resume(new_welcome(seq=3), is_renumbered=True)
    state.apply(message(4, "ana"))
    state.apply(message(5, "luis"))
    assert (state.said, state.heard) == (1, 1)


def test_what_was_said_before_entering_is_not_counted() -> None:
    state = new_state()
    state.apply(message(9, "luis"))
    state.apply(message(10, "ana"))
    assert (state.said, state.heard) == (0, 0)
    assert state.names() == []


def test_an_operator_of_whom_nothing_else_is_known_is_not_among_the_users() -> None:
    state = new_state()
    state.apply(Role(seq=11, time=TIME, name="eva", operator=True))
    assert state.names() == []
    state.apply(joined(12, "luis"))
    for name in ("luis", "ana"):
        state.apply(Role(seq=13, time=TIME, name=name, operator=True))
    assert [(user.name, user.operator) for user in state.users] == [("ana", True), ("luis", True)]
    assert state.is_operator


def test_a_mute_is_known_until_the_numbers_change() -> None:
    state = new_state()
    state.apply(Muted(seq=11, time=TIME, name="luis", by="eva"))
    state.resume(new_welcome(seq=12), is_renumbered=False)
    assert state.is_muted("luis")
    state.resume(new_welcome(seq=3), is_renumbered=True)
    assert not state.is_muted("luis")


def test_the_list_of_users_says_who_is_muted() -> None:
    state = new_state()
    muted = User(name="luis", status=Status.ACTIVO, muted=True)
    state.apply(UserList(seq=11, users=[User(name="ana", status=Status.ACTIVO), muted]))
    assert [user.name for user in state.users if user.muted] == ["luis"]


def test_a_message_of_a_hook_with_the_same_name_is_not_the_users_own() -> None:
    state = new_state()
    state.apply(replace(message(11, "ana"), hook=True))
    assert state.own_message is None
    state.apply(message(12, "ana"))
    assert state.own_message is not None
    assert state.own_message.seq == 12


def test_the_newest_message_is_the_one_with_the_largest_number() -> None:
    state = new_state()
    for seq in (12, 9):
        state.apply(message(seq, "luis"))
    assert state.newest_message == 12
