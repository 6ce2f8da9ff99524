"""Reading requests: which lines are refused, and with which code and id."""

import json
from typing import get_args

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from msgspec import UNSET

from tertulia.protocol.lines import BadRequest, decode_request
from tertulia.protocol.messages import MAX_INT, ErrorCode, ListUsers, Ping, Request, Say

MALFORMED = ErrorCode.MALFORMED
UNKNOWN_TYPE = ErrorCode.UNKNOWN_TYPE
REQUEST_TYPES = sorted(kind.__struct_config__.tag for kind in get_args(Request))


def decode_or_refuse(line: bytes) -> Request | BadRequest:
    try:
        return decode_request(line)
    except BadRequest as refused:
        return refused


def refusal(line: bytes | str | dict[str, object]) -> tuple[ErrorCode, object]:
    """Return the code and the id with which a line is refused."""
    if isinstance(line, dict):
        line = json.dumps(line)
    with pytest.raises(BadRequest) as caught:
        decode_request(line.encode() if isinstance(line, str) else line)
    return caught.value.code, caught.value.request_id


def test_an_id_is_an_integer_from_0_to_2_to_the_53_minus_1() -> None:
    assert decode_request(b'{"type":"users"}').id is UNSET
    for valid in (0, 1, 2**53 - 1):
        assert decode_request(b'{"type":"users","id":%d}' % valid).id == valid
    for invalid in ("-1", str(2**53), "9" * 400, "9" * 5000, "1.5", '"1"', "true", "null", "[1]"):
        for kind in ("users", "say", "nope"):
            assert refusal(f'{{"type":"{kind}","id":{invalid}}}') == (MALFORMED, UNSET)


@pytest.mark.parametrize(
    "line",
    [
        "",
        " ",
        "hola",
        "null",
        '["ping"]',
        "{}",
        '{"type":"ping"',
        '{"type":"ping",}',
        '{"type":"ping"} {"type":"ping"}',
        '\ufeff{"type":"ping"}',
        '{"type":"ping"}\x00',
        '{"type":"ping","x":01}',
        '{"type":"ping","x":truth}',
        '{"type":"ping","x":"\\x41"}',
        '{"type":"ping","x":"a\tb"}',
        '{"type":"say","text":"a\x01b"}',
    ],
)
def test_a_line_that_is_no_json_object_is_malformed(line: str) -> None:
    assert refusal(line) == (MALFORMED, UNSET)


@pytest.mark.parametrize("field", ["id", "text", "unknown"])
def test_nan_and_infinity_are_malformed_in_known_and_unknown_fields(field: str) -> None:
    for number in ("NaN", "Infinity", "-Infinity"):
        line = f'{{"type":"say","id":3,"text":"a","{field}":{number}}}'
        assert refusal(line) == (MALFORMED, UNSET), "it is not JSON, so it has no id"


BAD_UTF8 = [
    b"\xff",
    b"\xc3",  # cut off
    b"\xc0\x80",  # NUL in two bytes
    b"\xed\xa0\x80",  # a surrogate
    b"\xf4\x90\x80\x80",  # beyond U+10FFFF
]


@pytest.mark.parametrize(
    "line",
    [
        b'{"type":"say","text":"a%sb"}',
        b'{"type":"ping","unknown":{"deep":["a%sb"]}}',
        b'{"type":"ping","a%sb":1}',
        b'{"type":"ping"}%s',
    ],
)
def test_bad_utf8_is_malformed_even_in_unknown_fields(line: bytes) -> None:
    for octets in BAD_UTF8:
        assert refusal(line % octets)[0] == MALFORMED


@pytest.mark.parametrize("key", ["text", "unknown"])
def test_nesting_that_is_too_deep_is_malformed(key: str) -> None:
    for opening, closing in ("[", "]"), ('{"x":', "}"):
        depth = 60_000 // len(opening + closing)
        line = f'{{"type":"say","text":"a","{key}":{opening * depth}1{closing * depth}}}'
        assert refusal(line)[0] == MALFORMED
        assert refusal(opening * depth)[0] == MALFORMED


def test_an_unknown_field_is_ignored_whatever_it_holds() -> None:
    for value in ("null", "[[{}]]", '{"type":"quit"}', "1e999", "9" * 5000, '"\\ud83d\\ude00"'):
        line = f'{{"x":{value},"type":"users","y":{value},"id":7,"z":{value}}}'
        assert decode_request(line.encode()) == ListUsers(id=7)


