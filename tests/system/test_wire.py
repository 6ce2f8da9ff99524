"""Lines on a real connection: split, several in a packet, too long, not JSON, incomplete."""

import json

import pytest

LONGEST = 65_536


def ping_of(size):
    """Return a ping of that many bytes, including its newline."""
    frame = json.dumps({"type": "ping", "id": 1, "pad": ""}).encode() + b"\n"
    return frame.replace(b'""', b'"' + b"x" * (size - len(frame)) + b'"')


def test_requests_are_understood_byte_by_byte(server):
    ana, luis = server.peer(), server.user("luis")
    lines = '{"type":"register","name":"ana","id":1}\n{"type":"say","text":"¿qué?","id":2}\r\n'
    for byte in lines.encode():
        ana.send_raw(bytes([byte]))
    ana.expect("welcome", id=1)
    ana.until_id(2)
    luis.until("message", text="¿qué?", **{"from": "ana"})


def test_fifty_messages_in_one_packet_are_fifty_messages(server):
    ana, luis = server.users("ana", "luis")
    ana.send_all(*({"type": "say", "text": str(n), "id": n} for n in range(50)))
    assert [luis.expect("message")["text"] for _ in range(50)] == [str(n) for n in range(50)]
    assert [m["id"] for m in ana.until_id(49) if m["type"] == "ok"] == list(range(50))


def test_empty_lines_are_nothing_and_a_line_of_blanks_is_malformed(server):
    ana = server.user("ana")
    ana.send_raw(b"\n\r\n\n")
    assert ana.roundtrip() == []
    for blank in (b" \n", b"\t\r\n"):
        ana.send_raw(blank)
        ana.expect_error("malformed")


def test_a_line_of_65536_bytes_is_read(server):
    ana = server.user("ana")
    ana.send_raw(ping_of(LONGEST))
    ana.expect("pong", id=1)
    ana.send_raw(ping_of(LONGEST) * 3)
    for _ in range(3):
        ana.expect("pong", id=1)


@pytest.mark.parametrize("size", [LONGEST + 1, 200_000])
def test_a_longer_line_ends_the_session_with_a_readable_error(server, size):
    ana, luis = server.users("ana", "luis")
    ana.send_raw(ping_of(size))
    ana.expect_error("line_too_long")
    ana.expect_end()
    luis.expect("left", name="ana", reason="protocol")


def test_a_longer_line_closes_an_unregistered_connection_too(server):
    peer = server.peer()
    peer.send_raw(ping_of(LONGEST + 1))
    peer.expect_error("line_too_long")
    peer.expect_end()


def test_lines_before_one_that_is_too_long_are_carried_out(server):
    ana, luis = server.users("ana", "luis")
    ana.send_raw(b'{"type":"say","text":"last words"}\n' + b"x" * LONGEST)
    luis.expect("message", text="last words")
    luis.expect("left", name="ana", reason="protocol")


def test_a_malformed_line_is_answered_and_does_no_harm(server):
    ana = server.user("ana")
    for line, request_id in [
        (b"\x00\x01\x02", None),
        (b'{"type":"users","x":"\xff","id":5}', None),
        (b'{"type":"say","text":5,"id":5}', 5),
    ]:
        ana.send_raw(line + b"\n")
        assert ana.expect_error("malformed").get("id") == request_id
    assert server.sync(ana) == [[]]


def test_the_tenth_malformed_line_ends_the_session(server):
    ana, luis = server.users("ana", "luis")
    for _ in range(9):
        ana.send_raw(b"no json\n")
        ana.expect_error("malformed")
    assert ana.roundtrip() == []
    ana.send_raw(b"no json\n")
    assert {m.get("code") for m in ana.rest() if m["type"] != "left"} <= {"malformed"}
    luis.expect("left", name="ana", reason="protocol")


def test_an_unknown_type_is_answered_and_does_no_harm(server):
    ana = server.user("ana")
    for _ in range(12):  # more than malformed ones would be allowed
        ana.send("nope", id=5)
        ana.expect_error("unknown_type", id=5)
    ana.send("nope")
    assert "id" not in ana.expect_error("unknown_type")


def test_every_answer_carries_the_id_of_its_request(server):
    ana, _ = server.users("ana", "luis")
    for request, kind in [
        ({"type": "ping"}, "pong"),
        ({"type": "users"}, "users"),
        ({"type": "info", "name": "ana"}, "info"),
        ({"type": "direct", "to": "luis", "text": "hola"}, "ok"),
        ({"type": "status", "status": "ACTIVO"}, "ok"),
        ({"type": "register", "name": "ana"}, "error"),
        ({"type": "history"}, "error"),
        ({"type": "search", "text": "hola"}, "error"),
    ]:
        ana.send_all(request | {"id": 0})
        ana.expect(kind, id=0)
        ana.send_all(request)
        if kind != "ok":  # only an `ok` needs an id in the request
            assert "id" not in ana.expect(kind)
    assert ana.roundtrip() == []


def test_ping_is_answered_with_pong_before_and_after_welcome(server):
    peer = server.peer()
    peer.send("ping", id=3)
    peer.expect("pong", id=3)
    peer.send("ping")
    assert peer.expect("pong") == {"type": "pong"}
    peer.register("ana")
    peer.send("ping", id=3)
    peer.expect("pong", id=3)


def test_before_welcome_hardly_anything_is_allowed(server):
    luis, peer = server.user("luis"), server.peer()
    for request in (
        {"type": "say", "text": "hola"},
        {"type": "direct", "to": "luis", "text": "hola"},
        {"type": "status", "status": "OCUPADO"},
        {"type": "users"},
        {"type": "info", "name": "luis"},
        {"type": "history"},
        {"type": "search", "text": "hola"},
        {"type": "nope"},
    ):
        peer.send_all(request | {"id": 6})
        peer.expect_error("not_registered", id=6)
    peer.send("pong")
    assert peer.roundtrip() == []
    assert server.sync(luis) == [[]]
    peer.register("ana")


def test_before_welcome_the_65th_line_closes(server):
    peer = server.peer()
    for number in range(64):
        peer.send("ping", id=number)
        peer.expect("pong", id=number)
    peer.send("ping", id=64)
    assert all(m["type"] == "error" for m in peer.rest())
    patient = server.peer()
    patient.send_all(*[{"type": "ping"}] * 63, {"type": "register", "name": "ana"})
    patient.until("welcome", name="ana")
