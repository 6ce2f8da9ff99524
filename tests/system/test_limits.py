"""Limits on requests, users, connections and descriptors, and their effect on other clients."""

import contextlib
import time

import pytest
from faults import cpu_seconds
from peers import BOTH_THREAD_MODELS, NOT_OVER_TLS, fresh_address, wait_for

BURST = 40


def flood(peer, count):
    """Send that many requests at once and return the answers in their order."""
    peer.send_all(*({"type": "users", "id": n} for n in range(count)))
    return [m for m in peer.until_id(count - 1) if "id" in m]


def test_requests_that_come_too_fast_are_refused_until_the_bucket_fills_again(start_server):
    server = start_server("--rate-limit", "10/s")
    ana = server.user("ana")
    answers = flood(ana, BURST + 80)  # fewer than the hundred refusals that end a session
    assert [m["id"] for m in answers] == list(range(BURST + 80))
    refused = [m for m in answers if m["type"] == "error"]
    assert {m["code"] for m in refused} == {"rate_limited"}
    assert all(0 < m["retry_after"] <= 10 for m in refused)
    assert 0 < len(refused) <= 81  # the register may have spent one
    assert all(m["type"] == "users" for m in answers[: BURST - 1])
    time.sleep(refused[-1]["retry_after"])  # the promise is that this is long enough
    assert ana.ask("users")["type"] == "users"


def test_a_refused_request_is_not_carried_out_and_others_are_not_affected(start_server):
    server = start_server("--rate-limit", "10/s")
    ana, luis = server.user("ana"), server.user("luis")
    ana.send_all(*({"type": "say", "text": str(n), "id": n} for n in range(BURST + 40)))
    answers = {m["id"]: m for m in ana.until_answered(*range(BURST + 40)) if "id" in m}
    said = [n for n, answer in answers.items() if answer["type"] == "ok"]
    assert len(said) < BURST + 40
    heard = [m["text"] for m in server.sync(luis)[0] if m["type"] == "message"]
    assert heard == [str(n) for n in said]


def test_a_name_that_comes_back_goes_on_with_its_bucket(start_server):
    server = start_server("--rate-limit", "1/s", "--shared-addresses")
    server.user("luis")
    said = refused = 0
    for number in range(5):
        ana = server.user("ana", f"127.0.5.{number + 1}")
        answers = flood(ana, 10)
        said += sum(m["type"] == "users" for m in answers)
        refused += sum(m.get("code") == "rate_limited" for m in answers)
        ana.send("quit")
        ana.rest()
    assert refused > 0
    assert said < 5 * 10 - 20


def test_every_request_spends_from_the_bucket(start_server):
    server = start_server("--rate-limit", "10/s")
    fields = {"text": "x", "to": "observer", "name": "observer", "status": "ACTIVO"}
    server.user("observer")
    for kind in ("say", "direct", "status", "users", "info", "ping", "nope"):
        user = server.user(kind)
        user.send_all(*({"type": kind, "id": n, **fields} for n in range(100)))
        answers = [m for m in user.until_id(99) if "id" in m]
        assert "rate_limited" in {m.get("code") for m in answers}, kind


def test_pong_and_quit_spend_nothing(start_server):
    server = start_server("--rate-limit", "10/s")
    ana, luis = server.user("ana"), server.user("luis")
    ana.send_all(*[{"type": "pong"}] * 500)
    assert ana.ask("users")["type"] == "users"
    flood(ana, BURST + 20)
    ana.send("quit")
    luis.expect("left", name="ana", reason="quit")


@pytest.mark.parametrize(
    "line",
    [b"\n", b'{"type":"pong"}\n', b'{"type":"received","receipt":1}\n'],
    ids=["empty", "pong", "received"],
)
def test_a_flood_of_what_costs_nothing_ends_the_session(start_server, line):
    server = start_server("--rate-limit", "10/s")
    ana, luis = server.user("ana"), server.user("luis")
    ana.send_raw(line * 400)
    ana.roundtrip()
    with contextlib.suppress(OSError):
        ana.send_raw(line * 100_000)
    luis.expect("left", name="ana", reason="flood")
    ana.wait_for_end()
    server.user("ana", ana.source)


