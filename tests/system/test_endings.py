"""The end of a session: each cause has its reason, and name and address are free at once."""

import pytest
from faults import threads_of
from peers import BOTH_THREAD_MODELS, IN_CLUSTER_TOO, wait_for

pytestmark = BOTH_THREAD_MODELS

REGISTER = b'{"type":"register","name":"luis","id":1}\n'
SAY = b'{"type":"say","text":"last words","id":2}\n'
USERS = b'{"type":"users","id":3}\n'


@IN_CLUSTER_TOO
@pytest.mark.parametrize(
    ("end", "reason"),
    [
        (lambda peer: peer.send("quit"), "quit"),
        (lambda peer: peer.close(), "quit"),
        (lambda peer: peer.reset(), "lost"),
        (lambda peer: (peer.send_raw(b'{"type":"sa'), peer.half_close()), "lost"),
    ],
    ids=["quit", "close", "rst", "mid-line"],
)
def test_everyone_is_told_why_a_session_ended_and_its_place_is_free(server, end, reason):
    ana, luis = server.users("ana", "luis")
    end(luis)
    left = ana.expect("left", name="luis", reason=reason)
    assert set(left) == {"type", "seq", "time", "name", "reason"}
    assert ana.ask("direct", to="luis", text="psst")["code"] == "user_not_connected"
    assert ana.ask("users")["users"] == [{"name": "ana", "status": "ACTIVO"}]
    server.user("luis", luis.source)
    ana.expect("joined", name="luis")


def test_the_server_closes_after_a_quit(server):
    for registered in (True, False):
        peer = server.user("ana") if registered else server.peer()
        peer.send("quit")
        peer.wait_for_end()


def test_requests_after_a_quit_are_not_carried_out(server):
    ana, luis = server.users("ana", "luis")
    luis.send_all({"type": "quit"}, {"type": "say", "text": "too late"})
    ana.expect("left", name="luis", reason="quit")
    assert server.sync(ana) == [[]]


@IN_CLUSTER_TOO
@pytest.mark.parametrize("last", [b"", b'{"type":"quit"}\n'], ids=["eof", "quit"])
def test_whole_lines_before_the_end_are_all_carried_out_and_answered(server, last):
    ana, peer = server.user("ana"), server.peer()
    pings = b"".join(b'{"type":"ping","id":%d}\n' % n for n in range(10, 200))
    direct = b'{"type":"direct","to":"ana","text":"psst","id":4}\n'
    peer.send_raw(REGISTER + SAY + USERS + direct + pings + last)
    peer.half_close()
    everything = peer.rest()
    assert [m["text"] for m in everything if m["type"] == "message"] == ["last words"]
    answers = [m for m in everything if "id" in m]
    assert [m["type"] for m in answers] == ["welcome", "ok", "users", "ok"] + ["pong"] * 190
    seen = ana.until("left", name="luis", reason="quit") + ana.roundtrip()
    assert sorted(m["type"] for m in seen) == ["direct", "joined", "left", "message"]


@IN_CLUSTER_TOO
@pytest.mark.parametrize("last", [b"", b'{"type":"quit"}\n'], ids=["eof", "quit"])
def test_a_user_who_says_something_and_leaves_gets_its_own_message(server, last):
    luis = server.user("luis")
    luis.send_raw(SAY + last)
    luis.half_close()
    kinds = sorted(m["type"] for m in luis.rest() if m.get("name") != "luis")
    assert kinds == ["message", "ok"]


def test_the_message_of_a_client_that_never_reads_reaches_the_others(server):
    ana, peer = server.user("ana"), server.peer()
    peer.send_raw(REGISTER + SAY)
    peer.close()
    ana.expect("joined", name="luis")
    ana.expect("message", text="last words")
    ana.until("left", name="luis")


def test_an_end_in_the_middle_of_a_line_drops_that_line_alone(server):
    ana, luis = server.users("ana", "luis")
    luis.send_raw(SAY + SAY.replace(b"last", b"half of")[:-1])
    luis.half_close()
    assert luis.until_id(2)[-1]["type"] == "ok"
    luis.wait_for_end()
    ana.expect("message", text="last words")
    ana.expect("left", name="luis", reason="lost")
    assert server.sync(ana) == [[]]


def test_a_connection_that_never_registered_leaves_without_a_word(server):
    ana = server.user("ana")
    for end in ("half_close", "close", "reset"):
        peer = server.peer()
        peer.send_raw(b'{"type":"reg')
        getattr(peer, end)()
    assert server.sync(ana) == [[]]


def test_users_who_die_in_a_busy_room_disturb_nobody(server):
    ana, luis = server.users("ana", "luis")
    for number in range(40):
        dying = server.user("dying")
        for n in range(20):
            ana.send("say", text=f"{number}.{n}")
        dying.send_raw(b'{"type":"say","text":"x"}\n' * 10)
        dying.reset()
        luis.until("left", name="dying")
    texts = [m["text"] for m in server.sync(ana)[0] if m.get("from") == "ana"]
    assert texts == [f"{number}.{n}" for number in range(40) for n in range(20)]


def test_the_threads_of_a_server_do_not_grow_with_the_sessions_that_have_ended(start_server):
    server = start_server()
    ana = server.user("ana")
    before = threads_of(server)
    for end in ("half_close", "close", "reset"):
        luis = server.user("luis")
        getattr(luis, end)()
        ana.until("left", name="luis")
    wait_for(lambda: threads_of(server) == before)
