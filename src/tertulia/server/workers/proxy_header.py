"""The header by which a proxy names the user's address: the PROXY protocol, versions 1 and 2.

It comes before everything else, even TLS. Pure: no socket and no clock. The specification is
https://www.haproxy.org/download/2.6/doc/proxy-protocol.txt.
"""

import ipaddress
import struct

from msgspec import Struct

_PREFIX_1 = b"PROXY "
_MAX_BYTES_1 = 107  # with the end of the line
_PREFIX_2 = b"\r\n\r\n\0\r\nQUIT\n"
_FIXED_BYTES_2 = 16  # then follow the addresses, and after them data that is skipped here
_VERSION_2 = 0x20
_LOCAL, _PROXY = 0, 1  # commands: the proxy speaks for itself, or for a user
_ADDRESS_BYTES_2 = {0x11: 4, 0x21: 16}  # TCP over IPv4 and IPv6; the other address follows
_WITHOUT_ADDRESS_2 = (0x00, 0x12, 0x22, 0x31, 0x32)  # unspecified, UDP, and Unix sockets


class BadHeader(Exception):
    """A connection begins without a header, or with an invalid one."""


class ProxyHeader(Struct, frozen=True):
    """The contents of a header; `address` is None if it names none. `rest` came after it.

    `is_own` is true if the proxy speaks for itself, not for a client.
    """

    address: str | None
    rest: bytes
    is_own: bool = False

    def client_address(self, proxy: str) -> str | None:
        """Return the address of the client of the proxy at `proxy`; None if it is unknown."""
        return proxy if self.is_own else self.address


class ProxyHeaderReader:
    """Reads the beginning of one connection."""

    def __init__(self, *, is_required: bool) -> None:
        self._is_required = is_required
        self._head = b""

    def read(self, data: bytes) -> ProxyHeader | None:
        """Take in bytes; return None if the header is not complete yet. Raises BadHeader.

        If the header is optional and there is none, everything is `rest`.
        """
        self._head += data
        if _begins_like(self._head, _PREFIX_1):
            return self._read_1()
        if _begins_like(self._head, _PREFIX_2):
            return self._read_2()
        if self._is_required:
            raise BadHeader
        return ProxyHeader(None, self._head)

    def _read_1(self) -> ProxyHeader | None:
        line, end, rest = self._head.partition(b"\r\n")
        if not end and len(self._head) < _MAX_BYTES_1:
            return None
        if not end or len(line) + len(end) > _MAX_BYTES_1:
            raise BadHeader
        words = line.decode("latin-1").split(" ")
        if words[1] == "UNKNOWN":
            return ProxyHeader(None, rest)
        if len(words) != 6 or not all(map(_is_port, words[4:])):
            raise BadHeader
        try:
            match words[1]:
                case "TCP4":
                    source, _ = map(ipaddress.IPv4Address, words[2:4])
                    return ProxyHeader(str(source), rest)
                case "TCP6":
                    source_6, _ = map(ipaddress.IPv6Address, words[2:4])
                    return ProxyHeader(_plain(source_6), rest)
        except ValueError:
            pass  # it does not contain an address
        raise BadHeader

    def _read_2(self) -> ProxyHeader | None:
        if len(self._head) < _FIXED_BYTES_2:
            return None
        version_and_command, family, length = struct.unpack_from("!BBH", self._head, len(_PREFIX_2))
        command = version_and_command - _VERSION_2
        size = _ADDRESS_BYTES_2.get(family)
        if (
            command not in (_LOCAL, _PROXY)
            or (size is None and family not in _WITHOUT_ADDRESS_2)
            or (command == _PROXY and size is not None and length < 2 * size + 4)
        ):
            raise BadHeader
        end = _FIXED_BYTES_2 + length
        if len(self._head) < end:
            return None
        rest = self._head[end:]
        if command == _LOCAL or size is None:
            return ProxyHeader(None, rest, is_own=command == _LOCAL)
        source = self._head[_FIXED_BYTES_2 : _FIXED_BYTES_2 + size]
        if size == 4:
            return ProxyHeader(str(ipaddress.IPv4Address(source)), rest)
        return ProxyHeader(_plain(ipaddress.IPv6Address(source)), rest)


def _begins_like(head: bytes, prefix: bytes) -> bool:
    """Return whether these bytes begin with the prefix, or may still do so."""
    return head.startswith(prefix) or prefix.startswith(head)


def _is_port(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= 5 and int(text) <= 65_535


def _plain(address: ipaddress.IPv6Address) -> str:
    return str(address.ipv4_mapped or address)
