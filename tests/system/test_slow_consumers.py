"""Clients that do not read delay nobody else, and a `gap` names exactly what they missed."""

import contextlib
import threading
import time
from functools import partial

import pytest
from faults import SMALL, slow_peer
from operators import operator
from peers import BOTH_THREAD_MODELS

EVENTS = ("message", "joined", "left", "presence")


def read_up_to(peer, seq):
    """Read until the event with this number has come or a `gap` has covered it."""
    messages = [peer.next()]
    while position(messages[-1]) < seq:
        messages.append(peer.next())
    return messages


def position(message):
    """Return the number up to which a client knows the chat after this message, or 0."""
    if message["type"] == "gap":
        return message["through"]
    return message["seq"] if message["type"] in EVENTS else 0


@BOTH_THREAD_MODELS
def test_a_stopped_reader_in_a_busy_room_keeps_nobody_waiting(start_server, together):
    server = start_server("--write-timeout", "600")
    stopped = [slow_peer(server, f"stopped{n}") for n in range(5)]
    talkers = server.users("ana", "luis", "eva", "leo")
    count, text = 40, "x" * 4000
    for user in talkers:
        user.seen = []

    def talk(user):
        for number in range(count):
            user.send("say", text=f"{user.name} {number} {text}")
            while sum(m["from"] == user.name for m in user.seen) <= number:
                user.seen.append(user.next())
        while len(user.seen) < count * len(talkers):
            user.seen.append(user.next())

    together(*(partial(talk, user) for user in talkers))
    first = talkers[0].seen
    assert len(first) == count * len(talkers)
    assert all(user.seen == first for user in talkers)
    server.user("sol")  # registering goes on too
    # The log still contains everything, so a client that reads again has lost nothing.
    for peer in stopped:
        messages = peer.until("joined", name="sol")
        assert [m for m in messages if m["type"] == "message" and "mark" not in m["text"]] == first


@pytest.mark.parametrize("events", ["all", "messages"])
def test_a_slow_consumer_gets_a_gap_that_names_exactly_what_was_left_out(start_server, events):
    server = start_server("--log-bytes", "65536", "--send-buffer-bytes", str(SMALL))
    ana = server.user("ana")
    slow = slow_peer(server, "slow", events=events)
    ana.until("joined", name="slow")
    known = slow.seq + (events == "all")  # its own `joined`
    for _ in range(3):
        happened = []
        for number in range(40):
            ana.send("say", text="x" * 8000)
            ana.send("status", status=("OCUPADO", "ACTIVO")[number % 2])
            happened += ana.until("presence")
        messages = read_up_to(slow, happened[-2]["seq"])
        if events == "all" and position(messages[-1]) < happened[-1]["seq"]:
            messages += read_up_to(slow, happened[-1]["seq"])
        gaps = [m for m in messages if m["type"] == "gap"]
        assert gaps, "the log and the buffers hold less than was said"
        wanted = [m for m in happened if events == "all" or m["type"] == "message"]
        left_out = [m for m in wanted if any(g["after"] < m["seq"] <= g["through"] for g in gaps)]
        assert left_out
        assert [m for m in messages if m["type"] in EVENTS] == [
            m for m in wanted if m not in left_out
        ]
        for message in messages:
            if message["type"] == "gap":
                assert set(message) == {"type", "after", "through"}
                assert known <= message["after"] < message["through"]
                assert events == "messages" or message["after"] == known
            assert position(message) > known
            known = position(message)
        assert {user["name"] for user in slow.ask("users")["users"]} == {"ana", "slow"}


def test_a_slow_bot_sees_its_own_presence_in_its_place_among_the_messages(start_server):
    server = start_server("--send-buffer-bytes", str(SMALL))
    ana = server.user("ana")
    bot = slow_peer(server, "bot", events="messages")
    for status in ("OCUPADO", "ACTIVO"):
        for _ in range(20):
            ana.send("say", text="x" * 8000)
            ana.until("message")
        bot.send("status", status=status)
        ana.until("presence", name="bot", status=status)
    ana.send("say", text="end")
    seen = [m for m in bot.until("message", text="end") if m["type"] in EVENTS]
    assert [m["type"] for m in seen].count("presence") == 2
    assert [m["seq"] for m in seen] == sorted(m["seq"] for m in seen)


def test_direct_messages_and_what_holds_now_are_not_lost_in_a_gap(start_server, secret_file):
    options = ("--log-bytes", "65536", "--send-buffer-bytes", str(SMALL))
    server = start_server(*options, "--operator-secret", str(secret_file))
    ana = operator(server)
    slow = slow_peer(server, "slow")
    said = {}
    for number in range(60):
        if number == 30:
            ana.ask("pin", seq=said["seq"])
            ana.ask("lock", on=True)
            ana.ask("hush", on=True)
        said = ana.ask("say", text="x" * 8000)
        assert ana.ask("direct", to="slow", text=f"{number}")["type"] == "ok"
        ana.until("message")
    messages = read_up_to(slow, said["seq"]) + slow.roundtrip()
    kinds = [m["type"] for m in messages]
    assert kinds.count("gap") > 1
    for kind in ("hushed", "locked", "pinned"):
        assert kinds.count(kind) == 1
    directs = [m["text"] for m in messages if m["type"] == "direct"]
    assert directs == [str(number) for number in range(60)]


