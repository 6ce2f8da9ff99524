"""Keeping order, seen from outside: every row of the operators' table, and those who attack it."""

import json
import re

import pytest
from operators import SECRET, error_of, operator, refused
from peers import BOTH_THREAD_MODELS, Server, fresh_address
from web_peer import WebPeer

TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z\Z")
pytestmark = BOTH_THREAD_MODELS


@pytest.fixture(scope="module")
def ordered_server(threads, secret_file, tmp_path_factory):
    folder = tmp_path_factory.mktemp("ordered")
    options = ("--threads", threads, "--rate-limit", "off", "--operator-secret", str(secret_file))
    server = Server((*options, "--history", str(folder / "history.db")), folder / "server.log")
    yield server
    server.stop()


@pytest.fixture
def room(ordered_server):
    """A server without clients; after the test everything that was decided is lifted."""
    yield ordered_server
    assert ordered_server.process.poll() is None, ordered_server.log()
    ordered_server.part()
    keeper = operator(ordered_server, "keeper")
    keeper.ask("hush", on=False)
    keeper.ask("lock", on=False)
    keeper.ask("pin")
    for ban in keeper.ask("bans")["bans"]:
        keeper.ask("unban", **({"name": ban["name"]} if "name" in ban else ban_of(ban)))
    ordered_server.part()


def ban_of(row):
    return {"address": row["address"]}


# --- becoming an operator ------------------------------------------------------------------------


def test_the_secret_makes_an_operator_and_everyone_learns_it(room):
    luis, bot = room.user("luis"), room.user("bot", events="messages")
    ana = operator(room)
    for peer in (luis, ana, bot):
        role = peer.until("role")[-1]
        assert (role["name"], role["operator"]) == ("ana", True)
        assert TIME.match(role["time"])
        assert role["seq"] > peer.seq
    rows = {row["name"]: row.get("operator") for row in luis.ask("users")["users"]}
    assert rows == {"luis": None, "bot": None, "ana": True}
    again = room.peer(ana.source)
    assert again.register("ana", token=ana.token)["operator"] is True
    assert luis.until("joined", name="ana")[-1]["operator"] is True
    assert again.ask("bans")["type"] == "bans"


def test_nobody_enters_under_a_name_that_looks_like_an_operator_s(room):
    before = room.user("an.a")
    ana = operator(room)
    for name in ("Ana.", "a_n-a", "ÁNA"):
        error = refused(room, name)
        assert (error["code"], error["name"]) == ("name_taken", "ana"), name
    room.user("anna")
    room.user("ana2")
    assert before.ask("say", text="hola")["type"] == "ok"
    ana.close()
    before.until("left", name="ana")
    room.user("ana.")


def test_only_operators_may_ask_and_the_rest_goes_on(room):
    luis, eva = room.users("luis", "eva")
    for request in (
        {"type": "kick", "name": "eva"},
        {"type": "ban", "name": "eva"},
        {"type": "unban", "name": "eva"},
        {"type": "bans"},
        {"type": "mute", "name": "eva"},
        {"type": "unmute", "name": "eva"},
        {"type": "hush", "on": True},
        {"type": "lock", "on": True},
        {"type": "pin", "seq": 1},
        {"type": "release", "name": "eva"},
    ):
        assert error_of(luis, **{"kind": request.pop("type"), **request}) == "not_operator"
    assert room.sync(luis, eva) == [[], []]


def test_the_secret_cannot_be_guessed(room):
    luis, source = room.user("luis"), fresh_address()
    eve = room.user("eve", source)
    for guess in ("", "wrong", SECRET[:-1], SECRET + "x", "\u0000ñ" * 1_000):
        assert error_of(eve, "operator", secret=guess) == "operator_wrong"
    limited = eve.ask("operator", secret=SECRET)
    assert (limited["type"], limited["code"]) == ("error", "rate_limited")
    assert 0 < limited["retry_after"] <= 300
    eve.send("quit")
    eve.expect_end()
    again = room.user("eva", source)  # another name does not help
    assert error_of(again, "operator", secret=SECRET) == "rate_limited"
    assert luis.ask("operator", secret=SECRET)["type"] == "ok"
    assert room.wait_for_log("wrong operator secret").count("wrong operator secret") == 1
    assert SECRET not in room.log()


# --- kick and ban --------------------------------------------------------------------------------


