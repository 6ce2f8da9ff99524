"""Opens the stream that holds a chat's log, and names the subjects of its nodes.

It uses JetStream's JSON API directly, to see its answers unchanged. Nothing here imports nats-py.
The functions with a parameter `ask` block; they run on the main thread at the start.
"""

import json
import logging
import time
from collections.abc import Callable
from typing import Any, NamedTuple

from tertulia.i18n import _
from tertulia.server.cluster import unusable
from tertulia.server.cluster.unusable import ClusterUnusable

log = logging.getLogger("tertulia.server")

_MAX_ENTRY_BYTES = 1 << 20
_REPLICAS = 3
_TIMEOUT_S = 3.0  # for one question
_PATIENCE_S = 20.0  # for a leader and for the third server, when all have just been started
_AGAIN_S = 0.25

# JetStream's error codes.
_NO_STREAM = 10_059
_NAME_TAKEN = 10_058  # another node has just made it, with other settings
_NOT_CLUSTERED = 10_074  # one server alone keeps one copy
_NO_PEERS = 10_005
_NO_LEADER = 10_008  # there is no majority of servers that reach each other
_NOT_ENABLED = (10_076, 10_039)  # in the server; for the account
_NO_STORAGE = (10_047, 10_028, 10_023, 10_002)

# `ask(subject, data, timeout_s)` returns the answer, or None if there was none.
Ask = Callable[[str, bytes, float], bytes | None]


class StreamState(NamedTuple):
    """The contents and the settings of the log's stream. `messages` counts its entries."""

    first: int
    last: int
    messages: int
    replicas: int
    max_bytes: int
    created: str  # when the stream was made; it tells one log from another


def stream_name(chat: str) -> str:
    """Return the name of a chat's stream."""
    return f"TERTULIA-{chat}"


def log_subject(chat: str) -> str:
    """Return the subject of the messages that are the entries of the log."""
    return f"tertulia.{chat}.log"


def node_subject(chat: str, node: str, verb: str) -> str:
    """Return the subject for questions and letters to one node."""
    return f"tertulia.{chat}.node.{node}.{verb}"


def all_subject(chat: str, verb: str) -> str:
    """Return the subject for questions and letters to all nodes."""
    return f"tertulia.{chat}.all.{verb}"


def acknowledged_place(data: bytes) -> int | None:
    """Return the place in an acknowledgement; None if the stream did not accept the entry."""
    try:
        answer = json.loads(data)
    except ValueError:
        return None
    place = answer.get("seq")
    return place if "error" not in answer and isinstance(place, int) else None


def open_stream(
    chat: str, servers: int, max_bytes: int, ask: Ask, patience_s: float = _PATIENCE_S
) -> StreamState:
    """Return the state of the chat's stream; make the stream if there is none.

    A new one has three copies, or one if there is only one nats-server, or if the operator has
    named fewer than three (`servers`) and no third one appears. Raises ClusterUnusable.
    """
    name = stream_name(chat)
    replicas = _REPLICAS
    problem = unusable.without_leader()
    begin = time.monotonic()
    while True:
        verb = "found"
        answer = _ask(ask, "STREAM.INFO", name, b"")
        if _error_code(answer) == _NO_STREAM:
            verb = "made"
            config = json.dumps(_config(chat, replicas, max_bytes)).encode()
            answer = _ask(ask, "STREAM.CREATE", name, config)
        code = _error_code(answer)
        if answer is not None and "config" in answer:
            return _checked(chat, answer, verb)
        waited_s = time.monotonic() - begin
        is_small = code == _NO_PEERS and servers < _REPLICAS and waited_s > patience_s / 4
        if replicas > 1 and (code == _NOT_CLUSTERED or is_small):
            if code == _NOT_CLUSTERED and servers > 1:
                raise unusable.not_one_cluster()
            replicas = 1
            continue
        problem = _why_not(answer, max_bytes) or problem
        if waited_s > patience_s or not _heals(answer):
            raise problem
        time.sleep(_AGAIN_S)


