"""Clashes with a session that may be dead: the challenge, and taking over with a token."""

import pytest
from peers import BOTH_THREAD_MODELS, IN_CLUSTER_TOO


@pytest.fixture
def hasty(start_server):
    """Start a server that gives a challenged session 0.4 s to answer."""
    return start_server("--challenge-timeout", "0.4")


@BOTH_THREAD_MODELS
@pytest.mark.parametrize("name", ["ana", "luis"], ids=["same-name", "address-alone"])
def test_a_silent_session_ends_for_a_newcomer_from_its_own_address(hasty, name):
    witness, old = hasty.user("witness"), hasty.user("ana")
    old.answers_pings = False
    witness.until("joined", name="ana")
    newcomer = hasty.peer(old.source)
    newcomer.send_all(
        {"type": "register", "name": name, "id": 1},
        {"type": "say", "text": "this line waits", "id": 2},
        {"type": "users", "id": 3},
    )
    welcome = newcomer.expect("welcome", id=1, name=name, address=old.source)
    witness.expect("left", name="ana", reason="timeout")
    joined = witness.expect("joined", name=name)
    message = witness.expect("message", text="this line waits")
    own = hasty.sync(witness, newcomer)[1]
    assert [m for m in own if "seq" in m and m["type"] in ("joined", "message")] == [
        joined,
        message,
    ]
    assert joined["seq"] > welcome["seq"]
    ok, users = (m for m in own if "id" in m)
    assert ok == {"type": "ok", "id": 2, "seq": message["seq"]}
    assert [user["name"] for user in users["users"]] == ["witness", name]
    old.expect("ping")
    old.wait_for_end()


@BOTH_THREAD_MODELS
def test_lines_that_wait_for_a_challenge_are_all_answered_in_their_order(hasty):
    old = hasty.user("ana")
    old.answers_pings = False
    newcomer = hasty.peer(old.source)
    pings = b"".join(b'{"type":"ping","id":%d}\n' % number for number in range(5000))
    newcomer.send_raw(b'{"type":"register","name":"luis"}\n' + pings)
    newcomer.expect("welcome", name="luis")
    answers = [m for m in newcomer.until_id(4999) if "id" in m]
    assert [m["id"] for m in answers] == list(range(5000))


@BOTH_THREAD_MODELS
def test_a_newcomer_that_has_said_all_already_is_heard_after_the_challenge(hasty):
    witness, old = hasty.user("witness"), hasty.user("ana")
    old.answers_pings = False
    newcomer = hasty.peer(old.source)
    newcomer.send_all(
        {"type": "register", "name": "ana"}, {"type": "say", "text": "back again", "id": 2}
    )
    newcomer.half_close()
    assert [m["id"] for m in newcomer.rest() if m["type"] == "ok"] == [2]
    witness.until("message", text="back again")
    witness.until("left", name="ana", reason="quit")


def test_where_addresses_are_shared_only_the_name_is_challenged(start_server):
    server = start_server("--shared-addresses", "--challenge-timeout", "0.4")
    old = server.user("ana")
    old.answers_pings = False
    luis = server.user("luis", old.source)
    assert old.until("joined", name="luis")[-1]["type"] == "joined"
    heir = server.peer(old.source)
    heir.send("register", name="ana")
    heir.expect("welcome", name="ana")
    luis.until("left", name="ana", reason="timeout")
    assert luis.pings == 0


def test_while_a_session_is_challenged_nobody_else_waits(start_server):
    server = start_server(
        "--challenge-timeout", "60", "--register-timeout", "120", "--threads", "1"
    )
    ana, luis = server.users("ana", "luis")
    luis.answers_pings = False
    newcomer = server.peer(luis.source)
    newcomer.send("register", name="luis")
    luis.expect("ping")
    for _ in range(10):
        assert ana.ask("say", text="hola")["type"] == "ok"
    server.user("eva")
    luis.send("pong")
    newcomer.expect_error("name_taken")


