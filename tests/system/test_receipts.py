"""Receipts: a sender learns what became of a direct message, whatever happens to the receiver."""

import pytest
from peers import BOTH_THREAD_MODELS, Peer

TEXT = "hola"


def direct(peer: Peer, to: str, text: str = TEXT, **fields) -> None:
    peer.send("direct", to=to, text=text, **fields)


def confirming(server, name: str, source: str | None = None, **fields) -> Peer:
    return server.user(name, source, receipts=True, **fields)


def expect_nothing(*peers: Peer) -> None:
    for peer in peers:
        assert [m for m in peer.roundtrip() if m["type"] in ("ok", "error", "direct")] == []


@BOTH_THREAD_MODELS
def test_the_ok_comes_with_the_confirmation(server):
    ana, luis = server.user("ana"), confirming(server, "luis")
    ana.until("joined", name="luis")
    direct(ana, "luis", id=3)
    got = luis.expect("direct", receipt=1, text=TEXT, **{"from": "ana"})
    expect_nothing(ana)
    luis.send("received", receipt=1)
    assert ana.next() == {"type": "ok", "id": 3, "time": got["time"]}


@BOTH_THREAD_MODELS
def test_one_confirmation_stands_for_many(server):
    ana, luis = server.user("ana"), confirming(server, "luis")
    ana.until("joined", name="luis")
    for number in range(1, 8):
        direct(ana, "luis", str(number), **({} if number == 4 else {"id": number}))
        luis.expect("direct", receipt=number, text=str(number))
    luis.send("received", receipt=5)
    assert [ana.expect("ok")["id"] for _ in range(4)] == [1, 2, 3, 5]
    expect_nothing(ana)
    luis.send_all({"type": "received", "receipt": 2}, {"type": "received", "receipt": 900})
    assert [ana.expect("ok")["id"] for _ in range(2)] == [6, 7]
    direct(ana, "luis", id=8)
    luis.expect("direct", receipt=8)
    expect_nothing(ana)


@BOTH_THREAD_MODELS
def test_a_message_to_oneself_is_confirmed_like_any_other(server):
    ana = confirming(server, "ana")
    direct(ana, "ana", id=1)
    got = ana.expect("direct", receipt=1)
    expect_nothing(ana)
    ana.send("received", receipt=1)
    assert ana.next() == {"type": "ok", "id": 1, "time": got["time"]}


def test_a_confirmation_has_no_answer_and_no_effect_where_there_is_nothing_to_confirm(server):
    ana, luis = server.user("ana"), confirming(server, "luis")
    ana.until("joined", name="luis")
    for peer in (ana, luis):
        peer.send("received", receipt=1, id=5)
        expect_nothing(peer)
    for wrong in ({}, {"receipt": "1"}, {"receipt": -1}, {"receipt": 1.5}, {"receipt": None}):
        luis.send("received", id=6, **wrong)
        luis.expect_error("malformed", id=6)
    direct(ana, "luis", id=1)
    luis.expect("direct", receipt=1)
    expect_nothing(ana)
    stranger = server.peer()
    stranger.send("received", receipt=1, id=1)
    stranger.expect_error("not_registered", id=1)
    stranger.send("register", name="eva", receipts="yes", id=2)
    stranger.expect_error("malformed", id=2)


def test_confirmations_spend_nothing_and_are_no_activity(start_server):
    server = start_server("--rate-limit", "1", "--idle-after", "0.3")
    luis = confirming(server, "luis")
    luis.until("presence", status="INACTIVO")
    luis.send_all(*({"type": "received", "receipt": n} for n in range(500)))
    luis.send("ping", id=1)
    assert luis.next() == {"type": "pong", "id": 1}


# --- taking over ---------------------------------------------------------------------------------


@BOTH_THREAD_MODELS
def test_what_is_unconfirmed_goes_to_the_successor_with_the_same_receipts(server):
    ana, luis = server.user("ana"), confirming(server, "luis")
    ana.until("joined", name="luis")
    for number in (1, 2, 3):
        direct(ana, "luis", str(number), id=number)
        luis.expect("direct", receipt=number)
    luis.send("received", receipt=1)
    ana.expect("ok", id=1)
    successor = server.peer()
    successor.send("register", name="luis", token=luis.token, receipts=True)
    successor.expect("welcome", name="luis")
    ana.until("joined", name="luis")
    direct(ana, "luis", "4", id=4)
    got = [m for m in successor.until("direct", text="4") if m["type"] == "direct"]
    assert [(m["receipt"], m["text"]) for m in got] == [(2, "2"), (3, "3"), (4, "4")]
    expect_nothing(ana)
    luis.wait_for_end()
    successor.send("received", receipt=4)
    assert [ana.expect("ok")["id"] for _ in range(3)] == [2, 3, 4]


