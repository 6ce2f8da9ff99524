"""The ordered consumer without a server: what it makes of what it gets, and in which order."""

import asyncio
import json
from collections.abc import Callable, Coroutine
from types import SimpleNamespace
from typing import Any

import pytest

from tertulia.server.cluster.consumer import Counts, OrderedConsumer, Receivers


class Chat:
    """A consumer with everything around it. What happens is noted in its order."""

    def __init__(self) -> None:
        self.happened: list[object] = []
        self.handlers: dict[str, Callable[[Any], None]] = {}
        self.answers: dict[str, Any] = {}
        self.created: list[int] = []
        self.work: list[Coroutine[Any, Any, None]] = []
        self.counts = Counts()
        note = self.happened.append
        self.consumer = OrderedConsumer(
            "TERTULIA-lab", "_INBOX.x",
            Receivers(
                lambda entries: note([entry.place for entry in entries]),
                lambda first: note(f"hole before {first}"),
                lambda last, read: note(f"ends at {last} after {read}"),
            ),
            self._ask, self.work.append, self.counts,
        )  # fmt: skip

    def subscribe(self, subject: str, handler: Callable[[Any], None]) -> None:
        self.handlers[subject] = handler

    def unsubscribe(self, subject: str) -> None:
        self.happened.append(f"without {subject[-1]}")

    def send(self, subject: str, data: bytes, reply: str = "") -> None:
        self.happened.append(subject)

    async def _ask(self, subject: str, data: bytes, timeout_s: float) -> bytes | None:
        if ".CONSUMER.CREATE." in subject:
            self.created.append(json.loads(data)["config"]["opt_start_seq"])
        answer = self.answers.get(subject.split(".")[2], {})
        return None if answer is None else json.dumps(answer).encode()

    def run(self) -> None:
        """Run what was begun to its end."""

        async def all_work() -> None:
            work, self.work[:] = list(self.work), []
            await asyncio.gather(*work)

        asyncio.run(all_work())

    def deliver(
        self, place: int, nth: int, nats: int = 1, *, after_it: int = 0, domain: str = ""
    ) -> None:
        """Deliver an entry, as the `nth` one of the consumer that was made as number `nats`."""
        times = f"1.{place}.{nth}.1700000000123456789.{after_it}"
        reply = f"$JS.ACK.{domain}TERTULIA-lab.c.{times}"
        self.arrive(nats, SimpleNamespace(reply=reply, data=b"x", headers=None))

    def tell(self, nats: int = 1, reply: str = "", **headers: str) -> None:
        """Deliver a message of the consumer about itself."""
        named = {name.replace("_", "-"): text for name, text in headers.items()}
        self.arrive(
            nats, SimpleNamespace(reply=reply, data=b"", headers={"Status": "100", **named})
        )

    def arrive(self, nats: int, message: object) -> None:
        self.handlers[f"_INBOX.x.entries.{nats}"](message)


@pytest.fixture
def chat() -> Chat:
    chat = Chat()
    chat.consumer.connect(chat)
    chat.consumer.read_from(5)
    chat.run()
    assert chat.created == [5]
    return chat


def test_entries_are_handed_on_before_the_server_may_send_more(chat: Chat) -> None:
    chat.deliver(5, 1)
    chat.tell(reply="$JS.FC.1")
    chat.deliver(6, 2)
    assert chat.happened == []
    chat.consumer.hand_on()
    assert chat.happened == [[5, 6], "$JS.FC.1"]
    chat.tell(Nats_Consumer_Stalled="$JS.FC.2")
    chat.consumer.hand_on()
    assert chat.happened[2:] == ["$JS.FC.2"]


@pytest.mark.parametrize("end", ["a hole", "another connection"])
def test_a_consumer_that_was_left_is_not_told_that_it_may_send_more(chat: Chat, end: str) -> None:
    chat.tell(reply="$JS.FC.1")
    if end == "a hole":
        chat.deliver(7, 3)
    else:
        chat.consumer.disconnect()
        chat.consumer.hand_on()
        chat.consumer.connect(chat)
    chat.run()
    assert chat.created == [5, 5]
    chat.consumer.hand_on()
    assert "$JS.FC.1" not in chat.happened


