"""What commands do on every node, wherever they come from."""

from typing import Any

import pytest
from cluster_bench import BenchNode
from operated_nodes import Chat

from tertulia.protocol.messages import (
    CloseReason,
    Error,
    ErrorCode,
    GetInfo,
    Ok,
    Presence,
    SetStatus,
    Status,
)
from tertulia.protocol.moderation import (
    ImposeBan,
    ImposeMute,
    Kick,
    ListBans,
    SetHush,
)
from tertulia.server.cluster.commands import SayText, pack
from tertulia.server.hub.hub import Registered
from tertulia.server.hub.moderated import Moderated
from tertulia.server.hub.room import Conflict
from tertulia.server.hub.session import Session
from tertulia.server.workers.mail import Evict, Expel


@pytest.fixture
def chat() -> Chat:
    return Chat()


def code(outcome: Any) -> ErrorCode:
    assert isinstance(outcome, Error), outcome
    return outcome.code


# --- coming in -----------------------------------------------------------------------------------


def test_one_of_two_who_want_the_same_name_at_once_gets_it(chat: Chat) -> None:
    for node, address in ((chat.a, "10.0.0.8"), (chat.b, "10.0.0.9")):
        node.register("eva", address)
    chat.settle()
    (first,), (second,) = chat.a.mail.outcomes(), chat.b.mail.outcomes()
    assert isinstance(first, Registered)
    assert code(second) is ErrorCode.NAME_TAKEN
    chat.check_alike()


def test_an_address_is_one_users_over_all_nodes(chat: Chat) -> None:
    chat.b.register("eva", "10.0.0.1")
    chat.settle()
    assert code(chat.b.mail.outcomes()[0]) is ErrorCode.ADDRESS_TAKEN
    chat.b.register("eva", "10.0.0.1", may_challenge=True)
    chat.settle()
    (conflict,) = chat.b.mail.outcomes()
    assert isinstance(conflict, Conflict)
    assert conflict.obstacle.route.node == "a"
    chat.check_alike()


def test_a_token_takes_a_session_of_another_node_over(chat: Chat) -> None:
    chat.b.register("eva", "10.0.0.9")
    chat.settle()
    token = chat.b.mail.outcomes()[0].welcome.token
    number = chat.b.find("eva").route.number
    chat.a.register("eva", "10.0.0.10", token=token)
    chat.settle()
    (outcome,) = chat.a.mail.outcomes()
    assert isinstance(outcome, Registered)
    assert outcome.welcome.token not in ("", token)
    assert [mail for mail in chat.b.mail.collect() if isinstance(mail, Evict)] == [Evict(number)]
    assert chat.b.find("eva").route.node == "a"
    chat.check_alike()
    hub = chat.b.hub
    assert hub.release(chat.b.find("luis"), "quit") == []  # type: ignore[arg-type]
    chat.settle()
    assert chat.a.users() == ["ana", "eva"], "the end of the old session does not end the new one"


def test_what_is_in_the_log_opens_no_session(chat: Chat) -> None:
    """Whoever can read the log finds no token there, and none of its hashes is one."""
    chat.b.register("eva", "10.0.0.9")
    (data,) = chat.b.air
    chat.settle()
    token = chat.b.mail.outcomes()[0].welcome.token
    assert token.encode() not in data
    chat.a.register("eva", "10.0.0.10", token=chat.a.find("eva").token)
    chat.settle()
    assert code(chat.a.mail.outcomes()[0]) is ErrorCode.NAME_TAKEN


# --- talking -------------------------------------------------------------------------------------


def test_a_nonce_said_again_on_another_node_is_the_same_message(chat: Chat) -> None:
    chat.b.register("eva", "10.0.0.9")
    chat.settle()
    token = chat.b.mail.outcomes()[0].welcome.token
    chat.b.say(chat.b.find("eva"), "hola", nonce="n1", id=1)
    chat.settle()
    (first,) = chat.b.mail.outcomes()
    chat.a.register("eva", "10.0.0.9", token=token)
    chat.settle()
    chat.a.mail.collect()
    chat.a.say(chat.a.find("eva"), "hola", nonce="n1", id=2)
    chat.settle()
    assert chat.a.mail.outcomes() == [Ok(id=2, seq=first.seq)]
    assert chat.texts(chat.a) == ["hola"]
    chat.check_alike()


def test_a_hush_holds_from_its_place_on(chat: Chat) -> None:
    chat.b.say(chat.luis, "antes", id=1)
    chat.b.land()
    chat.a.operate(chat.ana, SetHush(on=True))
    chat.a.land()
    chat.b.say(chat.luis, "después", id=2)  # proposed before the hush is known here
    chat.settle()
    first, second = chat.b.mail.outcomes()
    assert isinstance(first, Ok)
    assert code(second) is ErrorCode.HUSHED
    assert chat.texts(chat.a) == chat.texts(chat.b) == ["antes"]
    chat.check_alike()


