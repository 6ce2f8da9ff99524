"""Many clients act at once: what must hold in every order of events, in both thread models."""

import random
from functools import partial

from peers import BOTH_THREAD_MODELS

pytestmark = BOTH_THREAD_MODELS

ROUNDS = 25


def roster_after(events, names=()):
    """Return who is here after the events; check that they are in order and consistent."""
    here, last_seq = set(names), 0
    for event in events:
        assert event["seq"] > last_seq
        last_seq = event["seq"]
        if event["type"] == "joined":
            assert event["name"] not in here
            here.add(event["name"])
        elif event["type"] == "left":
            here.remove(event["name"])
    return here


def test_two_who_write_to_each_other_at_once_do_not_wait_for_each_other(server, together):
    count = 500
    users = server.users("ana", "luis", "eva")

    def write_to_all(user):
        for number in range(count):
            for other in users:
                user.send("direct", to=other.name, text=f"{number}", id=number)
        heard = {other.name: [] for other in users}
        answers = 0
        while answers < count * len(users) or sum(map(len, heard.values())) < count * len(users):
            message = user.next()
            if message["type"] == "direct":
                assert message["to"] == user.name
                heard[message["from"]].append(message["text"])
            else:
                assert message["type"] == "ok"
                answers += 1
        expected = [str(number) for number in range(count)]
        assert all(texts == expected for texts in heard.values())

    together(*(partial(write_to_all, user) for user in users))


def test_however_many_take_over_at_once_a_name_has_one_session_at_most(server, together):
    witness, ana = server.users("witness", "ana")
    heirs = [server.peer() for _ in range(20)]
    answers = {}

    def take_over(heir):
        heir.send("register", name="ana", token=ana.token)
        answers[heir] = heir.next()

    together(*(partial(take_over, heir) for heir in heirs))
    winners = [heir for heir, answer in answers.items() if answer["type"] == "welcome"]
    assert len(winners) == 1, "the token was worth nothing after the first"
    seen = server.sync(witness)[0]
    assert roster_after(seen, {"witness", "ana"}) == {"witness", "ana"}
    assert witness.ask("info", name="ana")["address"] == winners[0].source
    ana.wait_for_end()


def test_names_that_come_and_go_in_all_ways_leave_nothing_behind(server, together):
    witness = server.user("witness")
    names = [f"name{number}" for number in range(6)]
    ends = ["quit", "half_close", "close", "reset"]

    def come_and_go(seed):
        chance = random.Random(seed)
        for _ in range(ROUNDS):
            peer = server.peer()
            name = chance.choice(names)
            peer.send("register", name=name)
            answer = peer.next()
            if answer["type"] == "error":
                assert answer["code"] == "name_taken"
                peer.expect_end()
                peer.close()
                continue
            peer.send("say", text=name)
            peer.send("direct", to=chance.choice(names), text="psst", id=1)
            for message in peer.until_id(1):
                if message["type"] == "direct":
                    assert message["to"] == name
            end = chance.choice(ends)
            peer.send("quit") if end == "quit" else getattr(peer, end)()

    together(*(partial(come_and_go, seed) for seed in range(6)))
    seen = server.sync(witness)[0]
    while len(witness.ask("users")["users"]) > 1:
        seen += server.sync(witness)[0]
    seen += server.sync(witness)[0]
    assert roster_after(seen, {"witness"}) == {"witness"}
    said = [(m["from"], m["text"]) for m in seen if m["type"] == "message"]
    assert said
    assert all(name == text for name, text in said)
