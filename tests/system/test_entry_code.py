"""The code that lets people in, seen from outside."""

import re
import time

import pytest
from peers import BOTH_THREAD_MODELS, fresh_address
from web_peer import WebPeer

CODE = "able-baker-cat"


def try_code(server, code, source=None):
    """Try to register with a code; return the answer, after which the server closes."""
    peer = server.peer(source)
    peer.send("register", name="ana", id=1, **({} if code is None else {"code": code}))
    answer = peer.next()
    assert answer["id"] == 1
    if answer.get("code") in ("code_required", "code_wrong"):
        peer.expect_end()
    return answer


@BOTH_THREAD_MODELS
def test_whoever_gives_the_code_comes_in_and_nobody_else(start_server):
    server = start_server("--code", "Able baker CAT")
    assert try_code(server, None)["code"] == "code_required"
    assert try_code(server, "able-baker-cut")["code"] == "code_wrong"
    assert try_code(server, CODE)["type"] == "welcome"


def test_over_a_websocket_it_is_the_same(start_server):
    server = start_server("--code", CODE, "--shared-addresses")
    for code, answer in ((None, "code_required"), ("no", "code_wrong")):
        peer = WebPeer("127.0.0.1", server.port)
        server.peers.append(peer)
        peer.send("register", name="ana", id=1, **({} if code is None else {"code": code}))
        peer.expect_error(answer, id=1)
        peer.expect_end()
    peer = WebPeer("127.0.0.1", server.port)
    server.peers.append(peer)
    peer.register("ana", code="Able Baker Cat")


def test_a_code_of_the_wrong_kind_is_malformed_and_may_be_corrected(start_server):
    server = start_server("--code", CODE)
    peer = server.peer()
    peer.send("register", name="ana", code=5, id=1)
    peer.expect_error("malformed", id=1)
    peer.register("ana", code=CODE)


def test_without_a_code_a_given_one_is_ignored(server):
    server.peer().register("ana", code="whatever")


@BOTH_THREAD_MODELS
def test_after_five_wrong_codes_the_address_has_to_wait_and_others_come_in(start_server):
    server = start_server("--code", CODE)
    guesser = fresh_address()
    assert [try_code(server, f"no {n}", guesser)["code"] for n in range(5)] == ["code_wrong"] * 5
    for code in ("no", CODE, None):
        refusal = try_code(server, code, guesser)
        assert refusal["code"] == "rate_limited"
        assert 0 < refusal["retry_after"] <= 300
    assert try_code(server, CODE)["type"] == "welcome"


@BOTH_THREAD_MODELS
def test_without_the_code_nobody_learns_who_is_here(start_server):
    """Whoever does not know the code gets the same answer for a taken, a free and no name."""
    server = start_server("--code", CODE)
    server.peer().register("ana", code=CODE)
    answers = []
    for name in ("ana", "luis", "not a name", "todos"):
        peer = server.peer()
        peer.send("register", name=name, code="no")
        answers.append(peer.next())
        peer.expect_end()
    assert answers == [answers[0]] * 4
    assert answers[0]["code"] == "code_wrong"


@BOTH_THREAD_MODELS
def test_guessing_keeps_nobody_waiting_and_fills_no_log(start_server):
    server = start_server("--code", CODE)
    guessers = [server.peer() for _ in range(30)]
    for guesser in guessers:
        line = b'{"type":"register","name":"ana","code":"xyzzy"}\n'
        guesser.send_raw(line)
    started_at = time.monotonic()
    server.peer().register("luis", code=CODE)
    assert time.monotonic() - started_at < 10.0, "a second for each guess would be thirty"
    for guesser in guessers:
        guesser.expect_error("code_wrong")
    assert len(re.findall("code=code_wrong", server.wait_for_log("code_wrong"))) == 1
    assert "xyzzy" not in server.log()


def test_a_take_over_needs_the_code_as_well(start_server):
    server = start_server("--code", CODE)
    ana = server.peer()
    token = ana.register("ana", code=CODE)["token"]
    thief = server.peer()
    thief.send("register", name="ana", token=token)
    thief.expect_error("code_required")
    server.peer().register("ana", code=CODE, token=token)
    ana.wait_for_end()


@pytest.mark.alone("--code auto is refused: each node would make another code")
def test_a_code_made_by_the_server_is_in_the_line_to_type(start_server):
    server = start_server("--code", "auto")
    log = server.wait_for_log("There is room")
    (code,) = set(re.findall(r"--code (\S+)", log))
    assert f"#code={code} " in log
    assert re.fullmatch(r"[a-z]+-[a-z]+-[a-z]+", code)
    assert try_code(server, code)["type"] == "welcome"