def test_a_flood_of_empty_lines_before_welcome_closes_the_connection(start_server):
    server = start_server("--rate-limit", "10/s")
    address = fresh_address()
    newcomers = [server.peer(address) for _ in range(32)]
    for newcomer in newcomers:
        with contextlib.suppress(OSError):
            newcomer.send_raw(b"\n" * 1_000_000)
    for newcomer in newcomers:
        newcomer.wait_for_end()
        newcomer.close()
    wait_for(lambda: server.has_room_for("luis", address))
    ana = server.peer()
    ana.send_raw(b"\n" * 400)
    ana.register("ana")


def test_the_hundredth_refusal_within_ten_seconds_ends_the_session(start_server):
    server = start_server("--rate-limit", "10/s")
    ana, luis = server.user("ana"), server.user("luis")
    with contextlib.suppress(OSError):
        ana.send_all(*[{"type": "users"}] * 1000)
    luis.expect("left", name="ana", reason="flood")
    refusals = []
    with contextlib.suppress(ConnectionResetError):
        refusals += [m for m in ana.rest() if m.get("code") == "rate_limited"]
    assert len(refusals) <= 100
    server.user("ana", ana.source)


def test_a_full_server_says_so_and_has_room_again_when_somebody_leaves(start_server):
    server = start_server("--max-users", "2")
    ana, luis = server.user("ana"), server.user("luis")
    eva = server.peer()
    eva.send("register", name="eva", id=1)
    eva.expect_error("server_full", id=1)
    eva.expect_end()
    luis.send("quit")
    ana.until("left", name="luis")
    server.user("eva", eva.source)


def test_a_full_server_lets_a_token_take_over(start_server):
    server = start_server("--max-users", "1")
    ana = server.user("ana")
    server.peer().register("ana", token=ana.token)


def test_connections_beyond_the_bound_are_refused(start_server):
    server = start_server("--max-users", "2", "--max-unregistered", "3")
    ana = server.user("ana")
    hanging = [server.peer() for _ in range(12)]
    full = [peer for peer in hanging if refused_as_full(peer)]
    assert len(full) >= 12 - (2 + 3)
    assert ana.ask("say", text="hola")["type"] == "ok"
    for peer in hanging:
        peer.close()
    wait_for(lambda: server.has_room_for("luis"))


def test_one_address_has_few_unregistered_connections(start_server):
    server = start_server("--max-unregistered-per-address", "3")
    first = server.peer()
    others = [server.peer(first.source) for _ in range(2)]
    for peer in (first, *others):
        assert peer.roundtrip() == []
    assert refused_as_full(server.peer(first.source))
    server.user("ana")  # from another address
    others[0].send("quit")
    others[0].wait_for_end()
    others[0].close()
    wait_for(lambda: server.has_room_for("luis", first.source))


def test_shared_addresses_lift_the_bound_for_one_address(start_server):
    server = start_server("--shared-addresses", "--max-unregistered-per-address", "2")
    first = server.peer()
    for _ in range(5):
        assert server.peer(first.source).roundtrip() == []


def refused_as_full(peer):
    """Return whether a new connection is refused because the server is full."""
    try:
        peer.send("ping")
        answer = peer.next()
    except ConnectionError:  # refused and closed before the ping came
        return True
    if answer is None or answer["type"] == "pong":
        return answer is None
    assert answer["code"] == "server_full"
    peer.wait_for_end()
    return True


@NOT_OVER_TLS
@BOTH_THREAD_MODELS
def test_without_descriptors_the_server_goes_on_and_does_not_spin(start_server):
    within = ("sh", "-c", 'ulimit -n 48; exec "$@"', "sh")
    server = start_server(within=within)
    ana, luis = server.users("ana", "luis")
    hanging = [server.peer() for _ in range(60)]
    cpu_s = cpu_seconds(server)
    start = time.monotonic()
    said = 0
    while time.monotonic() - start < 1.0:
        assert ana.ask("say", text="hola")["type"] == "ok"
        luis.until("message", text="hola")
        said += 1
        time.sleep(0.02)  # time in which the server must be idle
    assert cpu_seconds(server) - cpu_s < 0.5 + said * 0.005
    for peer in hanging:
        peer.close()
    wait_for(lambda: server.has_room_for("eva"))
    assert server.sync(ana)[0][-1]["name"] == "eva"
