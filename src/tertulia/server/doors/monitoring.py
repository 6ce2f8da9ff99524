"""Answers monitoring programs: `/metrics` and `/healthz`.

Both are only for the addresses in `--metrics`, by default this computer. A request that may come
from elsewhere through a proxy on this computer is refused. Pure, except for taking the figures.
"""

import http
import ipaddress
from collections.abc import Callable

from websockets.http11 import Request

from tertulia.protocol.measures import Measures
from tertulia.protocol.networks import Network
from tertulia.server.doors.exposition import CONTENT_TYPE, expose
from tertulia.server.doors.responses import response, text_response

METRICS_PATH, HEALTH_PATH = "/metrics", "/healthz"
_PATHS = (METRICS_PATH, HEALTH_PATH)
# HTTP proxies add these headers. Their contents prove nothing, because every client can send them.
# But a request with one of them does not come from the address that it seems to come from.
_FROM_PROXIES = (
    "Forwarded",
    "X-Forwarded-For",
    "X-Forwarded-Host",
    "X-Forwarded-Proto",
    "X-Real-IP",
    "Via",
)
_ONLY_HERE = {
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
    "Cross-Origin-Resource-Policy": "same-origin",
}


def is_for_monitors(path: str) -> bool:
    """Return whether a path, with or without a query, is `/metrics` or `/healthz`."""
    return path.partition("?")[0] in _PATHS


def asks_for_monitoring(first: bytes) -> bool | None:
    """Return whether a connection begins with a request for these; None if that is unclear."""
    method, blank, rest = first.partition(b" ")
    if len(method) > 7 or not (method.isalpha() and method.isupper()):
        return False
    if not blank:
        return None
    for path in _PATHS:
        known = path.encode()
        if rest.startswith((known + b" ", known + b"?")):
            return True
        if known.startswith(rest):
            return None
    return False


class Monitoring:
    """Answers programs at the allowed addresses.

    `measure` returns the figures, `problem` what does not work ("": all is well).
    """

    def __init__(
        self,
        networks: tuple[Network, ...],
        measure: Callable[[], Measures],
        problem: Callable[[], str],
    ) -> None:
        self._networks = networks
        self._measure = measure
        self._problem = problem

    def admits(self, client_address: str | None) -> bool:
        """Return whether an address may ask; None: a proxy has not named it."""
        if client_address is None:
            return False
        address = ipaddress.ip_address(client_address.partition("%")[0])
        return any(address in network for network in self._networks)

    def answer(self, request: Request, host: str, client_address: str | None) -> bytes:
        """Answer a GET or HEAD request; `host` is the name in its Host, in lower case."""
        refusal = self._refuse(request, host, client_address)
        has_body = request.method == "GET"
        if refusal is not None:
            return text_response(http.HTTPStatus.FORBIDDEN, refusal, _ONLY_HERE, has_body=has_body)
        if request.path.partition("?")[0] == METRICS_PATH:
            headers = {"Content-Type": CONTENT_TYPE, **_ONLY_HERE}
            return response(http.HTTPStatus.OK, headers, expose(self._measure()), has_body=has_body)
        problem = self._problem()
        status = http.HTTPStatus.SERVICE_UNAVAILABLE if problem else http.HTTPStatus.OK
        return text_response(status, problem or "ok", _ONLY_HERE, has_body=has_body)

    def _refuse(self, request: Request, host: str, client_address: str | None) -> str | None:
        if client_address is None:
            return "a proxy has passed this on without naming its client: metrics are not for all"
        if not self.admits(client_address):
            return (
                f"metrics are not for {client_address}: "
                "the server's option --metrics names who may read"
            )
        if any(name in request.headers for name in _FROM_PROXIES):
            return "a proxy has passed this on: ask the server directly"
        if not _is_loopback(client_address):
            return None
        # A proxy on this computer may pass on the Host of its client, which is not a loopback name.
        # One that does not, such as nginx by default, sends requests with HTTP/1.0.
        if host != "localhost" and not _is_loopback(host.strip("[]")):
            return "on the server's own computer, ask for it at 127.0.0.1 or localhost"
        if request.protocol == "HTTP/1.0":
            return "on the server's own computer, ask with HTTP/1.1: HTTP/1.0 may come from a proxy"
        return None


def _is_loopback(address: str) -> bool:
    try:
        return ipaddress.ip_address(address).is_loopback
    except ValueError:  # a name
        return False