def test_what_another_node_does_not_know_yet_is_carried_out_in_its_place(chat: Chat) -> None:
    chat.a.say(chat.ana, "uno")
    chat.a.land()
    chat.b.say(chat.luis, "dos")
    chat.b.land()
    chat.a.say(chat.ana, "tres")
    chat.settle()
    assert chat.texts(chat.a) == chat.texts(chat.b) == ["uno", "dos", "tres"]


def test_a_message_of_a_session_that_has_ended_is_nobodys(chat: Chat) -> None:
    chat.a.operate(chat.ana, Kick(name="luis"))
    chat.a.land()
    chat.b.say(chat.luis, "¿sigo aquí?", id=1)
    chat.settle()
    assert chat.b.mail.outcomes() == [None]
    assert chat.texts(chat.a) == []
    chat.check_alike()


def test_a_fault_of_our_own_costs_one_command_on_all_nodes_alike(
    chat: Chat, monkeypatch: pytest.MonkeyPatch
) -> None:
    for node in chat.nodes.values():
        room = node.hub.room
        say = room.say

        def fail(session: Session, text: str, *more: Any, say: Any = say) -> Any:
            if text == "mala":
                raise ZeroDivisionError
            return say(session, text, *more)

        monkeypatch.setattr(room, "say", fail)
    for text in ("uno", "mala", "dos"):
        chat.b.say(chat.luis, text, id=1)
    chat.settle()
    ok, lost, other = chat.b.mail.outcomes()
    assert isinstance(ok, Ok)
    assert isinstance(other, Ok)
    assert lost is None
    assert chat.texts(chat.a) == ["uno", "dos"]


# --- keeping order -------------------------------------------------------------------------------


def test_an_operator_kicks_and_bans_users_of_another_node(chat: Chat) -> None:
    number = chat.luis.route.number
    outcome = chat.done(Kick(name="Luis", reason="ruido", id=1))
    assert isinstance(outcome, Moderated)
    (expelled,) = [mail for mail in chat.b.mail.collect() if isinstance(mail, Expel)]
    assert (expelled.session_number, expelled.last_message.by) == (number, "ana")
    chat.done(ImposeBan(name="luis", minutes=5.0, id=2))
    chat.b.register("luis", "10.0.0.9")
    chat.b.register("otro", "10.0.0.2")
    chat.b.pass_time(1.0)
    chat.b.give_life()  # it knows now what was decided before they came
    chat.settle()
    assert [code(one) for one in chat.b.mail.outcomes()] == [ErrorCode.BANNED] * 2
    chat.check_alike()


def test_a_ban_is_over_by_the_time_of_the_log(chat: Chat) -> None:
    chat.done(ImposeBan(name="luis", minutes=0.05))
    answer = chat.a.operate(chat.ana, ListBans(id=3))
    assert len(answer.bans) == 1
    chat.a.give_life()
    chat.settle(after_ms=2_999)
    assert len(chat.a.operate(chat.ana, ListBans(id=3)).bans) == 1
    chat.a.give_life()
    chat.settle(after_ms=1)
    assert chat.a.operate(chat.ana, ListBans(id=3)).bans == []
    chat.b.join("luis", "10.0.0.2")
    chat.settle()
    chat.check_alike()


def test_the_console_of_a_node_keeps_order_for_all(chat: Chat) -> None:
    mailbox: Any = chat.b.mail
    console = chat.b.hub.moderator.open_console(chat.b.switchboard.connect(mailbox))
    outcome = chat.done(ImposeMute(name="ana", id=1), console, "b")
    assert isinstance(outcome, Moderated)
    assert outcome.answer == Ok(id=1)
    muted = chat.a.events()[-1]
    assert (type(muted).__name__, muted.by) == ("Muted", "server")
    chat.a.say(chat.ana, "hola", id=2)
    chat.settle()
    assert code(chat.a.mail.outcomes()[0]) is ErrorCode.MUTED


# --- own presence --------------------------------------------------------------------------------


def test_a_session_for_messages_alone_gets_its_own_status_from_its_own_node_only(
    chat: Chat,
) -> None:
    bot = chat.b.join("bot", events="messages")
    chat.settle()
    assert chat.a.find("bot").own_presence is None
    chat.b.mail.collect()
    chat.b.hub.set_status(bot, SetStatus(status="OCUPADO"))
    chat.settle()
    chat.b.clock.s += 120.0
    chat.b.hub.idle(bot)
    chat.settle()
    rows = [row for mail in chat.b.mail.collect() for row in mail.rows]
    assert [row.request for row in rows] == [SetStatus(status="OCUPADO"), None]
    assert bot.own_presence is not None
    assert [one.status for one in bot.own_presence] == ["OCUPADO", "INACTIVO"]
    chat.check_alike()


def test_an_idle_user_who_reads_is_active_for_all(chat: Chat) -> None:
    chat.b.clock.s += 120.0
    chat.b.hub.idle(chat.luis)
    chat.settle()
    assert chat.a.find("luis").status == "INACTIVO"
    chat.b.hub.note_reading(chat.luis)
    chat.settle()
    assert chat.a.find("luis").status == "ACTIVO"
    chat.check_alike()