@BOTH_THREAD_MODELS
def test_a_successor_without_receipts_gets_the_messages_and_confirms_nothing(server):
    ana, luis = server.user("ana"), confirming(server, "luis")
    ana.until("joined", name="luis")
    direct(ana, "luis", id=1)
    luis.expect("direct", receipt=1)
    successor = server.peer()
    successor.send("register", name="luis", token=luis.token)
    successor.until("direct", text=TEXT)
    ana.until("ok", id=1)
    direct(ana, "luis", "next", id=2)
    assert "receipt" not in successor.until("direct", text="next")[-1]
    ana.until("ok", id=2)


@BOTH_THREAD_MODELS
def test_a_sender_that_comes_back_waits_for_the_same_confirmation(server):
    ana, luis = server.user("ana"), confirming(server, "luis")
    ana.until("joined", name="luis")
    direct(ana, "luis", id=1, nonce="n")
    got = luis.expect("direct", receipt=1, nonce="n")
    again = server.peer()
    again.register("ana", token=ana.token)
    direct(again, "luis", id=9, nonce="n")
    expect_nothing(again)
    luis.until("joined", name="ana")
    expect_nothing(luis)
    luis.send("received", receipt=1)
    assert again.next() == {"type": "ok", "id": 9, "time": got["time"]}
    # Later, too, it is the same message.
    direct(again, "luis", id=10, nonce="n")
    assert again.next() == {"type": "ok", "id": 10, "time": got["time"]}
    expect_nothing(luis)


def test_a_sender_that_comes_back_often_without_its_token_still_waits(server):
    luis = confirming(server, "luis")
    for number in range(12):
        ana = server.user("ana")
        direct(ana, "luis", id=number, nonce="often")
        expect_nothing(ana)
        if number < 11:
            ana.reset()
            luis.until("left", name="ana")
    luis.send("received", receipt=1)
    assert ana.expect("ok")["id"] == 11


# --- the end of a session ------------------------------------------------------------------------


@pytest.mark.parametrize("end", ["half_close", "reset", "quit"])
@BOTH_THREAD_MODELS
def test_the_senders_are_told_what_did_not_arrive(server, end):
    ana, eva, luis = server.user("ana"), server.user("eva"), confirming(server, "luis")
    for peer in (ana, eva):
        peer.until("joined", name="luis")
    direct(ana, "luis", "1", id=1)
    direct(ana, "luis", "2", id=2, nonce=f"two {end}")
    direct(eva, "luis", "3", nonce=f"three {end}")
    for _ in range(3):
        luis.expect("direct")
    luis.send("quit") if end == "quit" else getattr(luis, end)()
    errors = [m for m in ana.until("left", name="luis") + ana.roundtrip() if m["type"] == "error"]
    assert [(m["code"], m["id"], m.get("nonce")) for m in errors] == [
        ("undelivered", 1, None),
        ("undelivered", 2, f"two {end}"),
    ]
    assert {m["name"] for m in errors} == {"luis"}
    [error] = [m for m in eva.until("left", name="luis") + eva.roundtrip() if m["type"] == "error"]
    assert (error["code"], error["nonce"], "id" in error) == ("undelivered", f"three {end}", False)
    # It can be sent again, to whoever has the name then.
    luis = confirming(server, "luis")
    ana.until("joined", name="luis")
    direct(ana, "luis", "2", id=5, nonce=f"two {end}")
    luis.expect("direct", receipt=1, text="2")
    luis.send("received", receipt=1)
    ana.expect("ok", id=5)


@BOTH_THREAD_MODELS
def test_a_sender_that_has_taken_itself_over_is_told_without_the_id(server):
    ana, luis = server.user("ana"), confirming(server, "luis")
    ana.until("joined", name="luis")
    direct(ana, "luis", id=1, nonce="over")
    luis.expect("direct", receipt=1)
    again = server.peer()
    again.register("ana", token=ana.token)
    luis.reset()
    got = again.until("left", name="luis") + again.roundtrip()
    [error] = [m for m in got if m["type"] == "error"]
    assert (error["code"], error["nonce"], "id" in error) == ("undelivered", "over", False)


