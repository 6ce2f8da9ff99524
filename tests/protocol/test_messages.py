"""The vocabulary is that of docs/protocol.md; `tests/test_docs.py` reads the examples there."""

import json
from typing import get_args

from msgspec import UNSET

from tertulia.protocol.lines import decode_request, decode_server_message, encode
from tertulia.protocol.messages import (
    DEFAULT_PAGE,
    MAX_PAGE,
    ChatMessage,
    CloseReason,
    ErrorCode,
    Gap,
    GetHistory,
    Request,
    Search,
    ServerMessage,
    Status,
)

TIME = "2026-11-22T15:04:05.123Z"


def tags(union: object) -> list[str]:
    return [kind.__struct_config__.tag for kind in get_args(union)]


def test_a_client_ignores_a_field_that_it_does_not_know() -> None:
    line = b'{"type":"gap","later":[1],"after":1,"through":2}'
    assert decode_server_message(line) == Gap(after=1, through=2)


def test_the_vocabulary_is_that_of_the_page() -> None:
    assert set(tags(Request)) == {
        "register",
        "say",
        "direct",
        "received",
        "status",
        "users",
        "info",
        "history",
        "search",
        "ping",
        "pong",
        "quit",
        "operator",
        "kick",
        "ban",
        "unban",
        "bans",
        "mute",
        "unmute",
        "hush",
        "lock",
        "pin",
        "release",
        "attendance",
        "seen",
        "seen_by",
        "hook",
        "hooks",
        "unhook",
    }
    assert set(tags(ServerMessage)) == {
        "welcome",
        "message",
        "joined",
        "left",
        "presence",
        "direct",
        "users",
        "info",
        "history",
        "ok",
        "error",
        "gap",
        "closing",
        "ping",
        "pong",
        "bans",
        "role",
        "muted",
        "unmuted",
        "hushed",
        "locked",
        "pinned",
        "attendance",
        "seen_by",
        "hook",
        "hooks",
        "nodes",
    }


def test_the_error_codes_are_those_of_the_page() -> None:
    assert set(ErrorCode) == {
        "malformed",
        "unknown_type",
        "line_too_long",
        "not_registered",
        "already_registered",
        "name_invalid",
        "name_taken",
        "address_taken",
        "server_full",
        "tls_required",
        "protocol_unsupported",
        "register_timeout",
        "text_invalid",
        "text_too_long",
        "status_invalid",
        "user_not_connected",
        "rate_limited",
        "history_off",
        "unavailable",
        "undelivered",
        "busy",
        "code_required",
        "code_wrong",
        "name_held",
        "banned",
        "locked",
        "not_operator",
        "operator_wrong",
        "muted",
        "hushed",
        "address_invalid",
        "not_found",
    }


def test_the_statuses_and_the_reasons_of_left_are_those_of_the_page() -> None:
    assert list(Status) == ["ACTIVO", "OCUPADO", "INACTIVO"]
    assert set(CloseReason) >= {
        "quit",
        "lost",
        "timeout",
        "slow",
        "flood",
        "protocol",
        "kicked",
        "replaced",
    }


def test_a_page_of_history_has_50_messages_unless_asked_and_200_at_most() -> None:
    assert (DEFAULT_PAGE, MAX_PAGE) == (50, 200)
    assert decode_request(b'{"type":"history"}') == GetHistory(limit=50, before=UNSET, after=UNSET)
    assert decode_request(b'{"type":"search","text":"x"}') == Search(text="x", limit=50)


def test_the_sender_of_a_message_travels_as_from() -> None:
    said = ChatMessage(seq=1, time=TIME, sender="ana", text="hola", nonce="n")
    assert json.loads(encode(said)) == {
        "type": "message",
        "seq": 1,
        "time": TIME,
        "from": "ana",
        "text": "hola",
        "nonce": "n",
    }
