"""The general chat: every message reaches every user once, and in the same order."""

import re
from functools import partial
from secrets import token_hex

import pytest
from peers import BOTH_THREAD_MODELS, IN_CLUSTER_TOO

RFC_3339 = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z"


@BOTH_THREAD_MODELS
def test_a_message_reaches_everyone_including_the_sender(server):
    ana, luis, eva = server.users("ana", "luis", "eva")
    ana.send("say", text="hola", id=7)
    message = luis.expect("message", text="hola", **{"from": "ana"})
    assert set(message) == {"type", "seq", "time", "from", "text"}
    assert re.fullmatch(RFC_3339, message["time"])
    assert message["seq"] > ana.seq
    assert eva.expect("message") == message
    own = {m["type"]: m for m in (ana.next(), ana.next())}
    assert own == {"message": message, "ok": {"type": "ok", "id": 7, "seq": message["seq"]}}


def test_a_message_said_without_an_id_gets_no_ok(server):
    ana = server.user("ana")
    ana.send("say", text="hola")
    assert [m["type"] for m in server.sync(ana)[0]] == ["message"]


def test_the_sender_is_the_session_whatever_the_message_claims(server):
    ana, luis = server.users("ana", "luis")
    ana.send("say", text="hola", seq=1, time="never", **{"from": "luis"}, name="luis")
    message = luis.expect("message", text="hola")
    assert message["from"] == "ana"
    assert message["time"] != "never"
    assert message["seq"] > 1


@pytest.mark.parametrize(
    "text",
    [
        " ¿Qué\n\ttal?\u2028 中文 हिन्दी 👩‍👩‍👧 [bold]x[/bold] <b> {x} \\n ",
        '"}\n{"type":"quit"}',
        "\n" * 16_383 + "x",
    ],
    ids=lambda text: ascii(text[:12]),
)
def test_a_text_arrives_as_it_was_sent(server, text):
    ana, luis = server.users("ana", "luis")
    assert ana.ask("say", text=text)["type"] == "ok"
    luis.expect("message", text=text)
    assert ana.ask("direct", to="luis", text=text)["type"] == "ok"
    luis.expect("direct", text=text)


def test_a_text_that_is_refused_is_told_to_nobody(server):
    ana, luis = server.users("ana", "luis")
    for kind in ("say", "direct"):
        for text, code in [("a\x1b[31mb", "text_invalid"), ("x" * 16_385, "text_too_long")]:
            ana.send(kind, to="luis", text=text, id=3)
            ana.expect_error(code, id=3)
        ana.send(kind, to="luis", text="")
        assert "id" not in ana.expect_error("text_invalid")
    assert server.sync(ana, luis) == [[], []]


def test_the_nonce_comes_with_the_message_and_a_repeated_one_is_not_said_again(server):
    ana, luis = server.users("ana", "luis")
    nonce = token_hex(32)  # 64 characters
    first = ana.ask("say", text="hola", nonce=nonce)
    assert first["type"] == "ok"
    luis.expect("message", text="hola", nonce=nonce)
    ana.expect("message", text="hola", nonce=nonce)
    for text in ("hola", "something else"):
        assert ana.ask("say", text=text, nonce=nonce)["seq"] == first["seq"]
        ana.send("say", text=text, nonce=nonce)
    assert server.sync(luis, ana)[0] == []


@IN_CLUSTER_TOO
def test_a_nonce_belongs_to_a_name_and_outlives_its_session(server):
    ana, luis = server.users("ana", "luis")
    nonce = token_hex()
    first = ana.ask("say", text="hola", nonce=nonce)
    assert luis.ask("say", text="hola", nonce=nonce)["seq"] != first["seq"]
    luis.until("message", **{"from": "luis"})
    ana.send("quit")
    ana.wait_for_end()
    again = server.user("ana")
    luis.until("joined", name="ana")
    assert again.ask("say", text="hola", nonce=nonce)["seq"] == first["seq"]
    assert server.sync(luis) == [[]]


def test_a_refused_say_uses_up_no_nonce(server):
    ana = server.user("ana")
    nonce = token_hex()
    ana.send("say", text="", nonce=nonce, id=1)
    ana.expect_error("text_invalid", id=1)
    ana.send("say", text="hola", nonce=nonce)
    ana.expect("message", text="hola", nonce=nonce)


@IN_CLUSTER_TOO
@BOTH_THREAD_MODELS
def test_everyone_sees_everything_in_one_order_and_nothing_twice(server, together):
    names = ["ana", "luis", "eva", "leo", "sol", "teo"]
    users = server.users(*names)
    statuses = ["OCUPADO", "INACTIVO", "ACTIVO"]
    seen = {}

    def talk(user):
        for number in range(50):
            user.send("say", text=f"{number}")
            user.send("status", status=statuses[number % 3])
        user.send("say", text="done")
        seen[user] = []
        while sum(m.get("text") == "done" for m in seen[user]) < len(users):
            seen[user].append(user.next())

    together(*(partial(talk, user) for user in users))
    first, *others = seen.values()
    assert all(other == first for other in others)
    assert [m["seq"] for m in first] == sorted({m["seq"] for m in first})
    for name in names:
        texts = [m["text"] for m in first if m.get("from") == name]
        assert texts == [*map(str, range(50)), "done"]
        own = [m["status"] for m in first if m["type"] == "presence" and m["name"] == name]
        assert own == [statuses[number % 3] for number in range(50)]


@IN_CLUSTER_TOO
def test_a_say_of_a_leaving_user_comes_before_its_left(server):
    ana, luis = server.users("ana", "luis")
    ana.send_all({"type": "say", "text": "adiós"}, {"type": "quit"})
    luis.expect("message", text="adiós")
    luis.expect("left", name="ana", reason="quit")


def test_an_inactive_user_still_gets_and_sends_messages(server):
    ana, luis = server.users("ana", "luis")
    luis.send("status", status="INACTIVO")
    ana.expect("presence", name="luis", status="INACTIVO")
    assert ana.ask("say", text="hola")["type"] == "ok"
    luis.until("message", text="hola")
    assert ana.ask("direct", to="luis", text="psst")["type"] == "ok"
    luis.until("direct", text="psst")
    luis.send("say", text="yes?")
    ana.until("message", text="yes?")
    assert ana.ask("info", name="luis")["status"] == "INACTIVO"


@IN_CLUSTER_TOO
@BOTH_THREAD_MODELS
def test_a_bot_gets_messages_and_only_its_own_presence(server):
    bot = server.user("bot", events="messages")
    ana, luis = server.users("ana", "luis")
    ana.ask("status", status="OCUPADO")
    luis.send("quit")
    ana.until("left", name="luis")
    ana.send("direct", to="bot", text="psst")
    ana.send("say", text="hola")
    assert bot.ask("status", status="OCUPADO")["type"] == "ok"
    ana.until("presence", name="bot")
    received = server.sync(ana, bot)[1]
    kinds = sorted((m["type"], m.get("name") or m["from"]) for m in received)
    assert kinds == [
        ("direct", "ana"),
        ("message", "ana"),
        ("message", "ana"),  # the mark of `users`
        ("presence", "bot"),
    ]


def test_a_user_gets_all_events_by_default(server):
    ana = server.user("ana", events="all")
    server.user("luis")
    ana.expect("joined", name="luis")