def delete_stream(chat: str, ask: Ask, patience_s: float = _PATIENCE_S) -> None:
    """Remove the chat's stream, if there is one. Raises ClusterUnusable."""
    name = stream_name(chat)
    deadline = time.monotonic() + patience_s
    while True:
        answer = _ask(ask, "STREAM.DELETE", name, b"")
        if answer is not None and (answer.get("success") or _error_code(answer) == _NO_STREAM):
            log.info("cluster stream=%s removed", name)
            return
        if time.monotonic() > deadline:
            raise _why_not(answer, 0) or unusable.without_leader()
        time.sleep(_AGAIN_S)


def _config(chat: str, replicas: int, max_bytes: int) -> dict[str, Any]:
    return {
        "name": stream_name(chat),
        "subjects": [log_subject(chat)],
        "retention": "limits",
        "storage": "file",
        "num_replicas": replicas,
        "discard": "old",
        "max_bytes": max_bytes,
        "max_msg_size": _MAX_ENTRY_BYTES,
        "max_age": 0,
        "max_msgs": -1,
        "max_msgs_per_subject": -1,
        "max_consumers": -1,
        "allow_direct": False,
        "deny_delete": True,
        "deny_purge": True,
    }


def _checked(chat: str, answer: dict[str, Any], verb: str) -> StreamState:
    config, state, name = answer["config"], answer["state"], stream_name(chat)
    for field, value in (
        ("retention", "limits"),
        ("discard", "old"),
        ("storage", "file"),
        ("subjects", [log_subject(chat)]),
    ):
        if config.get(field) != value:
            raise unusable.another_stream(name, field, str(config.get(field)))
    opened = StreamState(
        state["first_seq"],
        state["last_seq"],
        state["messages"],
        config["num_replicas"],
        config["max_bytes"],
        answer["created"],
    )
    log.info(
        "cluster stream=%s %s replicas=%d max_bytes=%d entries=%d-%d",
        name, verb, opened.replicas, opened.max_bytes, opened.first, opened.last,
    )  # fmt: skip
    if opened.replicas < _REPLICAS:
        log.warning("cluster stream=%s has fewer than three copies: use three nats-servers", name)
    return opened


def _ask(ask: Ask, api: str, name: str, data: bytes) -> dict[str, Any] | None:
    """Return JetStream's answer; None if there was none."""
    answer = ask(f"$JS.API.{api}.{name}", data, _TIMEOUT_S)
    return None if answer is None else json.loads(answer)


def _error_code(answer: dict[str, Any] | None) -> int | None:
    code: int | None = (answer or {}).get("error", {}).get("err_code")
    return code


def _heals(answer: dict[str, Any] | None) -> bool:
    """Return whether servers that have just started may give another answer in a moment."""
    code, reason = _error_code(answer), _reason(answer)
    is_unavailable = (answer or {}).get("error", {}).get("code") == 503 and code not in _NOT_ENABLED
    is_short_of_peers = code == _NO_PEERS and "storage" not in reason
    return code is None or code == _NAME_TAKEN or is_short_of_peers or is_unavailable


def _reason(answer: dict[str, Any] | None) -> str:
    reason: str = (answer or {}).get("error", {}).get("description", "")
    return reason


def _why_not(answer: dict[str, Any] | None, max_bytes: int) -> ClusterUnusable | None:
    """Return the error for the operator; None if there was no answer."""
    if answer is None:
        return None
    code, reason = _error_code(answer), _reason(answer)
    if code in _NOT_ENABLED:
        return unusable.without_jetstream()
    if code in _NO_STORAGE or "storage" in reason:
        return unusable.too_little_storage(max_bytes >> 20, reason)
    if code == _NO_PEERS:
        return unusable.too_few_servers(reason)
    if code == _NO_LEADER:
        return unusable.without_leader()
    return unusable.refused(reason or _("no reason is given"))
