"""HTTP: one request for each connection, answered with a file or turned into a WebSocket.

Pure: it gets the head of a request and returns the answer. The library `websockets` parses heads
and opens WebSockets.
"""

import http
import ipaddress
import re
import zlib
from collections.abc import Callable, Sequence

from msgspec.structs import replace
from websockets.datastructures import Headers
from websockets.exceptions import SecurityError
from websockets.http11 import Request, parse_headers
from websockets.server import ServerProtocol

from tertulia.server.doors.files import File, file_of
from tertulia.server.doors.handout import (
    CLIENT_PATH,
    ClientFiles,
    Wanted,
    is_client,
    preferred_language,
)
from tertulia.server.doors.handout_page import Address
from tertulia.server.doors.hooks import is_hook, is_own_origin, open_hook
from tertulia.server.doors.monitoring import Monitoring, is_for_monitors
from tertulia.server.doors.nodes import hosts_of, is_of_a_node, sources_of
from tertulia.server.doors.responses import response, text_response
from tertulia.server.doors.websocket import WebSocketDoor, quiet_log
from tertulia.server.workers.door import Opened

MAX_HEAD_BYTES = 16 * 1024
WEBSOCKET_PATH = "/ws"
AUTHORITY_PATH = "/ca.crt"

_METHODS = (b"GET", b"HEAD", b"POST", b"PUT", b"DELETE", b"OPTIONS", b"PATCH", b"TRACE", b"CONNECT")
_LOCAL_ENDINGS = (".local", ".lan", ".home.arpa", ".internal")
_HOST = re.compile(r"(\[[0-9A-Fa-f:.%]+\]|[^\[\]:/@\s]+)(?::([0-9]{1,5}))?\Z")
# A Host that may be part of a shell command.
_PLAIN_HOST = re.compile(r"[A-Za-z0-9._:\[\]%-]+")
_POLICY = "Content-Security-Policy"
_SECURITY_HEADERS = {
    _POLICY: (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
        "connect-src 'self'{nodes}; manifest-src 'self'; base-uri 'none'; form-action 'none'; "
        "frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
}
# Only where browsers trust the connection: elsewhere they ignore it with a warning.
_TRUSTED_HEADERS = {"Cross-Origin-Opener-Policy": "same-origin"}
_WORDS = {
    http.HTTPStatus.TEMPORARY_REDIRECT: "this server speaks only TLS: use https",
    http.HTTPStatus.BAD_REQUEST: "this is not a valid HTTP/1.1 request",
    http.HTTPStatus.FORBIDDEN: "a page of another site may not talk to this server",
    http.HTTPStatus.NOT_FOUND: "there is no such page here",
    http.HTTPStatus.METHOD_NOT_ALLOWED: "only GET and HEAD are allowed",
    http.HTTPStatus.REQUEST_TIMEOUT: "the request took too long",
    http.HTTPStatus.MISDIRECTED_REQUEST: (
        "the server does not know this name of itself: use its IP address, or start it with "
        "--name and this name"
    ),
    http.HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE: "the head of the request is too long",
    http.HTTPStatus.SERVICE_UNAVAILABLE: "the server is full or stopping: try again later",
}


def looks_like_http(first: bytes) -> bool | None:
    """Return whether a connection begins like HTTP; None if more bytes are needed to decide."""
    if first[:1] == b"{":  # the usual case: a line of the native protocol
        return False
    word, blank, _rest = first.partition(b" ")
    if blank:
        return word in _METHODS
    return None if any(method.startswith(word) for method in _METHODS) else False


class _Refused(Exception):
    def __init__(self, status: http.HTTPStatus) -> None:
        super().__init__(status)
        self.status = status


class Site:
    """What this server offers over HTTP: the files of the page, and a WebSocket.

    It answers only under IP addresses, local names and the given `names`, which no outsider can
    make point to it. Otherwise a page of another site could reach it through a visitor's browser.
    """

    def __init__(
        self,
        files: dict[str, File],
        names: tuple[str, ...],
        authority: Callable[[], bytes] = lambda: b"",
        *,
        monitoring: Monitoring | None = None,
        has_page: bool = True,
        client_files: ClientFiles | None = None,
        nodes: Callable[[], Sequence[str]] = tuple,
    ) -> None:
        """`authority` returns the certificate of the server's CA, if it has one.

        `nodes` returns the addresses of all servers of the chat, also of those that are down; it is
        empty for a single server. Without the page there is only the `monitoring`.
        """
        self._client_files = client_files
        self._nodes = nodes
        self.monitoring = monitoring
        self.has_page = has_page
        self._files = files
        self._names = frozenset(name.lower() for name in names)
        self._authority_pem = authority

    def redirect(self, head: bytes) -> bytes:
        """Answer a request that came without TLS although TLS is required; `head` is its head."""
        try:
            request, host, _name = self._read(head)
        except _Refused as refused:
            return error_response(refused.status)
        path = request.path if request.path.startswith("/") else "/"
        # Temporary: a browser would remember a permanent one even after the option has changed.
        where = {"Location": f"https://{host}{path}"}
        return error_response(http.HTTPStatus.TEMPORARY_REDIRECT, where)

    def respond(
        self, head: bytes, rest: bytes, *, is_secure: bool, client_address: str | None = None
    ) -> Opened:
        """Answer a request, given by its head; `rest` are the bytes that came after it.

        `is_secure` is true if they came over TLS. `client_address`, which is None if it is unknown,
        decides who may read the monitoring.
        """
        try:
            request, host, name = self._read(head)
            origin = request.headers.get("Origin")
            upgrade = request.headers.get("Upgrade", "")
            known_etag = request.headers.get("If-None-Match", "")
            if is_hook(request.path):
                return open_hook(request.method, request.path, request.headers, host, rest)
        except _Refused as refused:
            return Opened(answer=error_response(refused.status))
        except LookupError:  # a header occurs twice
            return Opened(answer=error_response(http.HTTPStatus.BAD_REQUEST))
        path = request.path.partition("?")[0]
        if path == WEBSOCKET_PATH and upgrade:
            return self._open_websocket(request, host, origin, rest)
        if request.method not in ("GET", "HEAD"):
            allow = {"Allow": "GET, HEAD"}
            return Opened(answer=error_response(http.HTTPStatus.METHOD_NOT_ALLOWED, allow))
        if _has_body(request.headers):
            return Opened(answer=error_response(http.HTTPStatus.BAD_REQUEST))
        if self.monitoring is not None and is_for_monitors(path):
            return Opened(answer=self.monitoring.answer(request, name, client_address))
        is_trusted = is_secure or _is_loopback(name)
        headers = _SECURITY_HEADERS | (_TRUSTED_HEADERS if is_trusted else {})
        others = sources_of(self._nodes(), is_secure=is_secure)
        headers[_POLICY] = headers[_POLICY].format(nodes=others)
        if self._client_files is not None and is_client(path):
            if _PLAIN_HOST.fullmatch(host) is None:
                return Opened(answer=error_response(http.HTTPStatus.BAD_REQUEST))
            wanted = Wanted(
                name=path.removeprefix(CLIENT_PATH).removeprefix("/"),
                address=_address(host, is_secure=is_secure),
                language=preferred_language(request.headers),
                known_etag=known_etag,
                has_body=request.method == "GET",
                headers=headers,
            )
            return self._client_files.open(wanted)
        file = self._authority() if path == AUTHORITY_PATH else self._files.get(path)
        if file is None:
            return Opened(answer=error_response(http.HTTPStatus.NOT_FOUND))
        if others:  # A cached page must not keep the policy of a single server.
            etag = f'{file.etag[:-1]}-{zlib.crc32(others.encode()):x}"'
            file = replace(file, etag=etag)
        return Opened(
            answer=_file_response(file, headers, known_etag, has_body=request.method == "GET")
        )

    def _open_websocket(
        self, request: Request, host: str, origin: str | None, rest: bytes
    ) -> Opened:
        if _has_body(request.headers):
            return Opened(answer=error_response(http.HTTPStatus.BAD_REQUEST))
        if origin is not None and not (
            is_own_origin(origin, host) or is_of_a_node(origin, self._nodes())
        ):
            return Opened(answer=error_response(http.HTTPStatus.FORBIDDEN))
        protocol = ServerProtocol(logger=quiet_log)
        opening = protocol.accept(request)
        protocol.send_response(opening)
        answer = b"".join(protocol.data_to_send())
        if opening.status_code != http.HTTPStatus.SWITCHING_PROTOCOLS:
            return Opened(answer=answer)
        return Opened(answer=answer, door=WebSocketDoor(), rest=rest)

    def respond_though_full(self, head: bytes, client_address: str | None) -> bytes | None:
        """Answer an allowed request for `/metrics` or `/healthz`; None for any other one."""
        try:
            request, _host, _name = self._read(head)
        except _Refused:
            return None
        if self.monitoring is None or not is_for_monitors(request.path):
            return None
        return self.respond(head, b"", is_secure=False, client_address=client_address).answer

    def _read(self, head: bytes) -> tuple[Request, str, str]:
        """Return a request, its Host, and the name in its Host. Raises _Refused.

        Hooks accept every name.
        """
        try:
            request = _parse(head)
            host = request.headers.get("Host", "")
        except SecurityError:  # the library limits the length and the number of headers
            raise _Refused(http.HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE) from None
        except (ValueError, LookupError, NotImplementedError, EOFError):
            raise _Refused(http.HTTPStatus.BAD_REQUEST) from None
        found = _HOST.match(host)
        if found is None or not host.isascii():
            raise _Refused(http.HTTPStatus.BAD_REQUEST)
        name = found[1].lower()
        if not self._is_own_name(name) and not is_hook(request.path):
            raise _Refused(http.HTTPStatus.MISDIRECTED_REQUEST)
        return request, host, name

    def _authority(self) -> File | None:
        pem = self._authority_pem()
        return file_of("application/x-x509-ca-cert", pem) if pem else None

    def _is_own_name(self, name: str) -> bool:
        if _as_address(name) is not None:
            return True
        name = name.removesuffix(".")
        if "." not in name or name.endswith(_LOCAL_ENDINGS) or name in self._names:
            return True
        return name in hosts_of(self._nodes())


def error_response(status: http.HTTPStatus, headers: dict[str, str] | None = None) -> bytes:
    """Return a response that says what is wrong."""
    text = _WORDS.get(status, status.phrase)
    return text_response(status, text, headers)


def _parse(head: bytes) -> Request:
    """Parse a complete head, also of a request with a body.

    Raises ValueError, or the library's errors for invalid headers.
    """
    position = 0

    def read_line(max_bytes: int, too_long: type[Exception]):  # type: ignore[no-untyped-def]
        nonlocal position
        end = head.find(b"\n", position) + 1
        if not end:
            raise EOFError("the head ends within a line")
        if end - position > max_bytes:
            raise too_long
        line = head[position:end]
        position = end
        return line
        yield  # the library wants a generator

    position = head.find(b"\r\n") + 2
    method, path, protocol = head[: position - 2].decode("ascii").split(" ", 2)
    if not path or not path.isprintable():
        raise ValueError(f"not a path: {path!r}")
    if protocol not in ("HTTP/1.1", "HTTP/1.0"):
        raise ValueError(f"another protocol: {protocol}")
    parser = parse_headers(read_line)
    try:
        next(parser)
    except StopIteration as done:
        return Request(path, done.value, method, protocol)
    raise EOFError("the head is not complete")


def _has_body(headers: Headers) -> bool:
    lengths = set(headers.get_all("Content-Length"))
    return "Transfer-Encoding" in headers or not lengths <= {"0"}


def _address(host: str, *, is_secure: bool) -> Address:
    """Return the address at which the server was reached, from a checked Host."""
    found = _HOST.match(host)
    assert found is not None
    port = found[2] or ("443" if is_secure else "80")
    return Address("https" if is_secure else "http", host, found[1].strip("[]"), int(port))


def _as_address(name: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        if name.startswith("["):
            return ipaddress.IPv6Address(name.strip("[]").partition("%")[0])
        return ipaddress.IPv4Address(name)
    except ValueError:
        return None


def _is_loopback(name: str) -> bool:
    address = _as_address(name)
    return name == "localhost" if address is None else address.is_loopback


def _file_response(
    file: File, headers: dict[str, str], known_etag: str, *, has_body: bool
) -> bytes:
    caching = {"ETag": file.etag, "Cache-Control": "no-cache"}
    if file.etag in known_etag:
        return response(http.HTTPStatus.NOT_MODIFIED, caching, None)
    headers = {"Content-Type": file.kind, **caching, **headers}
    if file.preloads:
        headers["Link"] = file.preloads
    return response(http.HTTPStatus.OK, headers, file.body, has_body=has_body)