@pytest.mark.parametrize("sign", [b'{"type":"pong"}\n', b"{"])
def test_any_byte_of_the_challenged_session_refuses_the_newcomer_at_once(start_server, sign):
    server = start_server("--challenge-timeout", "60", "--register-timeout", "120")
    ana = server.user("ana")
    ana.answers_pings = False
    for name, code in [("ana", "name_taken"), ("luis", "address_taken")]:
        newcomer = server.peer(ana.source)
        newcomer.send("register", name=name, id=1)
        ana.until("ping")
        ana.send_raw(sign)
        newcomer.expect_error(code, id=1)
        newcomer.expect_end()


def test_a_challenged_session_that_ends_by_itself_makes_room_at_once(start_server):
    server = start_server("--challenge-timeout", "60", "--register-timeout", "120")
    old = server.user("ana")
    old.answers_pings = False
    newcomer = server.peer(old.source)
    newcomer.send("register", name="ana")
    old.expect("ping")
    old.reset()
    newcomer.expect("welcome", name="ana")


def test_a_newcomer_that_gives_up_during_the_challenge_is_forgotten(start_server):
    server = start_server("--challenge-timeout", "60", "--register-timeout", "120")
    witness, old = server.user("witness"), server.user("ana")
    old.answers_pings = False
    newcomer = server.peer(old.source)
    newcomer.send("register", name="ana")
    old.expect("ping")
    newcomer.reset()
    old.send("pong")
    assert old.roundtrip() == []
    assert [user["name"] for user in witness.ask("users")["users"]] == ["witness", "ana"]


def test_a_clash_of_names_from_another_address_is_refused_without_a_challenge(server):
    ana = server.user("ana")
    newcomer = server.peer()
    newcomer.send("register", name="ana")
    newcomer.expect_error("name_taken")
    server.sync(ana)
    assert ana.pings == 0


@IN_CLUSTER_TOO
@BOTH_THREAD_MODELS
@pytest.mark.parametrize("same_address", [True, False])
def test_a_token_ends_the_old_session_and_keeps_name_and_status(server, same_address):
    witness, old = server.users("witness", "ana")
    assert old.ask("status", status="OCUPADO")["type"] == "ok"
    new = server.peer(old.source if same_address else None)
    welcome = new.register("ANA", token=old.token)
    assert welcome["status"] == "OCUPADO"
    assert welcome["address"] == new.source
    assert welcome["token"] != old.token
    old.wait_for_end()
    assert old.pings == 0
    seen = server.sync(witness, new)[0]
    assert [(m["type"], m["name"], m.get("reason")) for m in seen[-2:]] == [
        ("left", "ana", "replaced"),
        ("joined", welcome["name"], None),
    ]
    assert seen[-1]["status"] == "OCUPADO"
    assert witness.ask("info", name="ana")["address"] == new.source
    server.user("luis", None if same_address else old.source)


@BOTH_THREAD_MODELS
def test_the_replaced_connection_is_simply_closed(server):
    old = server.user("ana")
    new = server.peer()
    new.register("ana", token=old.token)
    assert [m["type"] for m in old.rest() if m["type"] not in ("left", "joined")] == []


def test_a_token_is_of_no_use_against_another_name_or_another_session(server):
    ana, luis = server.users("ana", "luis")
    for token in ("", "x", luis.token, ana.token[:-1], ana.token + "x", ana.token.swapcase()):
        thief = server.peer()
        thief.send("register", name="ana", token=token)
        thief.expect_error("name_taken")
        thief.expect_end()
    assert ana.ask("users")["users"][0]["name"] == "ana"


def test_a_token_is_worth_nothing_once_its_session_was_replaced(server):
    first = server.user("ana")
    second = server.user("ana", token=first.token)
    thief = server.peer()
    thief.send("register", name="ana", token=first.token)
    thief.expect_error("name_taken")
    server.user("ana", token=second.token)


def test_a_token_of_a_session_that_has_ended_does_no_harm_and_keeps_no_status(server):
    old = server.user("ana")
    old.ask("status", status="OCUPADO")
    old.send("quit")
    old.wait_for_end()
    assert server.peer().register("ana", token=old.token)["status"] == "ACTIVO"


def test_nobody_takes_over_to_an_address_where_another_user_is(server):
    ana, luis = server.users("ana", "luis")
    with luis.alive():
        newcomer = server.peer(luis.source)
        newcomer.send("register", name="ana", token=ana.token)
        newcomer.expect_error("address_taken")
        newcomer.expect_end()
    assert server.sync(luis, ana)[1] == []
