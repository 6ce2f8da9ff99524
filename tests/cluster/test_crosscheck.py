"""The checker finds what is broken in made-up observations, and nothing in good ones."""

from copy import deepcopy

import pytest
from crosscheck import Observed, Stored, Visit, violations

ROWS = [(3, "t3", "ana", "uno", "a-0"), (5, "t5", "luis", "dos", "l-0")]
EVENTS = [
    {"type": "joined", "seq": 1, "time": "t1", "name": "ana", "status": "ACTIVO"},
    {"type": "joined", "seq": 2, "time": "t2", "name": "luis", "status": "ACTIVO"},
    {"type": "message", "seq": 3, "time": "t3", "from": "ana", "text": "uno", "nonce": "a-0"},
    {"type": "presence", "seq": 4, "time": "t4", "name": "ana", "status": "OCUPADO", "by": "user"},
    {"type": "message", "seq": 5, "time": "t5", "from": "luis", "text": "dos", "nonce": "l-0"},
    {"type": "left", "seq": 6, "time": "t6", "name": "ana", "reason": "replaced"},
    {"type": "joined", "seq": 7, "time": "t6", "name": "ana", "status": "OCUPADO"},
]


class Made:
    """Good observations of two users on two nodes; ana has moved from one to the other."""

    def __init__(self):
        events = deepcopy(EVENTS)
        self.ana = Observed(
            "ana", {"a-0": "uno"}, {"a-0": 3}, [Visit("a", 0, events=events[:4]), Visit("b", 6)]
        )
        self.ana.visits[1].events = events[6:]
        self.ana.pages = [deepcopy(EVENTS[4])]
        self.luis = Observed("luis", {"l-0": "dos"}, {"l-0": 5}, [Visit("b", 1)])
        self.luis.visits[0].events = deepcopy(EVENTS)[1:]
        self.luis.lists = [
            (4, {"ana": "OCUPADO", "luis": "ACTIVO"}),
            (7, {"ana": "OCUPADO", "luis": "ACTIVO"}),
        ]
        attendance = [(1, "ana", "127.0.0.1", "t1", None, None)]
        self.nodes = {name: Stored(list(ROWS), list(attendance)) for name in ("a", "b")}

    def found(self):
        return list(violations([self.ana, self.luis], self.nodes))


@pytest.fixture
def made():
    return Made()


def test_it_finds_nothing_in_good_observations(made):
    assert made.found() == []


def test_it_finds_a_message_that_was_acknowledged_and_lost(made):
    for stored in made.nodes.values():
        del stored.rows[0]
    assert "ana: a-0 was acknowledged as 3, which is not stored" in made.found()


def test_it_finds_a_message_without_an_answer(made):
    made.ana.acknowledged.clear()
    assert made.found() == ["ana: a-0 was never acknowledged"]


def test_it_finds_a_message_that_was_stored_twice(made):
    for stored in made.nodes.values():
        stored.rows.append((8, "t8", "ana", "uno", "a-0"))
    assert "a has stored a-0 of ana 2 times" in made.found()


def test_it_finds_a_message_with_another_number_than_was_acknowledged(made):
    made.ana.acknowledged["a-0"] = 5
    expected = "ana: a-0 was acknowledged as 5, which is stored as ('luis', 'dos', 'l-0')"
    assert made.found() == [expected]


@pytest.mark.parametrize("change", [lambda rows: rows.pop(), lambda rows: rows.reverse()])
def test_it_finds_nodes_with_other_rows(made, change):
    change(made.nodes["b"].rows)
    assert made.found()[0].startswith("messages of a and b: ")


def test_it_finds_nodes_with_other_attendance(made):
    made.nodes["b"].attendance.clear()
    assert made.found()[0].startswith("attendance of a and b: 1 rows")


def test_it_finds_a_number_that_two_users_know_as_different_events(made):
    made.luis.visits[0].events[0]["status"] = "OCUPADO"
    assert made.found()[0].startswith("number 2 is ")


def test_it_finds_a_text_that_is_stored_in_other_words(made):
    for user in (made.ana, made.luis):
        for event in user.visits[0].events:
            if event["seq"] == 3:
                event["text"] = "tres"
    assert any("3 was shown as" in problem for problem in made.found())


def test_it_finds_another_order(made):
    events = made.luis.visits[0].events
    events[1], events[2] = events[2], events[1]
    assert "luis: saw 3 after 4 on b" in made.found()


def test_it_finds_a_hole_between_two_events(made):
    del made.luis.visits[0].events[2]
    assert "luis: did not see 4 before 5 on b" in made.found()
    made.luis.visits[0].gaps = {4}
    assert made.found() == []


def test_it_finds_a_message_that_a_user_missed_between_two_connections(made):
    made.ana.pages.clear()
    assert made.found() == ["ana: never saw 1 messages, the first is 5"]


def test_it_finds_a_message_that_came_live_and_again_in_a_page(made):
    made.ana.pages.append(deepcopy(EVENTS[2]))
    assert made.found() == ["ana: saw 1 messages twice, the first is 3"]


def test_it_finds_a_page_with_another_text(made):
    made.ana.pages[0]["text"] = "x"
    assert made.found()[0].startswith("ana: a page had (5, 't5', 'luis', 'x', 'l-0')")


def test_it_finds_a_user_without_a_connection_and_a_second_epoch(made):
    made.luis.visits.append(Visit("a", 7, "other"))
    made.ana.visits.clear()
    assert made.found() == ["ana: never got in", "the numbering has 2 epochs"]


def test_it_knows_that_a_client_begins_again_with_another_epoch(made):
    made.ana.visits[1].epoch = "other"
    made.ana.pages.clear()
    assert list(violations([made.ana, made.luis], made.nodes, epochs=2)) == []


def test_it_finds_a_name_that_two_sessions_hold(made):
    for user in (made.ana, made.luis):
        for visit in user.visits:
            for event in visit.events:
                if event["seq"] == 6:
                    event["name"] = "luis"
    problems = made.found()
    assert "ana joined at 7 and was there already" in problems


def test_it_finds_a_list_of_users_that_is_not_true(made):
    made.luis.lists[1][1]["eva"] = "ACTIVO"
    assert made.found() == ["luis was told other users at 7: [('eva', 'ACTIVO')]"]


def test_it_finds_somebody_who_speaks_without_being_there(made):
    made.luis.visits[0].events[1]["from"] = made.ana.visits[0].events[2]["from"] = "eva"
    assert "eva said something at 3 and was not there" in made.found()


def test_it_finds_a_time_that_goes_back(made):
    for user in (made.ana, made.luis):
        for event in user.visits[0].events:
            if event["seq"] == 2:
                event["time"] = "t0"
    assert "the time goes back from 1 to 2" in made.found()


@pytest.mark.parametrize(
    "line", ["Traceback (most recent", "fault in carrying out", "different states"]
)
def test_it_finds_a_fault_in_a_nodes_log(made, line):
    made.nodes["a"].log = f"all well\nERROR {line} x\n"
    assert made.found() == [f"the log of a has: ERROR {line} x"]