@BOTH_THREAD_MODELS
def test_a_receiver_that_shows_no_life_ends_and_its_messages_come_back(start_server):
    server = start_server("--ping-after", "0.3", "--silence-timeout", "2.5")
    ana, luis = server.user("ana"), confirming(server, "luis")
    luis.answers_pings = False
    ana.until("joined", name="luis")
    direct(ana, "luis", id=1)
    answer = ana.until_id(1)[-1]
    assert (answer["type"], answer["code"]) == ("error", "undelivered")


@BOTH_THREAD_MODELS
def test_a_sender_that_quits_is_answered_first(server):
    ana, luis = server.user("ana"), confirming(server, "luis")
    ana.until("joined", name="luis")
    ana.send_all(
        {"type": "direct", "to": "luis", "text": TEXT, "id": 1},
        {"type": "quit"},
    )
    luis.until("direct", receipt=1)
    luis.until("left", name="ana")
    luis.send("received", receipt=1)
    assert [m["type"] for m in ana.rest()] == ["ok"]


def test_a_sender_that_quits_does_not_wait_for_ever(server):
    ana, luis = server.user("ana"), confirming(server, "luis")
    ana.until("joined", name="luis")
    direct(ana, "luis", id=1)
    ana.half_close()
    luis.until("left", name="ana")
    assert ana.rest() == []
    luis.send("received", receipt=1)  # nobody is here to learn it
    expect_nothing(luis)


@BOTH_THREAD_MODELS
def test_at_the_shutdown_nobody_waits_for_a_confirmation(start_server):
    server = start_server()
    ana, luis = confirming(server, "ana"), confirming(server, "luis")
    ana.until("joined", name="luis")
    direct(ana, "luis", id=1)
    direct(luis, "ana", id=1)
    luis.expect("direct", receipt=1)
    ana.until("direct", receipt=1)
    server.signal()
    for peer in (ana, luis):
        assert [m["type"] for m in peer.rest()] == ["closing"]
    assert server.wait() == 0


# --- too many of them ----------------------------------------------------------------------------


@BOTH_THREAD_MODELS
def test_from_half_of_the_bound_on_the_receiver_is_busy(start_server):
    server = start_server("--private-bytes", "32768", "--rate-limit", "off")
    ana, eva, luis = server.user("ana"), server.user("eva"), confirming(server, "luis")
    for peer in (ana, eva):
        peer.until("joined", name="luis")
    sent = 0
    while True:
        sent += 1
        direct(ana, "luis", "x" * 1_000, id=sent)
        answers = [m for m in ana.roundtrip() if m.get("id") == sent]
        if answers:
            break
    assert (answers[0]["code"], answers[0]["name"]) == ("busy", "luis")
    assert answers[0]["retry_after"] > 0
    assert 16_384 // 1_300 <= sent <= 16_384 // 1_000 + 1
    assert eva.ask("direct", to="luis", text=TEXT)["code"] == "busy"
    luis.send("received", receipt=sent - 1)
    luis.roundtrip()
    assert [ana.expect("ok")["id"] for _ in range(sent - 1)] == list(range(1, sent))
    direct(eva, "luis", "now", id=1)
    luis.until("direct", text="now", receipt=sent)


@BOTH_THREAD_MODELS
def test_a_receiver_that_does_not_read_gets_everything_once_it_reads_again(start_server):
    server = start_server(
        *("--private-bytes", "131072", "--send-buffer-bytes", "4608", "--write-timeout", "600")
    )
    ana, luis = server.user("ana"), server.peer(receive_buffer=4608)
    luis.register("luis", receipts=True)
    ana.until("joined", name="luis")
    sent = 0
    while not [m for m in ana.roundtrip() if m["type"] == "error"]:
        sent += 1
        direct(ana, "luis", f"{sent} " + "x" * 1_000, id=sent)
    sent -= 1  # the last one was refused
    assert sent > 30
    for number in range(1, sent + 1):
        assert luis.expect("direct", receipt=number)["text"].startswith(f"{number} ")
    luis.send("received", receipt=sent)
    assert [ana.expect("ok")["id"] for _ in range(sent)] == list(range(1, sent + 1))
