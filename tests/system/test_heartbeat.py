"""Heartbeat: the server pings silent clients, and closes those that stay silent or unregistered."""

import select
import time

import pytest
from peers import BOTH_THREAD_MODELS


@BOTH_THREAD_MODELS
def test_a_silent_session_is_pinged_and_then_ended(start_server):
    server = start_server("--ping-after", "0.2", "--silence-timeout", "2.5")
    silent = server.user("silent")
    silent.answers_pings = False
    watcher = server.user("watcher")  # stays alive: it answers pings while it waits
    watcher.until("left", name="silent", reason="timeout")
    assert silent.until("ping")
    assert watcher.pings >= 1
    assert watcher.ask("direct", to="silent", text="psst")["code"] == "user_not_connected"
    server.user("silent", silent.source)


def test_any_byte_counts_as_life(start_server):
    """Show life in four ways, for longer than the silence that ends a session."""
    timeout_s = 3.0
    server = start_server("--ping-after", "0.4", "--silence-timeout", str(timeout_s))
    watcher, pongs, empty, dribbles, talks = users = server.users(
        "watcher", "pongs", "empty", "dribbles", "talks"
    )
    for user in users[2:]:
        user.answers_pings = False
    start = time.monotonic()
    with pongs.alive():  # this user sends nothing but pongs
        while time.monotonic() - start < timeout_s * 1.2:
            empty.send_raw(b"\n")
            dribbles.send_raw(b" ")
            talks.send("users")
            time.sleep(0.05)  # the loop must outlast the timeout
            assert watcher.roundtrip() == []
    assert pongs.pings >= 2
    dribbles.send_raw(b"\n")
    dribbles.until("error", code="malformed")
    assert len(watcher.ask("users")["users"]) == 5


@pytest.mark.parametrize("drip", [b" ", b'{"type":"ping"}\n'], ids=["no-line", "requests"])
def test_an_unregistered_connection_is_closed_in_time_even_if_bytes_arrive(start_server, drip):
    server = start_server("--register-timeout", "0.6", "--challenge-timeout", "0.1")
    start = time.monotonic()  # before the server's own time begins
    peer = server.peer()
    messages = []
    while not any(m["type"] == "error" for m in messages):
        assert time.monotonic() - start < 20, "the bytes have extended the deadline"
        peer.send_raw(drip)
        time.sleep(0.1)  # at most 64 lines are allowed before `welcome`
        if select.select([peer.socket], [], [], 0)[0]:
            messages.append(peer.next())
    assert time.monotonic() - start >= 0.5
    assert messages.pop()["code"] == "register_timeout"
    assert {m["type"] for m in messages} <= {"pong"}
    assert {m["type"] for m in peer.rest()} <= {"pong"}


def test_the_registration_deadline_does_not_end_a_registered_session(start_server):
    server = start_server("--register-timeout", "2.5", "--challenge-timeout", "0.5")
    ana, late = server.user("ana"), server.peer()
    late.expect_error("register_timeout")
    late.expect_end()
    assert server.sync(ana) == [[]]