def test_a_kick_ends_the_session_with_a_word_and_everyone_learns_why(room):
    luis, eva, ana = room.user("luis"), room.user("eva"), operator(room)
    assert ana.ask("kick", name="LUIS", reason="diez líneas por segundo") == {
        "type": "ok",
        "id": 1_000_001,
    }
    closing = luis.rest()[-1]
    assert closing == {
        "type": "closing",
        "reason": "kicked",
        "by": "ana",
        "text": "diez líneas por segundo",
    }
    for peer in (eva, ana):
        left = peer.until("left")[-1]
        assert (left["name"], left["reason"]) == ("luis", "kicked")
        assert (left["by"], left["text"]) == ("ana", "diez líneas por segundo")
    assert room.user("luis", luis.source).name == "luis"


def test_a_kick_of_a_client_that_reads_nothing_ends_it_too(room):
    ana = operator(room)
    luis = room.user("luis")
    luis.send("say", text="hola")
    assert ana.ask("kick", name="luis")["type"] == "ok"
    assert [row["name"] for row in ana.ask("users")["users"]] == ["ana"]
    assert ana.ask("direct", to="luis", text="x")["code"] == "user_not_connected"
    luis.wait_for_end()


def test_over_websocket_an_operator_keeps_order_and_a_kick_closes(room):
    ana, luis = (WebPeer(room.host, room.port, fresh_address()) for _ in range(2))
    room.peers += [ana, luis]
    ana.register("ana")
    luis.register("luis")
    assert ana.ask("operator", secret=SECRET)["type"] == "ok"
    assert ana.ask("ban", name="luis", reason="spam", minutes=1)["type"] == "ok"
    assert luis.rest()[-1]["type"] == "closing"
    assert (luis.close_code, luis.close_reason) == (1000, "kicked")
    assert [ban["name"] for ban in ana.ask("bans")["bans"]] == ["luis"]
    assert refused(room, "luis")["code"] == "banned"


def test_a_ban_by_name_holds_the_address_and_is_lifted_again(room):
    luis, ana = room.user("luis"), operator(room)
    assert ana.ask("ban", name="luis", minutes=30, reason="spam")["type"] == "ok"
    closing = luis.rest()[-1]
    assert (closing["reason"], closing["text"]) == ("kicked", "spam")
    assert 1_790 < closing["retry_after"] <= 1_800
    for name, source in (("Luís", fresh_address()), ("pepe", luis.source)):
        error = refused(room, name, source)
        assert (error["code"], error["text"]) == ("banned", "spam")
        assert 1_700 < error["retry_after"] <= 1_800
        assert "spam" in error["message"]
    (row,) = ana.ask("bans")["bans"]
    assert (row["name"], row["address"], row["by"]) == ("luis", luis.source, "ana")
    assert row["reason"] == "spam"
    assert TIME.match(row["until"])
    assert ana.ask("unban", name="LUIS")["type"] == "ok"
    assert ana.ask("bans")["bans"] == []
    assert room.user("pepe", luis.source).name == "pepe"
    assert error_of(ana, "unban", name="luis") == "not_found"


def test_a_network_is_banned_but_not_with_the_operator_in_it(room):
    ana = operator(room)
    peers = {last: room.user(f"u{last}", f"127.77.0.{last}") for last in (1, 14, 17)}
    check = ana.ask("ban", address="127.77.0.0/28", check=True)
    assert {row["name"] for row in check["users"]} == {"u1", "u14"}
    assert ana.ask("ban", address="127.77.0.0/28")["type"] == "ok"
    for last in (1, 14):
        assert peers[last].rest()[-1]["reason"] == "kicked"
    assert refused(room, "new", "127.77.0.9")["code"] == "banned"
    assert "retry_after" not in refused(room, "new", "127.77.0.9")
    assert [row["name"] for row in ana.ask("users")["users"]] == ["ana", "u17"]
    for address in (ana.source, f"::ffff:{ana.source}", "127.0.0.0/8", "0.0.0.0/0"):
        assert error_of(ana, "ban", address=address) == "address_invalid"
    assert error_of(ana, "ban", name="ana") == "address_invalid"
    assert ana.ask("unban", address="127.77.0.3/28")["type"] == "ok"
    assert room.user("new", "127.77.0.9").name == "new"
    assert ana.ask("ban", address="127.77.0.17", minutes=30)["type"] == "ok"
    assert peers[17].rest()[-1]["reason"] == "kicked"
    assert 1_700 < refused(room, "u17", "127.77.0.17")["retry_after"] <= 1_800
    assert room.user("next", "127.77.0.18").name == "next"


