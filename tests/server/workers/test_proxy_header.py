"""The header of a proxy, versions 1 and 2, from bytes to an address."""

import ipaddress
import itertools
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tertulia.server.workers.proxy_header import BadHeader, ProxyHeader, ProxyHeaderReader

SIGNATURE = b"\r\n\r\n\0\r\nQUIT\n"
LINE = b'{"type":"ping"}\n'


def version_2(command=1, family=0x11, source="10.0.0.7", extra=b"", version=2):
    """Write a header of version 2."""
    source = ipaddress.ip_address(source).packed
    body = source + b"\x01" * len(source) + struct.pack("!HH", 1, 2) + extra
    head = struct.pack("!BBH", version << 4 | command, family, len(body))
    return SIGNATURE + head + body


VALID = {
    b"PROXY TCP4 10.0.0.7 192.168.1.10 51234 5000\r\n": "10.0.0.7",
    b"PROXY TCP6 fd00:0::7 fd00::1 1 65535\r\n": "fd00::7",
    b"PROXY TCP6 ::ffff:10.0.0.7 ::ffff:10.0.0.1 1 2\r\n": "10.0.0.7",
    b"PROXY UNKNOWN\r\n": None,
    b"PROXY UNKNOWN ffff::1 whatever 1 2\r\n": None,
    b"PROXY UNKNOWN ".ljust(105, b"x") + b"\r\n": None,  # as long as it may be
    version_2(): "10.0.0.7",
    version_2(extra=b"\x03\x00\x04\x01\x02\x03\x04" * 20): "10.0.0.7",
    version_2(family=0x21, source="fd00::7"): "fd00::7",
    version_2(family=0x21, source="::ffff:10.0.0.7"): "10.0.0.7",
    version_2(command=0): None,
    version_2(command=0, family=0x00): None,
    SIGNATURE + b"\x20\x00\x00\x00": None,
    SIGNATURE + b"\x20\x11\x00\x00": None,  # what it says about itself is not read
    SIGNATURE + b"\x21\x31\x00\xd8" + b"/tmp/x".ljust(216, b"\0"): None,
    SIGNATURE + b"\x21\x32\x00\xd8" + b"/tmp/x".ljust(216, b"\0"): None,
    version_2(family=0x12): None,  # UDP
    version_2(family=0x22, source="fd00::7"): None,
}
OWN = {
    version_2(command=0),
    version_2(command=0, family=0x00),
    SIGNATURE + b"\x20\x00\x00\x00",
    SIGNATURE + b"\x20\x11\x00\x00",
}
BAD = [
    b"PROXY TCP4 10.0.0.7 192.168.1.10 51234\r\n",
    b"PROXY TCP4 10.0.0.7  192.168.1.10 1 2\r\n",
    b"PROXY TCP4 10.0.0.256 192.168.1.10 1 2\r\n",
    b"PROXY TCP4 fd00::7 fd00::1 1 2\r\n",
    b"PROXY TCP4 10.0.0.7 192.168.1.10 1 65536\r\n",
    b"PROXY TCP4 10.0.0.7 192.168.1.10 -1 2\r\n",
    b"PROXY TCP4 10.0.0.7 192.168.1.10 000001 2\r\n",
    b"PROXY TCP4 10.0.0.7 192.168.1.10 \xb2 2\r\n",  # a digit, but no number
    b"PROXY UDP4 10.0.0.7 192.168.1.10 1 2\r\n",
    b"PROXY \r\n",
    b"PROXY UNKNOWN" + b" x" * 60 + b"\r\n",
    b"PROXY " + b"x" * 200,
    b"PROXY UNKNOWN ".ljust(107, b"x"),
    b"PROXY UNKNOWN ".ljust(106, b"x") + b"\r\n",
    version_2(version=1),
    version_2(command=2),
    version_2(family=0x41),
    SIGNATURE + b"\x21\x11\x00\x04\x0a\x00\x00\x07",
    SIGNATURE + b"\x21\x11\x00\x0b" + bytes(11),  # a byte less than addresses and ports need
]


def read(data, *, is_required=True):
    return ProxyHeaderReader(is_required=is_required).read(data)


@pytest.mark.parametrize(("header", "address"), VALID.items(), ids=map(repr, VALID))
def test_a_header_names_an_address_and_what_follows_is_kept(header, address):
    is_own = header in OWN
    assert read(header) == ProxyHeader(address, b"", is_own)
    assert read(header + LINE) == ProxyHeader(address, LINE, is_own)
    # Only the first one counts.
    assert read(header + header) == ProxyHeader(address, header, is_own)


def test_a_proxy_that_speaks_for_itself_has_its_own_address():
    assert read(version_2(command=0)).client_address("10.0.0.1") == "10.0.0.1"
    assert read(version_2()).client_address("10.0.0.1") == "10.0.0.7"
    # It does not say for whom it speaks, or there is no header.
    assert read(b"PROXY UNKNOWN\r\n").client_address("10.0.0.1") is None
    assert read(LINE, is_required=False).client_address("10.0.0.1") is None


@given(st.sampled_from(list(VALID)), st.lists(st.integers(0, 300)), st.booleans())
def test_however_a_header_is_split_it_says_the_same(header, cuts, is_required):
    stream = header + LINE
    reader, places = ProxyHeaderReader(is_required=is_required), sorted({*cuts, 0, len(stream)})
    found = None
    for start, end in itertools.pairwise(places):
        piece = stream[start:end]
        if found is None:
            found = reader.read(piece) if piece else None
        elif piece:
            found = ProxyHeader(found.address, found.rest + piece, found.is_own)
    assert found == ProxyHeader(VALID[header], LINE, header in OWN)


@pytest.mark.parametrize("header", BAD, ids=map(repr, BAD))
@pytest.mark.parametrize("is_required", [True, False])
def test_a_header_that_is_not_valid_is_refused(header, is_required):
    with pytest.raises(BadHeader):
        read(header, is_required=is_required)


@pytest.mark.parametrize("data", [LINE, b"GET / HTTP/1.1\r\n", b"PUT ", b"\r\n\r\n{", b"\x16\x03"])
def test_without_a_header_everything_is_for_the_door_unless_one_is_required(data):
    assert read(data, is_required=False) == ProxyHeader(None, data)
    with pytest.raises(BadHeader):
        read(data)


@pytest.mark.parametrize("header", VALID, ids=map(repr, VALID))
def test_a_header_without_its_end_is_waited_for(header):
    for end in range(1, len(header)):
        assert read(header[:end]) is None


def test_the_longest_header_that_there_can_be_is_read():
    header = SIGNATURE + b"\x21\x11\xff\xff" + bytes((10, 0, 0, 7)) + bytes(65_535 - 4)
    assert read(header + LINE) == ProxyHeader("10.0.0.7", LINE)