def test_a_hole_is_read_again_by_another_consumer(chat: Chat) -> None:
    chat.deliver(5, 1)
    chat.deliver(7, 3)
    chat.run()
    assert chat.created == [5, 6]
    chat.deliver(8, 4)  # from the consumer that was left
    chat.deliver(6, 1, nats=2)
    chat.deliver(7, 2, nats=2)
    chat.consumer.hand_on()
    assert chat.happened == ["without 1", [5, 6, 7]]
    assert chat.counts.holes == 1


def test_the_end_of_the_log_is_known_from_what_was_still_to_be_delivered(chat: Chat) -> None:
    assert chat.consumer.log_end == 0
    chat.deliver(5, 1, after_it=120)
    assert chat.consumer.log_end == 125
    chat.deliver(6, 2, after_it=200, domain="hub.ACCOUNT.")
    assert chat.consumer.log_end == 206
    chat.consumer.expect(300)  # an acknowledgement says so
    assert chat.consumer.log_end == 300


def test_entries_of_the_past_are_passed_over(chat: Chat) -> None:
    chat.deliver(4, 1)
    chat.deliver(5, 2)
    chat.consumer.hand_on()
    assert chat.happened == [[5]]


def test_a_heartbeat_that_names_a_later_entry_is_a_hole(chat: Chat) -> None:
    chat.tell(Nats_Last_Stream="4")
    chat.run()
    assert chat.created == [5]
    chat.tell(Nats_Last_Stream="5")
    chat.run()
    assert chat.created == [5, 5]


def test_a_log_that_no_longer_reaches_back_stops_the_reading(chat: Chat) -> None:
    chat.deliver(9, 1)
    chat.consumer.hand_on()
    assert chat.happened == ["without 1", "hole before 9"]
    chat.deliver(10, 2)
    chat.consumer.age(100.0)
    chat.consumer.hand_on()
    assert len(chat.happened) == 2
    chat.consumer.read_from(9)
    chat.run()
    assert chat.created == [5, 9]


def test_a_log_whose_entries_are_all_discarded_is_a_hole_before_the_first_new_one(
    chat: Chat,
) -> None:
    chat.tell(Nats_Last_Consumer="0", Nats_Last_Stream="8")
    chat.tell(Nats_Last_Consumer="0", Nats_Last_Stream="8")
    assert chat.happened == ["without 1", "hole before 9"]
    assert chat.counts.consumers == 1


def test_entries_that_were_discarded_under_the_reader_are_a_hole_at_once(chat: Chat) -> None:
    chat.deliver(5, 1)
    chat.deliver(30, 2)
    chat.run()
    chat.deliver(30, 1, nats=2)
    assert chat.created == [5, 6]
    assert chat.happened == ["without 1", "without 2", [5], "hole before 30"]


def test_silence_makes_another_consumer_and_heartbeats_are_no_silence(chat: Chat) -> None:
    chat.tell()
    for _ in range(10):
        chat.consumer.age(1.0)
        chat.tell()
    assert chat.counts.consumers == 1
    chat.consumer.age(1.0)
    chat.consumer.age(1.0)
    assert (chat.counts.consumers, chat.counts.stalls) == (2, 1)
    chat.run()


def test_a_consumer_that_could_not_be_made_is_tried_again_soon() -> None:
    chat = Chat()
    chat.answers["CONSUMER"] = None
    chat.consumer.read_from(5)
    chat.consumer.age(100.0)
    assert chat.created == [], "there is no connection"
    chat.consumer.connect(chat)
    chat.run()
    chat.consumer.age(0.2)
    assert chat.counts.consumers == 1
    chat.consumer.age(0.2)
    assert chat.counts.consumers == 2
    chat.run()


