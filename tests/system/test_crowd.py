"""Everything works with a thousand sessions as it does with two."""

import pytest


# A thousand threads would work too, but slowly: every message wakes them all.
@pytest.mark.parametrize(
    ("threads", "count"), [("2", 1000), ("session", 150)], indirect=["threads"]
)
def test_a_crowd_talks_and_is_told(start_server, count):
    server = start_server()
    ana, luis = server.users("ana", "luis")
    crowd = [server.peer() for _ in range(count - 2)]
    for number, peer in enumerate(crowd):
        peer.send("register", name=f"user{number}", id=1, events="messages")
    for number, peer in enumerate(crowd):
        peer.expect("welcome", id=1, name=f"user{number}")
    joined = [m["name"] for m in server.sync(luis, ana)[1]]
    assert sorted(joined) == sorted(f"user{number}" for number in range(count - 2))
    for peer in crowd:
        peer.until("message")  # the mark of `sync`

    listed = ana.ask("users")["users"]
    assert len(listed) == count
    assert {user["status"] for user in listed} == {"ACTIVO"}

    message = {"from": "ana", "text": "hola a todos"}
    assert ana.ask("say", text="hola a todos")["type"] == "ok"
    heard = [peer.expect("message", **message) for peer in crowd]
    assert len({m["seq"] for m in heard}) == 1

    for peer in crowd[::100]:
        peer.send("say", text="hola, ana")
    for peer in (ana, luis, *crowd):
        for _ in crowd[::100]:
            peer.until("message", text="hola, ana")

    last = crowd[-1]
    assert ana.ask("direct", to=f"user{count - 3}", text="psst")["type"] == "ok"
    last.expect("direct", text="psst")
    assert luis.ask("info", name=f"user{count - 3}")["address"] == last.source

    for peer in crowd[: count // 2]:
        peer.reset()
    left = set()
    while len(left) < count // 2:
        left.add(luis.until("left")[-1]["name"])
    assert left == {f"user{number}" for number in range(count // 2)}
    assert len(luis.ask("users")["users"]) == count - count // 2
    server.user("user0")
    luis.until("joined", name="user0")
