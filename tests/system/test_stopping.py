"""The orderly stop: every user is told, no client can delay it, and the status is 0."""

import signal

import pytest
from faults import SMALL, slow_peer
from histories import whole_history
from peers import BOTH_THREAD_MODELS, wait_for


@BOTH_THREAD_MODELS
def test_everyone_is_told_and_the_server_ends_well(start_server):
    server = start_server()
    users = server.users(*(f"user{n}" for n in range(10)))
    unregistered = server.peer()
    unregistered.send_raw(b'{"type":"regis')
    assert users[0].ask("say", text="last words")["type"] == "ok"
    server.signal()
    waits = []
    for user in users:
        user.expect("message", text="last words")
        closing = user.expect("closing", reason="shutdown")
        waits.append(closing["retry_after"])
        user.expect_end()
        user.close()
    assert all(0.5 <= wait <= 5 for wait in waits)
    assert len(set(waits)) > 1, "all users would come back at the same instant"
    unregistered.wait_for_end()
    unregistered.close()
    assert server.wait() == 0
    with pytest.raises(ConnectionRefusedError):
        server.peer()


def test_clients_that_do_not_read_cannot_hold_up_the_end(start_server):
    server = start_server("--send-buffer-bytes", str(SMALL))
    for number in range(5):
        slow_peer(server, f"stopped{number}")
    ana = server.user("ana")
    for _ in range(50):
        ana.send("say", text="x" * 16_000)
        ana.until("message")
    server.signal()
    ana.expect("closing")
    assert server.wait() == 0


def test_clients_that_go_on_talking_cannot_hold_up_the_end(start_server):
    server = start_server()
    ana = server.user("ana")
    ana.socket.settimeout(0.1)
    server.signal()
    try:
        while server.process.poll() is None:
            ana.send_raw(b'{"type":"say","text":"and another thing"}\n' * 100)
    except OSError:  # the server has closed or no longer reads
        pass
    assert server.wait() == 0


def test_a_second_signal_ends_it_at_once(start_server):
    server = start_server("--send-buffer-bytes", str(SMALL))
    slow_peer(server, "stopped")
    ana = server.user("ana")
    for _ in range(20):
        ana.send("say", text="x" * 16_000)
        ana.until("message")
    server.signal()
    ana.expect("closing")
    server.signal()
    server.wait()


def test_a_challenge_under_way_does_not_hold_up_the_end(start_server):
    server = start_server("--challenge-timeout", "60")
    old = server.user("ana")
    old.answers_pings = False
    newcomer = server.peer(old.source)
    newcomer.send("register", name="ana")
    old.expect("ping")
    server.signal()
    assert server.wait() == 0


def test_an_empty_server_ends_too(start_server):
    server = start_server()
    server.signal(signal.SIGINT)
    assert server.wait() == 0


@BOTH_THREAD_MODELS
def test_a_stop_with_stopped_clients_is_in_time_and_stores_everything(start_server, path, client):
    server = start_server("--history", str(path), "--send-buffer-bytes", str(SMALL))
    ana = server.user("ana")
    processes = [client(server, f"p{n}", f"127.7.0.{2 + n}") for n in range(3)]
    for number, process in enumerate(processes):
        wait_for(lambda name=f"p{number}": ana.ask("info", name=name)["type"] == "info")
        process.send_signal(signal.SIGSTOP)
    for number in range(5):
        slow_peer(server, f"stopped{number}")
    for number in range(300):
        ana.send("say", text=f"{number} " + "x" * 5_000, id=number)
    ana.until_id(10)
    server.signal()
    acknowledged = {m["seq"] for m in ana.rest() if m["type"] == "ok"}
    assert server.wait() == 0
    server = start_server("--history", str(path))
    assert acknowledged <= {m["seq"] for m in whole_history(server.user("ana"))}