@pytest.mark.parametrize("end", ["quit", "shutdown"])
def test_a_slow_consumer_is_told_at_the_end_what_it_misses(start_server, end):
    server = start_server("--send-buffer-bytes", str(SMALL))
    ana = server.user("ana")
    slow = slow_peer(server, "slow")
    for _ in range(300):
        last = ana.ask("say", text="x" * 4_000)["seq"]
        ana.until("message")
    if end == "quit":
        slow.send("quit")
        ana.until("left", name="slow")
    else:
        server.signal()
        ana.until("closing")
    known = slow.seq + 1  # its own `joined`
    while known < last:
        message = slow.next()
        if message["type"] == "gap":
            assert message["after"] == known
        elif message["type"] in EVENTS:
            assert message["seq"] == known + 1
        known = position(message) or known
    assert end == "quit" or server.wait() == 0


def test_partial_sends_cut_no_line(start_server, together):
    server = start_server("--send-buffer-bytes", "2048")
    ana = server.user("ana")
    readers = [slow_peer(server, f"reader{n}") for n in range(3)]
    ana.until("joined", name="reader2")
    texts = [f"{n}:" + "ñ" * (n * 271 % 8000) for n in range(60)]
    got = {}

    def read(reader):
        messages = []
        while sum(m["type"] in ("message", "direct") for m in messages) < 2 * len(texts):
            if len(messages) % 5 == 0:
                reader.send("ping", id=len(messages))
            messages.append(reader.next())
        got[reader] = messages

    def talk():
        for text in texts:
            ana.send("say", text=text)
            for reader in readers:
                ana.send("direct", to=reader.name, text=text)
            ana.until("message")

    together(talk, *(partial(read, reader) for reader in readers))
    for messages in got.values():
        assert [m["text"] for m in messages if m["type"] == "message"] == texts
        assert [m["text"] for m in messages if m["type"] == "direct"] == texts


def test_a_client_that_takes_no_byte_for_too_long_is_ended(start_server):
    server = start_server("--write-timeout", "0.5", "--send-buffer-bytes", str(SMALL))
    ana = server.user("ana")
    stopped = slow_peer(server, "stopped")
    heard = []
    for _ in range(10):
        ana.send("say", text="x" * 16_000)
        heard += ana.until("message")
    if not any(message["type"] == "left" for message in heard):  # on a busy machine it has ended
        heard += ana.until("left")
    (left,) = [message for message in heard if message["type"] == "left"]
    assert (left["name"], left["reason"]) == ("stopped", "slow")
    assert ana.ask("direct", to="stopped", text="psst")["code"] == "user_not_connected"
    server.user("stopped", stopped.source)


def test_a_client_that_reads_slowly_is_not_ended(start_server):
    timeout_s = 2.5
    server = start_server("--write-timeout", str(timeout_s), "--send-buffer-bytes", str(SMALL))
    ana = server.user("ana")
    slow = slow_peer(server, "slow")
    ana.until("joined", name="slow")
    taken, start = b"", time.monotonic()
    for _ in range(200):
        ana.send("say", text="x" * 16_000)
        ana.until("message")
        taken += slow.socket.recv(SMALL)
    while time.monotonic() - start < 1.3 * timeout_s:
        taken += slow.socket.recv(SMALL)
        time.sleep(0.02)  # reads slowly, for longer than the timeout
    assert len(taken) < 200 * 16_000, "the client was not behind all the time"
    assert server.sync(ana) == [[]]


@BOTH_THREAD_MODELS
def test_private_lines_have_a_bound(start_server):
    server = start_server(
        *("--private-bytes", "32768", "--send-buffer-bytes", str(SMALL), "--write-timeout", "600")
    )
    ana = server.user("ana")
    stopped = slow_peer(server, "stopped")
    ana.until("joined", name="stopped")
    accepted = 0
    while (answer := ana.ask("direct", to="stopped", text="x" * 4000))["type"] == "ok":
        accepted += 1
        assert accepted < 200, "the bound and the buffers hold less than 800,000 bytes"
    assert (answer["code"], answer["name"]) == ("busy", "stopped")
    assert answer["retry_after"] > 0
    assert accepted * 4000 >= 32768 // 2 - 4100
    # Nobody is closed for what others send: it gets everything once it reads again.
    for _ in range(accepted):
        stopped.expect("direct", text="x" * 4000)
    assert ana.ask("direct", to="stopped", text="again")["type"] == "ok"


def test_a_client_that_does_not_read_its_answers_is_ended(start_server):
    server = start_server(
        *("--private-bytes", "32768", "--send-buffer-bytes", str(SMALL), "--write-timeout", "2")
    )
    ana = server.user("ana")
    stopped = slow_peer(server, "stopped")

    def ask_and_ask():
        with contextlib.suppress(OSError):  # when the server has closed
            while True:
                stopped.send_raw(b'{"type":"info","name":"ana"}\n' * 100)

    asking = threading.Thread(target=ask_and_ask)
    asking.start()
    ana.until("left", name="stopped", reason="slow")
    asking.join()
