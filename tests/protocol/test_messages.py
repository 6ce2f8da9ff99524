"""Messages: every example of the protocol's page, both ways; and its words, each of them."""

import json
from typing import get_args

import pytest
from msgspec import UNSET, Struct

from tertulia.protocol.lines import decode_request, decode_server_message, encode
from tertulia.protocol.messages import (
    DEFAULT_PAGE,
    MAX_INT,
    MAX_PAGE,
    ChatMessage,
    CloseReason,
    Direct,
    DirectMessage,
    Error,
    ErrorCode,
    Gap,
    GetHistory,
    GetInfo,
    Joined,
    Left,
    ListUsers,
    Ok,
    Ping,
    Pong,
    Presence,
    Quit,
    Register,
    Request,
    Say,
    Search,
    ServerMessage,
    SetStatus,
    Status,
    UserInfo,
    UserList,
    Welcome,
)

TIME = "2026-11-22T15:04:05.123Z"


def tags(union: object) -> list[str]:
    return [kind.__struct_config__.tag for kind in get_args(union)]


@pytest.mark.parametrize(
    ("line", "kind"),
    [
        ('{"type":"register","name":"ana"}', Register),
        ('{"type":"register","name":"ana","token":"x","protocol":1,"events":"messages"}', Register),
        ('{"type":"say","text":"hola"}', Say),
        ('{"type":"say","text":"hola","nonce":"n"}', Say),
        ('{"type":"direct","to":"luis","text":"hola"}', Direct),
        ('{"type":"direct","to":"luis","text":"hola","nonce":"n"}', Direct),
        ('{"type":"status","status":"OCUPADO"}', SetStatus),
        ('{"type":"users"}', ListUsers),
        ('{"type":"info","name":"luis"}', GetInfo),
        ('{"type":"history","before":1042,"limit":50}', GetHistory),
        ('{"type":"history","before":1042,"after":980,"limit":10}', GetHistory),
        ('{"type":"history"}', GetHistory),
        ('{"type":"search","text":"palabra","before":1042,"limit":50}', Search),
        ('{"type":"ping"}', Ping),
        ('{"type":"pong"}', Pong),
        ('{"type":"quit"}', Quit),
    ],
)
def test_every_request_of_the_page_is_read_with_and_without_an_id(line: str, kind: type) -> None:
    content = json.loads(line)
    for request_id in (None, 0, MAX_INT):
        if request_id is not None:
            content["id"] = request_id
        read = decode_request(json.dumps(content).encode())
        assert type(read) is kind
        assert {field: getattr(read, field) for field in content if field != "type"} == {
            field: value for field, value in content.items() if field != "type"
        }
        assert decode_request(encode(read)) == read


@pytest.mark.parametrize(
    ("line", "kind"),
    [
        (
            '{"type":"welcome","id":1,"name":"ana","address":"192.168.1.20","status":"ACTIVO",'
            '"seq":1041,"token":"t","epoch":"e","server":"tertulia 1.0.0","protocol":1,'
            '"idle_after":120.0,"max_text":16384}',
            Welcome,
        ),
        (
            f'{{"type":"message","seq":1042,"time":"{TIME}","from":"ana","text":"hola"}}',
            ChatMessage,
        ),
        (f'{{"type":"joined","seq":1,"time":"{TIME}","name":"luis","status":"ACTIVO"}}', Joined),
        (f'{{"type":"left","seq":1,"time":"{TIME}","name":"luis","reason":"quit"}}', Left),
        (
            f'{{"type":"presence","seq":1045,"time":"{TIME}","name":"ana","status":"INACTIVO",'
            '"by":"server"}',
            Presence,
        ),
        (
            f'{{"type":"direct","time":"{TIME}","from":"ana","to":"luis","text":"hola"}}',
            DirectMessage,
        ),
        ('{"type":"users","id":3,"seq":5,"users":[{"name":"ana","status":"ACTIVO"}]}', UserList),
        (
            '{"type":"info","id":4,"name":"luis","address":"192.168.1.21","status":"OCUPADO",'
            f'"since":"{TIME}","idle":12}}',
            UserInfo,
        ),
        (
            f'{{"type":"history","id":5,"messages":[{{"seq":1042,"time":"{TIME}","from":"ana",'
            '"text":"hola"}],"more":true}',
            None,
        ),
        ('{"type":"ok","id":7,"seq":1042}', Ok),
        (
            '{"type":"error","id":8,"code":"user_not_connected",'
            '"message":"no user \'luis\' is connected","name":"luis"}',
            Error,
        ),
        ('{"type":"gap","after":1050,"through":2100}', Gap),
        ('{"type":"closing","reason":"shutdown","retry_after":2.5}', None),
        ('{"type":"ping"}', Ping),
        ('{"type":"pong"}', Pong),
    ],
)
def test_every_example_of_the_page_is_read_and_written_with_the_very_same_fields(
    line: str, kind: type[Struct] | None
) -> None:
    read = decode_server_message(line.encode())
    assert read is not None
    assert kind is None or type(read) is kind
    assert json.loads(encode(read)) == json.loads(line)


def test_a_client_ignores_a_field_that_it_does_not_know() -> None:
    line = b'{"type":"gap","later":[1],"after":1,"through":2}'
    assert decode_server_message(line) == Gap(after=1, through=2)


def test_the_vocabulary_is_that_of_the_page() -> None:
    assert set(tags(Request)) == {
        "register",
        "say",
        "direct",
        "status",
        "users",
        "info",
        "history",
        "search",
        "ping",
        "pong",
        "quit",
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
        "protocol_unsupported",
        "register_timeout",
        "text_invalid",
        "text_too_long",
        "status_invalid",
        "user_not_connected",
        "rate_limited",
        "history_off",
        "unavailable",
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
