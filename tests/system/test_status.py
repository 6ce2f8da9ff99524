"""Status: a client asks, the server changes it and tells every user, in one order."""

import re
from functools import partial

from peers import BOTH_THREAD_MODELS

STATUSES = ["OCUPADO", "INACTIVO", "ACTIVO"]


def test_a_status_is_made_by_the_server_and_told_to_everyone(server):
    ana, luis = server.users("ana", "luis")
    for status in STATUSES:
        ana.send("status", status=status, id=3)
        presence = luis.expect("presence", name="ana", status=status, by="user")
        assert set(presence) == {"type", "seq", "time", "name", "status", "by"}
        own = {m["type"]: m for m in (ana.next(), ana.next())}
        assert own == {"ok": {"type": "ok", "id": 3}, "presence": presence}
        assert luis.ask("info", name="ana")["status"] == status
        assert {"name": "ana", "status": status} in luis.ask("users")["users"]


def test_an_unchanged_status_is_told_to_nobody(server):
    ana, luis = server.users("ana", "luis")
    assert ana.ask("status", status="ACTIVO")["type"] == "ok"
    ana.ask("status", status="OCUPADO")
    ana.until("presence")
    assert ana.ask("status", status="OCUPADO")["type"] == "ok"
    seen = server.sync(ana, luis)
    assert seen[0] == []
    assert [m["status"] for m in seen[1]] == ["OCUPADO"]


def test_a_status_that_does_not_exist_is_refused_and_told_to_nobody(server):
    ana, luis = server.users("ana", "luis")
    answer = ana.ask("status", status="ocupado")
    assert (answer["type"], answer["code"]) == ("error", "status_invalid")
    assert luis.ask("info", name="ana")["status"] == "ACTIVO"
    assert server.sync(ana, luis) == [[], []]


@BOTH_THREAD_MODELS
def test_statuses_are_seen_by_everyone_in_one_order(server, together):
    users = server.users("ana", "luis", "eva", "leo")

    seen = {user: [] for user in users}

    def change(user):
        for number in range(60):
            user.send("status", status=STATUSES[number % 3])
        user.send("say", text="done")
        while sum(m["type"] == "message" for m in seen[user]) < len(users):
            seen[user].append(user.next())

    together(*(partial(change, user) for user in users))
    first, *others = seen.values()
    assert all(other == first for other in others)
    last = {m["name"]: m["status"] for m in first if m["type"] == "presence"}
    listed = {user["name"]: user["status"] for user in users[0].ask("users")["users"]}
    assert listed == last


@BOTH_THREAD_MODELS
def test_the_list_of_users_is_true_at_its_seq(server, together):
    users = server.users("ana", "luis", "eva")

    ana, lists = users[0], []

    def change(user):
        for number in range(100):
            user.send("status", status=STATUSES[number % 3])

    def look():
        lists.extend(ana.ask("users") for _ in range(30))

    together(look, *(partial(change, user) for user in users[1:]))
    for user in users[1:]:
        user.roundtrip()
    lists.append(ana.ask("users"))
    events = [m for m in server.sync(ana)[0] if m["type"] == "presence"]
    for answer in lists:
        known = dict.fromkeys(["ana", "luis", "eva"], "ACTIVO")
        known |= {m["name"]: m["status"] for m in events if m["seq"] <= answer["seq"]}
        assert {user["name"]: user["status"] for user in answer["users"]} == known


def test_the_list_names_everyone_who_is_connected_and_nobody_else(server):
    ana, luis = server.users("ana", "luis")
    server.peer()  # connected, not registered
    answer = ana.ask("users")
    assert sorted(user["name"] for user in answer["users"]) == ["ana", "luis"]
    assert all(set(user) == {"name", "status"} for user in answer["users"])
    luis.send("quit")
    left = ana.until("left", name="luis")[-1]
    answer = ana.ask("users")
    assert answer["users"] == [{"name": "ana", "status": "ACTIVO"}]
    assert answer["seq"] >= left["seq"]


def test_info_has_what_the_server_knows_of_a_user(server):
    ana, luis = server.users("ana", "luis")
    luis.ask("status", status="OCUPADO")
    info = ana.ask("info", name="luis")
    assert set(info) == {"type", "id", "name", "address", "status", "since", "idle"}
    assert (info["name"], info["address"], info["status"]) == ("luis", luis.source, "OCUPADO")
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", info["since"])
    assert isinstance(info["idle"], int)
    assert info["idle"] >= 0
    assert ana.ask("info", name="ana")["address"] == ana.source


@BOTH_THREAD_MODELS
def test_every_event_has_its_number_and_its_time(server):
    ana, luis = server.users("ana", "luis")
    luis.send("status", status="OCUPADO")
    luis.send("say", text="hola")
    luis.send("quit")
    luis.wait_for_end()
    eva = server.user("eva")
    events = ana.until("joined", name="eva")
    assert [m["type"] for m in events] == ["presence", "message", "left", "joined"]
    assert all(re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", m["time"]) for m in events)
    assert [m["seq"] for m in events] == sorted({m["seq"] for m in events})
    assert events[2]["seq"] <= eva.seq < events[3]["seq"]