def test_a_command_of_an_earlier_run_of_this_node_finds_nobody_waiting(chat: Chat) -> None:
    again = BenchNode("b", chat.log)
    incarnation = chat.b.proposer.incarnation
    newcomer = chat.b.hub.room.registry.find("luis")
    assert newcomer is not None
    again.follow()
    chat.log.put(pack("b", incarnation, 99, [SayText(1, "tarde")]))
    again.settle()
    assert again.mail.mails == []
    assert again.users() == ["ana", "luis"]


# --- idle users ----------------------------------------------------------------------------------


def test_a_user_who_does_something_while_going_idle_is_shown_active_again(chat: Chat) -> None:
    chat.b.clock.s += 120.0
    chat.b.hub.idle(chat.luis)
    chat.b.clock.s += 1.0
    chat.b.hub.note_reading(chat.luis)
    chat.settle()
    assert [one.status for one in chat.a.events() if isinstance(one, Presence)] == [
        Status.INACTIVO,
        Status.ACTIVO,
    ]


def test_only_the_node_of_a_user_who_goes_idle_says_that_this_is_outdated(chat: Chat) -> None:
    chat.b.clock.s += 120.0  # by the clock of the other node, luis has just come
    before = chat.a.proposer.commands
    chat.b.hub.idle(chat.luis)
    chat.settle()
    assert chat.a.find("luis").status is Status.INACTIVO
    assert chat.a.proposer.commands == before


def test_a_node_that_is_not_up_again_says_nothing_of_what_is_outdated(chat: Chat) -> None:
    chat.a.proposer.give_up_incarnation()
    chat.a.hub.apply_idle(chat.ana)
    assert chat.a.proposer.queued == 0


@pytest.mark.parametrize(("idle", "shown_s"), [({}, 0.0), ({"idle": 30.0}, 30.0)])
def test_a_user_who_comes_from_another_node_is_not_idle_for_what_was_not_heard_here(
    chat: Chat, idle: dict[str, float], shown_s: float
) -> None:
    for node in (chat.a, chat.b):
        node.clock.s += 100.0
    token = chat.b.tokens[chat.luis.route.number]
    luis = chat.a.join("luis", "10.0.0.2", token=token, **idle)
    assert chat.a.clock.s - luis.last_active == shown_s


def test_what_was_heard_here_of_a_user_from_another_node_counts_if_it_is_later(chat: Chat) -> None:
    token = chat.b.tokens[chat.luis.route.number]
    chat.a.clock.s += 100.0
    chat.b.say(chat.luis, "hola")
    chat.settle()
    luis = chat.a.join("luis", "10.0.0.2", token=token, idle=50.0)
    assert chat.a.clock.s == luis.last_active


def test_a_user_who_takes_over_a_session_of_the_same_node_stays_as_idle_as_before(
    chat: Chat,
) -> None:
    chat.b.clock.s += 100.0
    luis = chat.b.join("luis", "10.0.0.2", token=chat.b.tokens[chat.luis.route.number])
    assert chat.b.clock.s - luis.last_active == 100.0


def test_a_user_who_came_back_idle_is_active_from_the_first_request_on() -> None:
    chat = Chat(idle_after_s=60.0)
    eva = chat.b.join("eva", idle=100.0)
    chat.b.hub.note_reading(eva)  # by itself, the client reads what was missed
    chat.settle()
    assert chat.a.find("eva").status == "INACTIVO"
    chat.b.hub.info(eva, GetInfo(name="luis"))
    chat.b.clock.s += 30.0
    chat.b.hub.note_reading(eva)
    assert eva.last_active == chat.b.clock.s
    chat.settle()
    assert chat.a.find("eva").status == "ACTIVO"


def test_users_of_a_state_that_a_node_goes_on_from_count_as_active_since_then(chat: Chat) -> None:
    node = chat.fresh("c")
    node.resume(chat.a.packed())
    assert node.clock.s - node.find("luis").last_active == 0.0


# --- sessions whose end was proposed, and that end otherwise -------------------------------------


@pytest.mark.parametrize("how", ["taken over", "kicked", "by itself"])
def test_nothing_is_left_of_a_session_that_ends_before_its_end_comes_back(
    chat: Chat, how: str
) -> None:
    if how == "kicked":
        chat.a.operate(chat.ana, Kick(name="luis", id=1))
    elif how == "taken over":
        chat.a.register("luis", "10.0.0.2", token=chat.b.tokens[chat.luis.route.number])
    chat.b.hub.release(chat.luis, CloseReason.LOST)
    chat.settle()
    assert not chat.luis.is_here
    assert chat.b.hub._ending == set()
    for node in (chat.a, chat.b):
        executor = node.replica.executor
        assert executor is not None
        assert set(executor._sessions) == {session.route for session in node.hub.people()}
