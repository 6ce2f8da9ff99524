"""Who has seen a message, seen from outside."""

import time

import pytest
from operators import error_of, operator
from peers import BOTH_THREAD_MODELS, Server, wait_for

pytestmark = BOTH_THREAD_MODELS


def seen_by(peer, seq):
    answer = peer.ask("seen_by", seq=seq)
    assert (answer["type"], answer.get("seq")) == ("seen_by", seq), answer
    return answer["seen"], answer["not_seen"], answer["unknown"]


@pytest.fixture
def seen_server(start, secret_file):
    return start("--operator-secret", str(secret_file))


def test_a_teacher_learns_who_has_seen_a_message(seen_server, start, secret_file):
    ana, luis, eva, ci = seen_server.users("ana", "luis", "eva", "ci")
    eva.send("seen", seq=ana.seq)
    seq = ana.ask("say", text="a las 8")["seq"]
    luis.send("seen", seq=seq, id=4)
    assert [m["type"] for m in luis.roundtrip()] == ["message"], "it has no answer"
    eva.roundtrip()
    assert seen_by(ana, seq) == (["luis"], ["eva"], ["ci"])
    assert error_of(luis, "seen_by", seq=seq) == "not_operator"
    assert error_of(luis, "seen_by", seq=ana.seq) == "not_found"
    assert error_of(ci, "seen", seq="x") == "malformed"
    again = seen_server.peer(luis.source)
    again.register("luis", token=luis.token)
    profesora = operator(seen_server, "profesora")
    assert seen_by(profesora, seq) == (["luis"], ["eva"], ["ci", "profesora"])
    seen_server.stop()
    server = start("--operator-secret", str(secret_file))
    ana, luis = server.user("ana"), server.user("luis")
    assert error_of(luis, "seen_by", seq=seq) == "not_operator"  # found in the history
    assert seen_by(ana, seq) == ([], [], ["luis"])


def test_reports_are_free_of_the_rate_limit_but_no_flood(threads, tmp_path):
    server = Server(("--threads", threads, "--rate-limit", "1/s"), tmp_path / "server.log")
    ana, luis = server.user("ana"), server.user("luis")
    seq = luis.seq
    ana.send_all(*({"type": "seen", "seq": seq} for _ in range(100)))
    assert ana.ask("say", text="hola")["type"] == "ok"
    ana.send_all(*({"type": "seen", "seq": seq} for _ in range(2_000)))
    rest = ana.rest()
    assert (rest[-1]["type"], rest[-1]["code"]) == ("error", "rate_limited")
    assert luis.until("left", name="ana")[-1]["reason"] == "flood"
    server.stop()


def test_one_report_in_two_seconds_counts_and_the_last_one_in_the_end(seen_server):
    ana, luis = seen_server.users("ana", "luis")
    first = ana.ask("say", text="uno")["seq"]
    last = ana.ask("say", text="dos")["seq"]
    # In one piece, so that a slow machine does not get between them.
    luis.send_all(
        {"type": "seen", "seq": first},
        {"type": "seen", "seq": last},
        {"type": "direct", "to": "ana", "text": "visto", "id": 1},
    )
    told = time.monotonic()
    ana.until("direct")
    assert seen_by(ana, first) == (["luis"], [], [])
    counted = seen_by(ana, last)[0]
    assert counted == [] or time.monotonic() - told > 1.5
    wait_for(lambda: seen_by(ana, last) == (["luis"], [], []), "the last report to count")