def test_bad_requests_are_refused_in_words_and_do_nothing(room):
    luis, ana = room.user("luis"), operator(room)
    for kind, fields, code in (
        ("kick", {}, "malformed"),
        ("kick", {"name": 7}, "malformed"),
        ("kick", {"name": "nobody"}, "user_not_connected"),
        ("kick", {"name": "no name at all"}, "user_not_connected"),
        ("kick", {"name": "luis", "reason": "x" * 201}, "text_too_long"),
        ("kick", {"name": "luis", "reason": "x" * 60_000}, "text_too_long"),
        ("kick", {"name": "luis", "reason": "\x1b[2J"}, "text_invalid"),
        ("ban", {}, "malformed"),
        ("ban", {"name": "x", "address": "10.0.0.1"}, "malformed"),
        ("ban", {"name": "no name"}, "user_not_connected"),
        ("ban", {"name": "luis", "minutes": 0}, "malformed"),
        ("ban", {"name": "luis", "minutes": 1e300}, "malformed"),
        ("ban", {"address": "10.0.0.0/99"}, "address_invalid"),
        ("mute", {"name": "nobody"}, "user_not_connected"),
        ("unmute", {"name": "luis"}, "not_found"),
    ):
        answer = ana.ask(kind, **fields)
        assert (answer["type"], answer.get("code")) == ("error", code), (kind, fields)
        assert answer["message"]
    ana.send("quit")
    ana.rest()
    ana = operator(room, "eva")  # the malformed ones are counted
    for kind, fields, code in (
        ("hush", {}, "malformed"),
        ("hush", {"on": "yes"}, "malformed"),
        ("pin", {"seq": 2**50}, "not_found"),
        ("pin", {"seq": luis.seq + 1}, "not_found"),
        ("operator", {}, "malformed"),
    ):
        assert error_of(ana, kind, **fields) == code, (kind, fields)
    assert luis.roundtrip()
    assert all(event["type"] != "left" or event["name"] == "ana" for event in luis.roundtrip())


# --- mute, hush, lock, pin -----------------------------------------------------------------------


def test_a_muted_user_reads_and_writes_to_single_users_but_not_to_all(room):
    luis, eva, ana = room.user("luis"), room.user("eva", events="messages"), operator(room)
    assert ana.ask("mute", name="luis", minutes=10)["type"] == "ok"
    for peer in (luis, eva, ana):
        muted = peer.until("muted")[-1]
        assert (muted["name"], muted["by"]) == ("luis", "ana")
        assert TIME.match(muted["until"])
    refusal = luis.ask("say", text="hola")
    assert refusal["code"] == "muted"
    assert 590 < refusal["retry_after"] <= 600
    assert luis.ask("direct", to="ana", text="perdón")["type"] == "ok"
    luis.send("quit")
    luis.rest()
    again = room.user("pepe", luis.source)
    assert again.ask("say", text="hola")["code"] == "muted"
    other = room.user("luis")
    assert other.ask("say", text="hola")["code"] == "muted"
    assert ana.ask("unmute", name="luis")["type"] == "ok"
    assert other.until("unmuted")[-1]["by"] == "ana"
    for peer in (again, other):
        assert peer.ask("say", text="hola")["type"] == "ok"


def test_a_mute_and_the_messages_that_race_with_it_have_one_order_for_all(room, together):
    luis, eva, ana = room.user("luis"), room.user("eva"), operator(room)
    request_ids = range(1, 301)

    def talk():
        luis.send_all(*({"type": "say", "id": n, "text": str(n)} for n in request_ids))

    together(talk, lambda: ana.ask("mute", name="luis"))
    answers = {}
    while len(answers) < len(request_ids):
        message = luis.next()
        if message.get("id") in request_ids:
            answers[message["id"]] = message
    seen = room_events(eva, ana)
    said = [event for event in seen if event["type"] == "message"]
    muted_at = next(event["seq"] for event in seen if event["type"] == "muted")
    assert all(event["seq"] < muted_at for event in said)
    assert [int(event["text"]) for event in said] == [
        n for n in request_ids if answers[n]["type"] == "ok"
    ]
    assert {answers[n].get("code") for n in request_ids} <= {None, "muted"}
    ana.ask("unmute", name="luis")


def room_events(reader, speaker):
    speaker.send("say", text="end of the test")
    return reader.until("message", text="end of the test")[:-1]


