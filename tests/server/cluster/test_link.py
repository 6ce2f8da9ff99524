"""The link, against a real nats-server: nothing of the log is missing, doubled or out of order."""

import asyncio
import json
import queue
import re
import threading
from pathlib import Path
from types import SimpleNamespace

import pytest
from linked_node import WAIT_S, LinkedNode, linked_node
from nats_servers import NatsServers, nats_servers

from tertulia.server.cluster import stream, unusable
from tertulia.server.cluster.link import Link


def texts(count: int, word: str = "text") -> list[bytes]:
    return [f"{word} {number}".encode() for number in range(count)]


def delete_consumers(node: LinkedNode, chat: str) -> None:
    """Remove what the nats-server reads the log with, as a restart of its server would."""
    name = stream.stream_name(chat)
    answer = node.link.ask(f"$JS.API.CONSUMER.NAMES.{name}", b"", WAIT_S)
    assert answer is not None
    for consumer in json.loads(answer)["consumers"]:
        node.link.ask(f"$JS.API.CONSUMER.DELETE.{name}.{consumer}", b"", WAIT_S)


def test_entries_come_back_in_order_in_lists_and_with_the_time_of_the_stream(
    one_nats: NatsServers, chat: str
) -> None:
    with linked_node(one_nats, chat) as node:
        node.propose(*texts(500))
        node.wait(lambda: len(node.entries) == 500)
        assert [entry.data for entry in node.entries] == texts(500)
        assert node.places == list(range(1, 501))
        assert node.lists < 250, "the entries of one turn of the loop are one list"
        times = [entry.time_ms for entry in node.entries]
        assert times == sorted(times)
        assert node.link.stats.holes == node.link.stats.refused == 0
        node.wait(lambda: node.link.log_end == 500)


def test_a_node_reads_from_the_entry_that_it_wants(one_nats: NatsServers, chat: str) -> None:
    with linked_node(one_nats, chat) as node:
        node.propose(*texts(10))
        node.wait(lambda: len(node.entries) == 10)
        node.link.consume_from(8)
        node.wait(lambda: len(node.entries) == 13)
        assert node.places == [*range(1, 11), 8, 9, 10]


def test_nothing_is_missed_when_the_consumer_vanishes(one_nats: NatsServers, chat: str) -> None:
    with linked_node(one_nats, chat) as node:
        node.propose(*texts(20))
        node.wait(lambda: len(node.entries) == 20)
        delete_consumers(node, chat)
        node.propose(*texts(20, "more"))
        node.wait(lambda: len(node.entries) == 40)
        assert node.places == list(range(1, 41))
        assert node.link.stats.consumers >= 2


def test_the_link_finds_the_server_again_after_kill_9(tmp_path: Path, chat: str) -> None:
    with nats_servers(tmp_path) as nats, linked_node(nats, chat) as node:
        subject = stream.node_subject(chat, "a", "hello")
        node.link.serve(subject, lambda data, reply: reply(data))
        node.propose(*texts(50))
        node.wait(lambda: len(node.entries) == 50)
        answers: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()
        nats.kill(0)
        node.wait(lambda: not node.link.is_connected)
        node.link.request("nobody", b"", WAIT_S, answers.put)
        assert answers.get(timeout=WAIT_S) is None, "there is no connection"
        node.link.publish("tertulia.nobody", b"is dropped")
        nats.start(0)
        node.insist(b"again")
        assert node.link.ask(subject, b"served", WAIT_S) == b"served"
        assert node.places == list(range(1, len(node.entries) + 1))
        assert node.link.stats.connects == 2
        assert node.lost == node.holes == []