def test_an_entry_that_was_acknowledged_and_does_not_come_makes_another_consumer_soon(
    chat: Chat,
) -> None:
    chat.deliver(5, 1)
    chat.consumer.expect(5)
    chat.consumer.age(1.0)
    assert chat.counts.consumers == 1, "it has come"
    chat.tell()
    chat.consumer.expect(6)
    chat.consumer.age(0.3)
    chat.tell()
    chat.consumer.age(0.3)
    assert chat.counts.consumers == 1, "the consumer lives"
    chat.consumer.age(0.3)
    assert (chat.counts.consumers, chat.counts.stalls) == (2, 1)
    chat.consumer.age(1.0)
    assert chat.counts.consumers == 2, "the second one is being made"
    chat.run()


def test_entries_are_read_singly_while_nobody_makes_a_consumer(
    chat: Chat, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tertulia.server.cluster.consumer._SINGLY_AFTER_S", 0.0)
    times = ["2023-11-14T22:13:20.123999999Z", "2023-11-14T22:13:20.5Z", "2023-11-14T22:13:20Z"]
    entries: list[tuple[int, int, bytes]] = []

    async def ask(subject: str, data: bytes, timeout_s: float) -> bytes | None:
        question = json.loads(data) if data else {}
        if ".CONSUMER.CREATE." in subject:
            while len(entries) < 3:
                await asyncio.sleep(0)
            return b"{}"
        if "STREAM.INFO" in subject or question["seq"] > 7:
            return None
        message = {"time": times[question["seq"] - 5], "data": "eA=="}
        return json.dumps({"message": message}).encode()

    def take(arrived: list[Any]) -> None:
        entries.extend((entry.place, entry.time_ms, entry.data) for entry in arrived)

    consumer = OrderedConsumer(
        "TERTULIA-lab", "_INBOX.x",
        Receivers(take, lambda _: None, lambda *_: None), ask, chat.work.append, chat.counts,
    )  # fmt: skip
    consumer.connect(chat)
    consumer.read_from(5)
    chat.run()
    base = 1_700_000_000_000
    assert entries == [(5, base + 123, b"x"), (6, base + 500, b"x"), (7, base, b"x")]
    chat.deliver(7, 1)
    chat.deliver(8, 2)
    consumer.hand_on()
    assert [entry[0] for entry in entries] == [5, 6, 7, 8]


def test_another_connection_reads_on(chat: Chat) -> None:
    chat.deliver(5, 1)
    chat.consumer.disconnect()
    chat.consumer.connect(chat)
    chat.run()
    assert chat.created == [5, 6]
    assert "without 1" not in chat.happened, "that subscription ended with its connection"


@pytest.mark.parametrize(
    ("info", "happened"),
    [
        ({"error": {"code": 404, "err_code": 10059}}, ["ends at None after 4"]),
        ({"state": {"last_seq": 3}}, ["ends at 3 after 4"]),
        ({"state": {"last_seq": 4}}, []),
        ({"error": {"code": 503, "err_code": 10008}}, []),
        (None, []),
    ],
)
def test_the_end_of_the_log_is_looked_at_with_each_consumer(
    info: Any, happened: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tertulia.server.cluster.consumer._BETWEEN_LOOKS_S", 0.0)
    chat = Chat()
    chat.answers["STREAM"] = info
    chat.consumer.connect(chat)
    chat.consumer.read_from(5)
    chat.run()
    assert chat.happened == happened


def test_a_server_that_begins_to_lead_may_know_the_end_late(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    chat = Chat()
    chat.answers["STREAM"] = {"state": {"last_seq": 3}}

    async def learn(_: float) -> None:
        chat.answers["STREAM"] = {"state": {"last_seq": 4}}

    monkeypatch.setattr("tertulia.server.cluster.consumer.asyncio.sleep", learn)
    chat.consumer.connect(chat)
    chat.consumer.read_from(5)
    chat.run()
    assert chat.happened == []
