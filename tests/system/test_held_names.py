"""Names that are held for their keys, seen from outside: also over restarts and kill -9."""

import signal

import pytest
from peers import BOTH_THREAD_MODELS

MINE, YOURS = "mine-" + "A" * 22, "yours_" + "b" * 122


def refused(server, name, source=None, **fields):
    peer = server.peer(source)
    peer.send("register", name=name, id=1, **fields)
    error = peer.expect("error", id=1)
    peer.expect_end()
    return error


def leave(peer):
    peer.send("quit")
    peer.wait_for_end()


@BOTH_THREAD_MODELS
def test_a_name_is_held_for_whoever_used_it_first(start_server):
    server = start_server("--hold-names", "90")
    leave(server.user("María", key=MINE))
    for spelling in ("maria", "ＭＡＲÍＡ"):
        for fields in ({}, {"key": YOURS}):
            error = refused(server, spelling, **fields)
            assert error["code"] == "name_held"
            assert "name" not in error
    server.user("maria", key=MINE)
    assert refused(server, "maria", key=YOURS)["code"] == "name_held"
    assert refused(server, "maria", key=MINE)["code"] == "name_taken"
    server.user("luis", key=YOURS)


def test_without_the_option_the_key_is_ignored(server):
    leave(server.user("ana", key=MINE))
    leave(server.user("ana", key=YOURS))


def test_what_is_no_key_is_malformed_and_may_be_corrected(start_server):
    server = start_server("--hold-names", "90")
    peer = server.peer()
    peer.send("register", name="ana", key=MINE + "\n", id=1)
    peer.expect_error("malformed", id=1)
    peer.register("ana", key=MINE)


@BOTH_THREAD_MODELS
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_a_name_is_still_held_after_the_end_of_the_server(start, number):
    server = start("--hold-names", "90")
    leave(server.user("luis", key=MINE))
    ana = server.user("ana", key=MINE)
    assert ana.ask("say", text="on the disk")["type"] == "ok"  # and so is what came before
    server.signal(number)
    server.process.wait(10)
    server = start("--hold-names", "90")
    for name in ("ana", "luis"):
        assert refused(server, name, key=YOURS)["code"] == "name_held"
        server.user(name, key=MINE)


def test_a_server_without_history_holds_names_in_memory(start_server):
    server = start_server("--hold-names", "90", "--history", "off")
    leave(server.user("ana", key=MINE))
    assert refused(server, "ana")["code"] == "name_held"


def test_the_key_is_nowhere_in_the_file(start, path):
    server = start("--hold-names", "90")
    leave(server.user("ana", key=MINE))
    server.stop()
    assert MINE.encode() not in path.read_bytes()


def test_a_name_whose_days_are_over_is_free(start):
    server = start("--hold-names", "1e-12")
    leave(server.user("ana", key=MINE))
    server.user("ana", key=YOURS)