def test_a_hushed_room_listens_to_operators_alone(room):
    luis, ana = room.user("luis"), operator(room)
    assert ana.ask("hush", on=True)["type"] == "ok"
    hushed = luis.until("hushed")[-1]
    assert (hushed["on"], hushed["by"]) == (True, "ana")
    assert luis.ask("say", text="hola")["code"] == "hushed"
    assert luis.ask("direct", to="ana", text="hola")["type"] == "ok"
    assert ana.ask("say", text="silencio, por favor")["type"] == "ok"
    eva = room.peer()
    assert eva.register("eva")["hushed"] is True
    assert eva.ask("say", text="hola")["code"] == "hushed"
    assert ana.ask("hush", on=False)["type"] == "ok"
    assert luis.ask("say", text="hola")["type"] == "ok"
    assert "hushed" not in room.peer().register("leo")


def test_a_locked_room_lets_back_in_who_was_here(room):
    luis, gone, ana = room.user("luis"), room.user("gone"), operator(room)
    gone.reset()
    ana.until("left", name="gone")
    assert ana.ask("lock", on=True)["type"] == "ok"
    locked = luis.until("locked")[-1]
    assert (locked["on"], locked["by"]) == (True, "ana")
    for name in ("stranger", "nobody"):
        error = refused(room, name)
        assert (error["code"], "name" in error) == ("locked", False)
    assert room.peer().register("gone")["locked"] is True
    assert room.peer().register("luis", token=luis.token)["locked"] is True
    assert ana.ask("kick", name="luis")["type"] == "ok"
    assert refused(room, "luis")["code"] == "locked"
    assert ana.ask("lock", on=False)["type"] == "ok"
    assert room.user("luis").name == "luis"


def test_a_message_is_pinned_and_whoever_comes_sees_it(room):
    luis, ana = room.user("luis"), operator(room)
    seq = luis.ask("say", text="a las 8")["seq"]
    assert ana.ask("pin", seq=seq)["type"] == "ok"
    pinned = luis.until("pinned")[-1]
    assert pinned["by"] == "ana"
    message = pinned["message"]
    assert (message["seq"], message["from"], message["text"]) == (seq, "luis", "a las 8")
    assert TIME.match(message["time"])
    assert room.peer().register("eva")["pinned"] == message
    assert ana.ask("pin")["type"] == "ok"
    assert "message" not in luis.until("pinned")[-1]
    assert "pinned" not in room.peer().register("leo")


# --- races and floods ----------------------------------------------------------------------------


def test_a_kick_that_races_with_a_take_over_leaves_one_session_at_most(room, together):
    ana = operator(room)
    for turn in range(10):
        old = room.user("luis", fresh_address())
        new = room.peer(old.source)
        together(
            lambda new=new, old=old: new.send("register", name="luis", token=old.token),
            lambda: ana.send("kick", name="luis"),
        )
        old.wait_for_end()
        welcome = new.next()
        assert welcome["type"] == "welcome", welcome
        ana.send("say", text=f"turn {turn}")
        events = ana.until("message", text=f"turn {turn}")
        reasons = [event["reason"] for event in events if event["type"] == "left"]
        names = [row["name"] for row in ana.ask("users")["users"]]
        # The kick came first, and ended the old one; or the take-over, and it ended the new one.
        assert (reasons, names) in (
            (["kicked"], ["ana", "luis"]),
            (["replaced", "kicked"], ["ana"]),
        )
        if names == ["ana"]:
            assert new.rest()[-1]["reason"] == "kicked"
        else:
            new.send("quit")
            new.rest()
            ana.until("left", reason="quit")


@pytest.mark.alone("each ban waits for its place in the log: ten thousand take a minute")
@pytest.mark.long
def test_ten_thousand_bans_are_listed_and_slow_nobody_down(room):
    ana, luis = operator(room), room.user("luis")
    ana.send_raw(
        b"".join(
            json.dumps(
                {"type": "ban", "address": f"10.{n // 250}.{n % 250}.1", "reason": "x" * 150}
            ).encode()
            + b"\n"
            for n in range(10_000)
        )
    )
    ana.roundtrip()
    # All requests are in one packet: while so much waits for ana, a pong must not end her session.
    ana.send_all({"type": "bans", "id": 1}, {"type": "ping", "id": 2}, {"type": "ping", "id": 3})
    answers = {message["id"]: message for message in ana.until_id(3) if "id" in message}
    assert len(answers[1]["bans"]) == 10_000
    assert luis.ask("say", text="hola")["type"] == "ok"
    assert room.user("eva").name == "eva"
    ana.send_all(
        *({"type": "unban", "address": ban["address"]} for ban in answers[1]["bans"]),
        {"type": "bans", "id": 4},
    )
    assert ana.until_id(4)[-1]["bans"] == []