def test_escapes_are_read_in_keys_and_values() -> None:
    assert decode_request(b'{"t\\u0079pe":"\\u0070ing","\\u0069d":3}') == Ping(id=3)
    assert decode_request(b'{"type":"say","text":"\\ud83d\\ude00\\n"}') == Say(text="😀\n")


@pytest.mark.parametrize("escape", ["\\ud800", "\\udc00\\ud800"])
def test_an_unpaired_surrogate_is_malformed_where_the_decoder_refuses_it(escape: str) -> None:
    for line in (
        f'{{"type":"say","text":"{escape}","id":4}}',
        f'{{"type":"register","name":"{escape}","id":4}}',
        f'{{"id":4,"type":"users","unknown":"{escape}"}}',
        f'{{"type":"{escape}","id":4}}',
    ):
        assert refusal(line) == (MALFORMED, 4)


@pytest.mark.parametrize(
    "line",
    [
        '{"type":"ping","type":"quit"}',
        '{"type":"ping","id":1,"id":"x"}',
        '{"type":"say","text":1,"text":"a"}',
    ],
)
def test_duplicate_keys_do_no_harm(line: str) -> None:
    read = decode_or_refuse(line.encode())
    assert not isinstance(read, BadRequest) or read.code in (MALFORMED, UNKNOWN_TYPE)


@pytest.mark.parametrize("kind", ["nope", "", "PING", "welcome", "x" * 60_000])
def test_a_type_that_no_request_has_is_unknown_and_keeps_its_id(kind: str) -> None:
    assert refusal({"type": kind}) == (UNKNOWN_TYPE, UNSET)
    assert refusal({"type": kind, "id": 0}) == (UNKNOWN_TYPE, 0)
    assert refusal({"id": MAX_INT, "type": kind, "name": 5}) == (UNKNOWN_TYPE, MAX_INT)


@pytest.mark.parametrize("kind", [None, 1, []])
def test_a_type_that_is_no_string_is_malformed_and_keeps_the_id(kind: object) -> None:
    assert refusal({"type": kind, "id": 3}) == (MALFORMED, 3)
    assert refusal({"id": 3}) == (MALFORMED, 3)


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ('{"type":"say","id":3,"unknown":%s}', MALFORMED),
        ('{"type":%s,"id":3}', MALFORMED),
        ('{"type":"nope","id":3,"unknown":%s}', UNKNOWN_TYPE),
    ],
)
def test_a_line_with_a_huge_integer_keeps_its_id(line: str, code: ErrorCode) -> None:
    assert refusal(line % ("9" * 5000)) == (code, 3)


@pytest.mark.parametrize(
    ("kind", "required"),
    [
        ("register", ["name"]),
        ("say", ["text"]),
        ("direct", ["to", "text"]),
        ("status", ["status"]),
        ("info", ["name"]),
        ("search", ["text"]),
    ],
)
def test_a_request_without_one_of_its_fields_is_malformed(kind: str, required: list[str]) -> None:
    whole = {"type": kind, "id": 6} | dict.fromkeys(required, "x")
    decode_request(json.dumps(whole).encode())
    for field in required:
        lacking = {key: value for key, value in whole.items() if key != field}
        assert refusal(lacking) == (MALFORMED, 6)
        wrong_kinds: tuple[object, ...] = (None, 1, True, ["x"], {})
        for wrong in wrong_kinds:
            assert refusal(whole | {field: wrong}) == (MALFORMED, 6)


@pytest.mark.parametrize(
    ("request_", "field", "values"),
    [
        ({"type": "register", "name": "a"}, "token", [None, 1, [], True]),
        ({"type": "register", "name": "a"}, "protocol", [None, "1", 1.5, [], True]),
        ({"type": "register", "name": "a"}, "events", [None, 1, "some", "", [], "ALL"]),
        ({"type": "register", "name": "a"}, "status", [None, 1, []]),
        ({"type": "register", "name": "a"}, "idle", [None, "10", -1, True]),
        (
            {"type": "register", "name": "a"},
            "key",
            [None, 5, "short", "A" * 129, "with blanks in it, and points.", "A" * 43 + "\n"],
        ),
        ({"type": "say", "text": "a"}, "nonce", [None, 1, "", "x" * 65, []]),
        ({"type": "direct", "to": "a", "text": "a"}, "nonce", [None, 1, "", "ñ" * 65, []]),
        ({"type": "history"}, "before", [None, "1", 1.5, True]),
        ({"type": "history"}, "after", [None, "1", 1.5, True]),
        ({"type": "history"}, "limit", [None, "1", 1.5, True, 0, -1, -(10**30)]),
        ({"type": "search", "text": "a"}, "before", [None, "1", 1.5, True]),
        ({"type": "search", "text": "a"}, "limit", [None, "1", 1.5, True, 0, -1]),
    ],
)
def test_an_optional_field_of_the_wrong_kind_is_malformed(
    request_: dict[str, object], field: str, values: list[object]
) -> None:
    for value in values:
        assert refusal(request_ | {"id": 6, field: value}) == (MALFORMED, 6)