def test_why_no_server_can_be_reached_is_logged_once_after_each_loss(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tertulia.server.cluster.link._AGAIN_S", 0.0)
    outcomes = ["up", "down", "down", "up", "down"]
    is_over = asyncio.Event()

    def ignore(_: object) -> None: ...

    async def close() -> None: ...

    async def connect() -> SimpleNamespace:
        if not outcomes:
            is_over.set()
            await asyncio.Event().wait()
        if outcomes.pop(0) == "down":
            raise unusable.not_reachable("127.0.0.1:4222: Connection refused")
        ended = asyncio.Event()
        ended.set()
        return SimpleNamespace(
            address="127.0.0.1:4222", subscribe=lambda *_: None, ended=ended, why_ended="",
            close=close,
        )  # fmt: skip

    async def stay_connected() -> None:
        connecting = asyncio.create_task(link._stay_connected())
        await is_over.wait()
        connecting.cancel()

    link = Link(
        ["nats://127.0.0.1"], "lab", "a", None,
        on_entries=ignore, on_tick=lambda: None, on_log_lost=ignore, on_hole=ignore,
    )  # fmt: skip
    link._connector = SimpleNamespace(connect=connect)
    asyncio.run(stay_connected())
    assert sum("not connected" in message for message in caplog.messages) == 2
    assert link.stats.connects == 2


def test_a_server_that_stands_still_is_left(tmp_path: Path, chat: str) -> None:
    with nats_servers(tmp_path) as nats, linked_node(nats, chat) as node:
        node.insist(b"before")
        nats.pause(0)
        # More than the socket takes: the rest must neither keep the old connection nor come late.
        node.propose(*[bytes(500_000)] * 30)
        node.wait(lambda: not node.link.is_connected)
        nats.resume(0)
        node.wait(lambda: nats.ask(0, "varz").get("connections") == 1 and node.link.is_connected)
        node.insist(b"afterwards")
        assert node.places == list(range(1, len(node.entries) + 1))
        assert sum(len(entry.data) > 100 for entry in node.entries) < 30


@pytest.mark.long  # an election takes 5 s
def test_three_servers_lose_their_leader_and_no_entry(three_nats: NatsServers, chat: str) -> None:
    with linked_node(three_nats, chat) as node:
        node.insist(b"before")
        leader = three_nats.leader(stream.stream_name(chat))
        three_nats.kill(leader)
        node.insist(b"during")
        three_nats.start(leader)
        node.insist(b"afterwards")
        assert node.places == list(range(1, len(node.entries) + 1))
        assert node.lost == node.holes == []


def test_while_entries_are_being_applied_the_server_keeps_the_rest(
    one_nats: NatsServers, chat: str
) -> None:
    count, text = 800, bytes(20_000)
    may_apply = threading.Event()
    with linked_node(one_nats, chat) as writer:
        for filled in range(200, count + 1, 200):
            writer.propose(*[text] * 200)
            writer.wait(lambda filled=filled: len(writer.entries) == filled)
        reader = LinkedNode(one_nats.urls, chat)
        is_applying = threading.Event()
        reader.before_entries = lambda: is_applying.set() or may_apply.wait(WAIT_S)
        reader.link.start()
        try:
            reader.link.consume_from(1)
            assert is_applying.wait(WAIT_S)
            for number in range(20):  # Round trips, in which the server could send everything.
                writer.insist(b"more %d" % number)
            delivered = min(delivered_by_consumers(writer, chat))
            assert delivered < count // 2, "the server does not wait for the answer"
            may_apply.set()
            reader.wait(lambda: len(reader.entries) >= count)
            assert reader.places == list(range(1, len(reader.entries) + 1))
            assert reader.link.stats.holes == reader.link.stats.stalls == 0
        finally:
            may_apply.set()
            assert reader.link.stop(WAIT_S)


def delivered_by_consumers(node: LinkedNode, chat: str) -> list[int]:
    """Return the last entry that each consumer of the log has delivered."""
    answer = node.link.ask(f"$JS.API.CONSUMER.LIST.{stream.stream_name(chat)}", b"", WAIT_S)
    assert answer is not None
    return [each["delivered"]["stream_seq"] for each in json.loads(answer)["consumers"]]


def test_an_acknowledgement_below_what_was_applied_proves_a_lost_log(
    one_nats: NatsServers, chat: str
) -> None:
    with linked_node(one_nats, chat) as node:
        node.insist(b"one")
        node.link.call(lambda: node.link.propose(b"two", 1_000_000))
        node.wait(lambda: node.lost)
        (words,) = node.lost
        # How often the first entry was sent depends on the machine.
        stored_at = re.fullmatch(
            r"a new entry was stored at (\d+), although 1000000 were applied", words
        )
        assert stored_at
        assert int(stored_at[1]) > 1


def test_a_log_that_was_removed_is_noticed_without_a_word(tmp_path: Path, chat: str) -> None:
    with nats_servers(tmp_path) as nats, linked_node(nats, chat) as node:
        node.insist(b"one")
        nats.kill(0)
        nats.forget(0)
        nats.start(0)
        node.wait(lambda: node.lost)
        assert node.lost == ["the log does not exist any more"]


def test_a_proposal_that_no_stream_takes_is_counted(one_nats: NatsServers, chat: str) -> None:
    with linked_node(one_nats, chat) as node:
        node.link.delete_stream()
        node.propose(b"one")
        node.wait(lambda: node.link.stats.refused)


def test_a_log_that_begins_above_the_wanted_entry_is_a_hole_and_nothing_is_read_then(
    one_nats: NatsServers, chat: str
) -> None:
    with linked_node(one_nats, chat, max_bytes=4_000) as node:
        for number in range(8):
            node.insist(b"%d" % number * 1_000)
        node.link.consume_from(1)
        node.wait(lambda: node.holes)
        first = node.holes[0]
        assert first > 1
        seen = len(node.entries)
        node.propose(b"unread")
        node.link.ask(f"$JS.API.STREAM.INFO.{stream.stream_name(chat)}", b"", WAIT_S)
        assert len(node.entries) == seen
        node.link.consume_from(first)
        node.wait(lambda: node.entries[-1].data == b"unread")
        assert node.places[seen] == first
        assert len(node.holes) == 1


def test_a_request_is_answered_later_and_by_any_thread(one_nats: NatsServers, chat: str) -> None:
    with linked_node(one_nats, chat) as one, linked_node(one_nats, chat) as other:
        asked: queue.SimpleQueue[tuple[bytes, object]] = queue.SimpleQueue()
        subject = stream.node_subject(chat, "b", "page")
        other.link.serve(subject, lambda data, reply: asked.put((data, reply)))
        answers: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()
        other.link.ask(
            subject + ".nobody", b"", WAIT_S
        )  # After that, the server knows the subject.
        one.link.request(subject, b"question", WAIT_S, answers.put)
        data, reply = asked.get(timeout=WAIT_S)
        assert data == b"question"
        assert callable(reply)
        reply(b"answer")
        assert answers.get(timeout=WAIT_S) == b"answer"


def test_what_is_published_reaches_all_who_serve_it(one_nats: NatsServers, chat: str) -> None:
    with linked_node(one_nats, chat) as one, linked_node(one_nats, chat) as other:
        told: queue.SimpleQueue[bytes] = queue.SimpleQueue()
        subject = stream.all_subject(chat, "idle")
        for node in (one, other):
            node.link.serve(subject, lambda data, reply: (told.put(data), reply(b"ignored")))
            assert node.link.ask(subject + ".nobody", b"", WAIT_S) is None
        one.link.publish(subject, b"idle")
        assert [told.get(timeout=WAIT_S) for _ in range(2)] == [b"idle"] * 2


def test_a_request_that_nobody_serves_is_answered_at_once_and_a_late_one_in_time(
    one_nats: NatsServers, chat: str
) -> None:
    with linked_node(one_nats, chat) as node:
        assert node.link.ask(f"tertulia.{chat}.nobody", b"", WAIT_S) is None
        subject = stream.all_subject(chat, "silent")
        node.link.serve(subject, lambda data, reply: None)
        assert node.link.ask(subject, b"", 0.05) is None


def test_steps_are_run_in_their_order_on_the_links_thread(one_nats: NatsServers, chat: str) -> None:
    with linked_node(one_nats, chat) as node:
        ran: list[tuple[int, str]] = []
        done = threading.Event()
        for number in range(1_000):
            node.link.call(
                lambda number=number: ran.append((number, threading.current_thread().name))
            )
        node.link.call(done.set)
        assert done.wait(WAIT_S)
        assert ran == [(number, "link") for number in range(1_000)]


def test_many_steps_wake_the_links_thread_once(
    one_nats: NatsServers, chat: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with linked_node(one_nats, chat) as node:
        is_busy, may_go_on, done = threading.Event(), threading.Event(), threading.Event()
        node.link.call(lambda: is_busy.set() or may_go_on.wait(WAIT_S))
        assert is_busy.wait(WAIT_S)
        loop = node.link._loop
        wakes: list[object] = []
        wake = loop.call_soon_threadsafe
        monkeypatch.setattr(
            loop, "call_soon_threadsafe", lambda *step: wakes.append(step) or wake(*step)
        )
        for _ in range(1_000):
            node.link.call(lambda: None)
        node.link.call(done.set)
        may_go_on.set()
        assert done.wait(WAIT_S)
        assert len(wakes) == 1


def test_what_was_sent_before_the_end_arrives(one_nats: NatsServers, chat: str) -> None:
    with linked_node(one_nats, chat) as reader:
        with linked_node(one_nats, chat) as node:
            node.propose(*texts(200, "last"))
        reader.wait(lambda: len(reader.entries) == 200)
        assert node.link.stop(WAIT_S), "a second time"
        assert node.link.ask("tertulia.nobody", b"", 0.0) is None


def test_a_callback_that_fails_ends_the_links_thread(
    one_nats: NatsServers, chat: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    raised: queue.SimpleQueue[BaseException | None] = queue.SimpleQueue()
    monkeypatch.setattr(threading, "excepthook", lambda fault: raised.put(fault.exc_value))

    def fail() -> None:
        raise ValueError("a fault in the node")

    def ignore(_: object) -> None: ...

    link = Link(
        one_nats.urls, chat, "a", None,
        on_entries=ignore, on_tick=fail, on_log_lost=ignore, on_hole=ignore,
    )  # fmt: skip
    link.start()
    assert str(raised.get(timeout=WAIT_S)) == "a fault in the node"
    assert link.stop(WAIT_S)
