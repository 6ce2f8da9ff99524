"""Idleness: an idle user becomes INACTIVO, and active again with the next request."""

import pytest
from peers import BOTH_THREAD_MODELS

IDLE_S = 0.4


@pytest.fixture
def quick(start_server):
    """Start a server on which users soon become idle."""
    return start_server("--idle-after", str(IDLE_S))


@pytest.fixture
def witness(quick):
    """Register a user who chose INACTIVO, so that its own idleness causes no events."""
    witness = quick.user("witness")
    witness.ask("status", status="INACTIVO")
    quick.sync(witness)
    return witness


def joins(quick, witness, name="ana"):
    user = quick.user(name)
    witness.until("joined", name=name)
    return user


def test_welcome_has_the_seconds_until_a_user_is_idle(quick):
    assert quick.peer().register("ana")["idle_after"] == IDLE_S


@BOTH_THREAD_MODELS
def test_an_idle_user_becomes_inactive_and_active_again_with_the_next_request(quick, witness):
    ana = joins(quick, witness)
    for _ in range(2):
        idle = witness.expect("presence", name="ana", status="INACTIVO", by="server")
        assert ana.until("presence")[-1] == idle
        assert {"name": "ana", "status": "INACTIVO"} in witness.ask("users")["users"]
        ana.send("users")
        back = witness.expect("presence", name="ana", status="ACTIVO", by="server")
        assert ana.until("presence")[-1] == back


def test_an_idle_user_who_was_busy_is_busy_again(quick, witness):
    ana = joins(quick, witness)
    ana.send("status", status="OCUPADO")
    witness.until("presence", name="ana", status="OCUPADO", by="user")
    witness.expect("presence", name="ana", status="INACTIVO", by="server")
    ana.send("say", text="hola")
    rest = witness.until("message", text="hola")
    rest += [] if len(rest) > 1 else [witness.next()]
    assert [(m["status"], m["by"]) for m in rest if m["type"] == "presence"] == [
        ("OCUPADO", "server")
    ]


def test_ping_and_pong_are_no_activity(quick, witness):
    ana = joins(quick, witness)
    while not any(m["type"] == "presence" for m in ana.roundtrip()):
        ana.send("pong")
    witness.expect("presence", name="ana", status="INACTIVO", by="server")
    ana.roundtrip()
    assert quick.sync(witness) == [[]]


def test_a_refused_request_is_no_activity(quick, witness):
    ana = joins(quick, witness)
    witness.expect("presence", name="ana", status="INACTIVO", by="server")
    ana.until("presence")
    ana.send("say", text="", id=1)
    ana.expect_error("text_invalid", id=1)
    ana.send("status", status="no such", id=2)
    ana.expect_error("status_invalid", id=2)
    ana.send_raw(b"no json\n")
    ana.expect_error("malformed")
    ana.send("nope", id=3)
    ana.expect_error("unknown_type", id=3)
    assert quick.sync(witness, ana) == [[], []]


def test_a_user_who_chose_inactive_stays_inactive_until_choosing_again(quick, witness):
    ana = joins(quick, witness)
    ana.send_all({"type": "status", "status": "OCUPADO"}, {"type": "status", "status": "INACTIVO"})
    witness.until("presence", name="ana", status="INACTIVO", by="user")
    ana.ask("say", text="still here")
    ana.ask("users")
    witness.expect("message", text="still here")
    assert witness.ask("info", name="ana")["status"] == "INACTIVO"
    ana.send("status", status="OCUPADO")
    witness.expect("presence", name="ana", status="OCUPADO", by="user")


@pytest.mark.parametrize("status", ["ACTIVO", "OCUPADO"])
def test_a_status_chosen_while_idle_is_one_event_by_the_user(quick, witness, status):
    ana = joins(quick, witness)
    witness.expect("presence", name="ana", status="INACTIVO", by="server")
    assert ana.ask("status", status=status)["type"] == "ok"
    witness.expect("presence", name="ana", status=status, by="user")


def test_inactive_chosen_while_idle_is_no_event_and_stays(quick, witness):
    ana = joins(quick, witness)
    witness.expect("presence", name="ana", status="INACTIVO", by="server")
    assert ana.ask("status", status="INACTIVO")["type"] == "ok"
    ana.ask("say", text="still here")
    assert [m["type"] for m in quick.sync(witness)[0]] == ["message"]
    assert witness.ask("info", name="ana")["status"] == "INACTIVO"


def test_an_idle_user_still_gets_messages(quick, witness):
    ana = joins(quick, witness)
    witness.expect("presence", name="ana", status="INACTIVO", by="server")
    assert witness.ask("direct", to="ana", text="psst")["type"] == "ok"
    witness.ask("say", text="hola")
    ana.until("direct", text="psst")
    ana.until("message", text="hola")
    assert witness.ask("info", name="ana")["status"] == "INACTIVO"


def test_an_idle_session_is_taken_over_as_it_is(quick, witness):
    ana = joins(quick, witness)
    ana.send("status", status="OCUPADO")
    witness.until("presence", name="ana", status="OCUPADO", by="user")
    witness.expect("presence", name="ana", status="INACTIVO", by="server")
    again = quick.peer()
    assert again.register("ana", token=ana.token)["status"] == "INACTIVO"
    assert witness.until("joined", name="ana", status="INACTIVO")
    # What a client reads by itself to catch up is no activity, but what follows is.
    assert again.ask("users")["type"] == "users"
    again.send("history")
    again.send("status", status="ACTIVO")
    witness.expect("presence", name="ana", status="ACTIVO", by="user")


def test_a_client_that_comes_back_says_how_its_user_was(quick, witness):
    ana = quick.peer()
    assert ana.register("ana", status="OCUPADO")["status"] == "OCUPADO"
    witness.until("joined", name="ana", status="OCUPADO")
    luis = quick.peer()
    assert luis.register("luis", status="OCUPADO", idle=10_000)["status"] == "INACTIVO"
    witness.until("joined", name="luis", status="INACTIVO")
    assert 10_000 <= witness.ask("info", name="luis")["idle"] < 10_100
    assert luis.ask("users")["type"] == "users"
    luis.send("direct", to="luis", text="I am back")
    witness.until("presence", name="luis", status="OCUPADO", by="server")


@pytest.mark.parametrize(
    ("fields", "code"), [({"status": "DORMIDO"}, "status_invalid"), ({"idle": -1}, "malformed")]
)
def test_a_wrong_status_or_idleness_is_refused_and_may_be_mended(quick, fields, code):
    ana = quick.peer()
    ana.send("register", id=1, name="ana", **fields)
    ana.expect_error(code, id=1)
    ana.register("ana", idle=0.5)


def test_info_counts_the_seconds_since_the_last_activity(quick, witness):
    ana = joins(quick, witness)
    while witness.ask("info", name="ana")["idle"] < 1:
        ana.roundtrip()  # a ping is no activity
    for _ in range(20):  # on a busy machine a second may pass in between
        ana.ask("users")
        if witness.ask("info", name="ana")["idle"] == 0:
            return
    raise AssertionError("a request is an activity")


def test_idling_can_be_switched_off(start_server):
    ana = start_server("--idle-after", "off").user("ana")
    assert ana.ask("info", name="ana")["status"] == "ACTIVO"


def test_a_bot_gets_only_its_own_idleness(quick, witness):
    joins(quick, witness)
    bot = quick.user("bot", events="messages")
    bot.expect("presence", name="bot", status="INACTIVO", by="server")
    bot.send("users")
    bot.until("presence", name="bot", status="ACTIVO", by="server")