@pytest.mark.parametrize(
    ("request_", "field", "values"),
    [
        ({"type": "register", "name": "a"}, "token", ["", "x" * 1000]),
        ({"type": "register", "name": "a"}, "protocol", [1, 2, 0, -1, 10**30]),
        ({"type": "register", "name": "a"}, "events", ["all", "messages"]),
        ({"type": "register"}, "name", ["", "not a name", "x" * 60_000]),
        ({"type": "say"}, "text", ["", "x" * 60_000, "\n\t"]),
        ({"type": "say", "text": "a"}, "nonce", ["x", "x" * 64, "ñ" * 64, "😀" * 64]),
        ({"type": "status"}, "status", ["ACTIVO", "activo", "", "AWAY"]),
        ({"type": "history"}, "limit", [1, 50, 200, 201, 10**30]),
        ({"type": "history"}, "before", [0, 1042]),
        ({"type": "history", "before": 1042}, "after", [0, 980]),
    ],
)
def test_a_value_of_the_right_kind_is_read_even_if_it_will_be_refused(
    request_: dict[str, object], field: str, values: list[object]
) -> None:
    for value in values:
        read = decode_request(json.dumps(request_ | {field: value}).encode())
        assert getattr(read, field) == value


# --- whatever the bytes --------------------------------------------------------------------------


def read_json(line: bytes) -> object:
    def refuse(constant: str) -> None:
        raise ValueError(constant)

    return json.loads(line.decode(), parse_constant=refuse)


json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)
KNOWN_FIELDS = [
    *("id", "name", "token", "protocol", "events", "text", "nonce", "to", "status"),
    *("before", "after", "limit", "unknown"),
]
objects = st.fixed_dictionaries(
    {"type": st.sampled_from(REQUEST_TYPES) | json_values},
    optional=dict.fromkeys(KNOWN_FIELDS, st.text(max_size=3) | st.integers() | json_values),
)
request_lines = objects.map(lambda content: json.dumps(content, ensure_ascii=False).encode())


@given(st.binary() | st.text().map(str.encode))
@example(b"")
@example(b"\x00")
@example(b'{"type":"\x80"}')
def test_nothing_but_bad_request_is_raised_whatever_the_bytes(line: bytes) -> None:
    decode_or_refuse(line)


@given(request_lines, st.data())
def test_a_damaged_request_is_read_only_if_it_is_still_json(
    line: bytes, data: st.DataObject
) -> None:
    start = data.draw(st.integers(0, len(line)))
    end = data.draw(st.integers(start, min(len(line), start + 3)))
    damage = data.draw(st.binary(max_size=3) | st.sampled_from([b'"', b"\\u", b"[", b"-", b"NaN"]))
    damaged = line[:start] + damage + line[end:]
    read = decode_or_refuse(damaged)
    if not isinstance(read, BadRequest):
        content = read_json(damaged)
        assert isinstance(content, dict)
        assert content["type"] in REQUEST_TYPES


@given(objects)
def test_the_code_and_the_id_of_a_refusal_follow_from_the_object(
    content: dict[str, object],
) -> None:
    read = decode_or_refuse(json.dumps(content).encode())
    request_id = content.get("id", UNSET)
    has_valid_id = type(request_id) is int and 0 <= request_id <= MAX_INT
    if not isinstance(read, BadRequest):
        assert content["type"] in REQUEST_TYPES
        assert read.id == request_id
        return
    assert read.request_id == (request_id if has_valid_id else UNSET)
    if isinstance(content["type"], str) and content["type"] not in REQUEST_TYPES:
        assert read.code == UNKNOWN_TYPE or not has_valid_id
    else:
        assert read.code == MALFORMED
