"""How a node finds or makes the chat's stream, with JetStream's answers as they are."""

import json
import logging
from collections.abc import Callable
from typing import Any

import pytest

from tertulia.server.cluster import stream
from tertulia.server.cluster.unusable import ClusterUnusable

NO_STREAM = {"error": {"code": 404, "err_code": 10059, "description": "stream not found"}}
NO_LEADER = {"error": {"code": 503, "err_code": 10008, "description": "temporarily unavailable"}}
NOT_CLUSTERED = {"error": {"code": 500, "err_code": 10074, "description": "replicas > 1 not ..."}}
NO_PEERS = {"error": {"code": 400, "err_code": 10005, "description": "no suitable peers"}}
NO_ROOM = {
    "error": {
        "code": 400,
        "err_code": 10005,
        "description": "no suitable peers for placement, insufficient storage",
    }
}
TAKEN = {"error": {"code": 400, "err_code": 10058, "description": "already in use"}}
OVERLAP = {"error": {"code": 400, "err_code": 10065, "description": "subjects overlap"}}
MIB = 1 << 20


class Server:
    """Answers as a nats-server does; `create` decides about a new stream."""

    def __init__(self, create: Callable[[dict[str, Any]], dict[str, Any] | None]) -> None:
        self.create = create
        self.config: dict[str, Any] | None = None
        self.before: list[dict[str, Any] | None] = []  # answers that come first
        self.asked: list[str] = []

    def ask(self, subject: str, data: bytes, timeout_s: float) -> bytes | None:
        self.asked.append(subject)
        assert len(self.asked) < 10_000, "there is no end to it"
        answer = self.before.pop(0) if self.before else self._answer(subject, data)
        return None if answer is None else json.dumps(answer).encode()

    def _answer(self, subject: str, data: bytes) -> dict[str, Any] | None:
        if ".STREAM.CREATE." in subject:
            config = json.loads(data)
            refusal = self.create(config)
            if refusal is not None:
                return refusal
            self.config = config
        if ".STREAM.DELETE." in subject and self.config is not None:
            self.config = None
            return {"success": True}
        state = {"first_seq": 0, "last_seq": 0, "messages": 0}
        if self.config is None:
            return NO_STREAM
        return {"config": self.config, "state": state, "created": "2026-11-27T02:40:00Z"}


@pytest.fixture(autouse=True)
def hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stream, "_AGAIN_S", 0.001)


def opened(server: Server, servers: int = 3, patience_s: float = 30.0) -> stream.StreamState:
    return stream.open_stream("lab", servers, 64 * MIB, server.ask, patience_s)


def refused(server: Server, servers: int = 3) -> str:
    with pytest.raises(ClusterUnusable) as caught:
        opened(server, servers, 0.05)
    return str(caught.value)


def not_on_one(config: dict[str, Any]) -> dict[str, Any] | None:
    return NOT_CLUSTERED if config["num_replicas"] > 1 else None


def not_on_two(config: dict[str, Any]) -> dict[str, Any] | None:
    return NO_PEERS if config["num_replicas"] > 1 else None


def test_a_new_stream_has_three_copies_and_can_lose_nothing_by_request(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO)
    server = Server(lambda config: None)
    assert opened(server) == stream.StreamState(0, 0, 0, 3, 64 * MIB, "2026-11-27T02:40:00Z")
    made = server.config
    assert made is not None
    assert made["name"] == "TERTULIA-lab"
    assert made["subjects"] == ["tertulia.lab.log"]
    assert made["storage"] == "file"
    assert (made["deny_delete"], made["deny_purge"], made["allow_direct"]) == (True, True, False)
    assert caplog.messages == [
        "cluster stream=TERTULIA-lab made replicas=3 max_bytes=67108864 entries=0-0"
    ]
    opened(server)
    assert "cluster stream=TERTULIA-lab found replicas=3" in caplog.messages[-1]


def test_one_server_alone_keeps_one_copy_and_says_so(caplog: pytest.LogCaptureFixture) -> None:
    assert opened(Server(not_on_one), servers=1).replicas == 1
    assert caplog.messages == [
        "cluster stream=TERTULIA-lab has fewer than three copies: use three nats-servers"
    ]


def test_servers_that_do_not_know_each_other_would_keep_two_logs() -> None:
    assert refused(Server(not_on_one), servers=2).startswith(
        "the nats-servers in --cluster are not one cluster: "
    )


def test_two_servers_keep_one_copy_after_the_third_had_time_to_come() -> None:
    assert opened(Server(not_on_two), servers=2, patience_s=0.05).replicas == 1


def test_three_servers_are_waited_for() -> None:
    missing = [NO_PEERS] * 5
    server = Server(lambda config: missing.pop() if missing else None)
    assert opened(server).replicas == 3
    assert refused(Server(not_on_two)).startswith("three nats-servers are needed to keep")


def test_a_leader_is_waited_for() -> None:
    server = Server(lambda config: None)
    server.before = [None, NO_LEADER, None, NO_STREAM, NO_LEADER]
    assert opened(server).replicas == 3
    for answer in (None, NO_LEADER):  # nats-server gives either one
        server.before = [answer] * 1_000_000
        assert refused(server).startswith("the nats-servers do not answer questions about")


def test_another_node_makes_the_stream_at_the_same_time() -> None:
    server = Server(lambda config: None)
    opened(server)
    server.before = [NO_STREAM, TAKEN]
    assert opened(server).replicas == 3


def test_no_room_is_not_waited_for() -> None:
    server = Server(lambda config: NO_ROOM)
    assert refused(server).startswith("the nats-servers cannot reserve 64 MiB for the chat's log (")
    assert len(server.asked) == 2


def test_a_reason_without_words_of_our_own_is_shown() -> None:
    assert refused(Server(lambda config: OVERLAP)).endswith(": subjects overlap")


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("retention", "workqueue"),
        ("subjects", ["tertulia.>"]),
        ("discard", "new"),
        ("storage", "memory"),
    ],
)
def test_a_stream_that_is_no_log_is_not_touched(field: str, value: object) -> None:
    server = Server(lambda config: None)
    opened(server)
    assert server.config is not None
    server.config[field] = value
    words = refused(server)
    assert words.startswith(
        f"the stream TERTULIA-lab on the nats-servers is not a chat's log ({field}"
    )
    assert server.config[field] == value


def test_a_stream_is_removed_and_none_is_removed_too() -> None:
    server = Server(lambda config: None)
    opened(server)
    server.before = [None, NO_LEADER]
    stream.delete_stream("lab", server.ask)
    assert server.config is None
    stream.delete_stream("lab", server.ask)
    server.before = [None] * 1_000_000
    with pytest.raises(ClusterUnusable, match="do not answer questions"):
        stream.delete_stream("lab", server.ask, 0.02)


@pytest.mark.parametrize(
    ("data", "place"),
    [
        (b'{"stream":"TERTULIA-lab","seq":7}', 7),
        (b'{"stream":"TERTULIA-lab","domain":"hub","seq":7,"duplicate":true}', 7),
        (b'{"error":{"code":503,"err_code":10077},"stream":"TERTULIA-lab","seq":0}', None),
        (b"", None),
    ],
)
def test_what_an_acknowledgement_says(data: bytes, place: int | None) -> None:
    assert stream.acknowledged_place(data) == place
