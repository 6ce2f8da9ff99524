"""Direct messages reach one user, on any worker, and nobody else."""

import re
from secrets import token_hex

from peers import BOTH_THREAD_MODELS


@BOTH_THREAD_MODELS
def test_a_direct_message_reaches_its_user_and_nobody_else(server):
    ana, luis, eva = server.users("ana", "luis", "eva")
    answer = ana.ask("direct", to="luis", text="psst")
    assert set(answer) == {"type", "id", "time"}
    direct = luis.expect("direct", **{"from": "ana"}, to="luis", text="psst")
    assert set(direct) == {"type", "time", "from", "to", "text"}
    assert direct["time"] == answer["time"]
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", direct["time"])
    assert server.sync(ana, luis, eva) == [[], [], []]


def test_a_direct_message_without_an_id_gets_no_ok(server):
    ana, luis = server.users("ana", "luis")
    ana.send("direct", to="luis", text="psst")
    luis.expect("direct", text="psst")
    assert server.sync(ana) == [[]]


@BOTH_THREAD_MODELS
def test_every_user_reaches_every_other_on_any_worker(server):
    names = ["ana", "luis", "eva", "leo", "sol"]
    users = server.users(*names)
    for sender in users:
        for receiver in users:
            text = f"{sender.name}>{receiver.name}"
            assert sender.ask("direct", to=receiver.name, text=text)["type"] == "ok"
    received = server.sync(*users)
    for receiver, messages in zip(users, received, strict=True):
        assert [m["type"] for m in messages] == ["direct"] * len(names)
        assert [m["text"] for m in messages] == [f"{name}>{receiver.name}" for name in names]


@BOTH_THREAD_MODELS
def test_direct_messages_of_one_sender_arrive_in_their_order(server):
    ana, luis = server.users("ana", "luis")
    ana.send_all(*({"type": "direct", "to": "luis", "text": str(n)} for n in range(200)))
    for n in range(200):
        luis.expect("direct", text=str(n))


@BOTH_THREAD_MODELS
def test_a_direct_message_to_oneself_arrives(server):
    ana = server.user("ana")
    ana.send("direct", to="ana", text="note", id=1)
    got = {m["type"]: m for m in (ana.next(), ana.next())}
    assert got["direct"]["text"] == "note"
    assert got["ok"] == {"type": "ok", "id": 1, "time": got["direct"]["time"]}


def test_any_spelling_of_a_name_will_do_and_the_registered_one_is_shown(server):
    ana, jose = server.users("ana", "José")
    assert ana.ask("direct", to="JOSE\u0301", text="psst")["type"] == "ok"
    jose.expect("direct", to="José", text="psst")
    assert ana.ask("info", name="JOSE\u0301")["name"] == "José"


def test_the_error_names_a_user_who_is_not_connected(server):
    ana = server.user("ana")
    for name in ("luis", "no name", "x" * 5000):
        ana.send("direct", to=name, text="psst", id=4)
        ana.expect_error("user_not_connected", name=name, id=4)
        ana.send("info", name=name)
        assert "id" not in ana.expect_error("user_not_connected", name=name)


@BOTH_THREAD_MODELS
def test_messages_to_a_user_who_has_gone_are_refused_until_the_name_is_taken_again(server):
    ana, luis = server.users("ana", "luis")
    for end in ("half_close", "close", "reset"):
        getattr(luis, end)()
        ana.until("left", name="luis")
        for kind, fields in [
            ("direct", {"to": "luis", "text": "psst"}),
            ("info", {"name": "luis"}),
        ]:
            answer = ana.ask(kind, **fields)
            assert (answer["code"], answer["name"]) == ("user_not_connected", "luis")
        luis = server.user("luis")
        assert ana.ask("direct", to="luis", text="again")["type"] == "ok"
        luis.until("direct", text="again")
        ana.until("joined", name="luis")


def test_the_sender_is_the_session_whatever_the_direct_message_claims(server):
    ana, luis = server.users("ana", "luis")
    ana.send("direct", to="luis", text="psst", **{"from": "eva"}, time="never")
    assert luis.expect("direct", text="psst")["from"] == "ana"


def test_a_repeated_nonce_is_not_delivered_again(server):
    ana, luis = server.users("ana", "luis")
    nonce = token_hex()
    for text in ("psst", "psst", "something else"):
        assert ana.ask("direct", to="luis", text=text, nonce=nonce)["type"] == "ok"
    received = server.sync(ana, luis)[1]
    assert [(m["type"], m["text"]) for m in received] == [("direct", "psst")]


def test_a_direct_message_that_did_not_arrive_uses_up_no_nonce(server):
    ana = server.user("ana")
    nonce = token_hex()
    answer = ana.ask("direct", to="luis", text="psst", nonce=nonce)
    assert answer["code"] == "user_not_connected"
    luis = server.user("luis")
    assert ana.ask("direct", to="luis", text="psst", nonce=nonce)["type"] == "ok"
    luis.until("direct", text="psst")


@BOTH_THREAD_MODELS
def test_answers_come_in_the_order_of_the_requests(server):
    ana, _ = server.users("ana", "luis")
    requests = [
        {"type": "ping"},
        {"type": "users"},
        {"type": "direct", "to": "luis", "text": "psst"},
        {"type": "info", "name": "luis"},
        {"type": "direct", "to": "nobody", "text": "psst"},
        {"type": "status", "status": "OCUPADO"},
        {"type": "nope"},
        {"type": "status", "status": "no such"},
        {"type": "direct", "to": "luis", "text": ""},
        {"type": "info", "name": "nobody"},
    ]
    numbered = [request | {"id": i} for i, request in enumerate(requests * 20)]
    ana.send_all(*numbered)
    answers = [m for m in ana.until_id(len(numbered) - 1) if "id" in m]
    assert [m["id"] for m in answers] == list(range(len(numbered)))
    assert [m["type"] for m in answers[:10]] == [
        *("pong", "users", "ok", "info", "error", "ok", "error", "error", "error", "error")
    ]
