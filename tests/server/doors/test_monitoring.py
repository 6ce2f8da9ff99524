"""Who gets the figures and the health of the server over HTTP, and in which form."""

import ipaddress

import pytest
from measured import measured
from prometheus_client.parser import text_string_to_metric_families

from tertulia.protocol.networks import LOOPBACK
from tertulia.server.doors.entrance import Offer, refusal_when_full
from tertulia.server.doors.http import Site
from tertulia.server.doors.monitoring import Monitoring, asks_for_monitoring

HERE = "127.0.0.1"
LAN = (*LOOPBACK, ipaddress.ip_network("10.0.0.0/24"))


class Figures:
    """What a server would measure; counts how often it is asked."""

    def __init__(self) -> None:
        self._measures = measured()
        self.asked = 0
        self.wrong = ""

    def measure(self):
        self.asked += 1
        return self._measures

    def problem(self) -> str:
        return self.wrong


@pytest.fixture(scope="module")
def figures() -> Figures:
    return Figures()


@pytest.fixture
def site(figures):
    figures.wrong = ""
    monitoring = Monitoring(LAN, figures.measure, figures.problem)
    return Site({}, ("chat.example.org",), monitoring=monitoring)


def head(path="/metrics", host="127.0.0.1:5000", method="GET", *fields: str) -> bytes:
    return "\r\n".join((f"{method} {path} HTTP/1.1", f"Host: {host}", *fields, "", "")).encode()


def ask(site, *request, client_address=HERE, is_secure=False) -> tuple[int, str, str]:
    """Return status, head and body of the answer."""
    opened = site.respond(head(*request), b"", is_secure=is_secure, client_address=client_address)
    assert opened.door is None
    top, _, body = opened.answer.decode().partition("\r\n\r\n")
    return int(top.split()[1]), top, body


@pytest.mark.parametrize("is_secure", [False, True])
@pytest.mark.parametrize("path", ["/metrics", "/metrics?name[]=tertulia_threads"])
def test_the_metrics_come_in_the_format_of_prometheus(site, path, is_secure):
    status, top, body = ask(site, path, is_secure=is_secure)
    assert status == 200
    assert "Content-Type: text/plain; version=0.0.4; charset=utf-8" in top
    assert "Cache-Control: no-store" in top
    names = {family.name for family in text_string_to_metric_families(body)}
    assert {"tertulia_connections", "tertulia_messages"} <= names


def test_head_gives_the_length_and_no_body(site):
    _, _, body = ask(site)
    status, top, nothing = ask(site, "/metrics", HERE, "HEAD")
    assert (status, nothing) == (200, "")
    assert f"Content-Length: {len(body)}" in top
    assert ask(site, "/healthz", HERE, "HEAD")[::2] == (200, "")


def test_health_is_ok_or_one_line_that_says_what_is_not(site, figures):
    asked = figures.asked
    assert ask(site, "/healthz")[::2] == (200, "ok\n")
    figures.wrong = "worker-1 has not finished a round for 6 s"
    status, _, body = ask(site, "/healthz")
    assert (status, body) == (503, "worker-1 has not finished a round for 6 s\n")
    assert figures.asked == asked  # it costs no picture of everything


@pytest.mark.parametrize("path", ["/metrics", "/healthz"])
@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS"])
def test_other_methods_are_not_allowed(site, path, method):
    status, top, body = ask(site, path, HERE, method)
    assert (status, body) == (405, "only GET and HEAD are allowed\n")
    assert "Allow: GET, HEAD" in top


@pytest.mark.parametrize(
    ("client_address", "host"),
    [
        ("127.0.0.1", "localhost:5000"),
        ("127.0.0.1", "localhost"),
        ("127.8.0.1", "127.0.0.1"),
        ("::1", "[::1]:5000"),
        ("10.0.0.9", "10.0.0.1:5000"),
        ("10.0.0.9", "server:5000"),
        ("10.0.0.9", "server.lan"),
        ("10.0.0.9", "chat.example.org"),
    ],
)
def test_by_its_addresses_and_local_names_it_is_answered(site, client_address, host):
    assert ask(site, "/healthz", host, client_address=client_address)[0] == 200


@pytest.mark.parametrize("path", ["/metrics", "/healthz"])
@pytest.mark.parametrize(
    ("client_address", "host", "status", "words"),
    [
        ("10.0.1.9", "10.0.0.1", 403, "not for 10.0.1.9"),
        ("fe80::1%eth0", "[fe80::2]", 403, "not for fe80::1%eth0"),
        (None, "127.0.0.1", 403, "without naming its client"),
        # A page of another site that has pointed its name here.
        ("127.0.0.1", "evil.example", 421, "does not know this name"),
        # A proxy on this computer that keeps the Host of its client.
        ("127.0.0.1", "chat.example.org", 403, "at 127.0.0.1 or localhost"),
        ("127.0.0.1", "10.0.0.1", 403, "at 127.0.0.1 or localhost"),
        ("127.0.0.1", "server", 403, "at 127.0.0.1 or localhost"),
        ("::1", "server.lan", 403, "at 127.0.0.1 or localhost"),
    ],
)
def test_others_are_refused_in_words(site, figures, path, client_address, host, status, words):
    asked = figures.asked
    found, _, body = ask(site, path, host, client_address=client_address)
    assert (found, figures.asked) == (status, asked)
    assert words in body


@pytest.mark.parametrize(
    "field",
    [
        "X-Forwarded-For: 127.0.0.1",
        "x-forwarded-host: localhost",
        "X-Forwarded-Proto: https",
        "X-Real-IP: 127.0.0.1",
        "Forwarded: for=127.0.0.1",
        "Via: 1.1 proxy",
    ],
)
def test_what_a_proxy_has_passed_on_is_refused_whatever_it_says(site, field):
    status, _, body = ask(site, "/metrics", HERE, "GET", field)
    assert status == 403
    assert "a proxy has passed this on" in body
    assert ask(site, "/metrics", HERE, "GET", field, client_address="10.0.1.9")[0] == 403


def test_http_1_0_from_this_computer_is_that_of_a_proxy(site):
    first = head("/metrics").replace(b"HTTP/1.1", b"HTTP/1.0")
    for client_address, status in [(HERE, b"403"), ("::1", b"403"), ("10.0.0.9", b"200")]:
        answer = site.respond(first, b"", is_secure=False, client_address=client_address).answer
        assert answer.startswith(b"HTTP/1.1 " + status), client_address
    assert (
        b"ask with HTTP/1.1"
        in site.respond(first, b"", is_secure=False, client_address=HERE).answer
    )


def test_switched_off_there_is_nothing():
    site = Site({}, ())
    assert ask(site, "/metrics")[0] == ask(site, "/healthz")[0] == 404


@pytest.mark.parametrize(
    ("first", "is_one"),
    [
        (b"GET /metrics HTTP/1.1\r\n", True),
        (b"HEAD /healthz?x HTTP/1.1\r\n", True),
        (b"POST /metrics ", True),
        (b"GET /", None),
        (b"GET /metric", None),
        (b"GET /metrics", None),
        (b"GE", None),
        (b"GET /metricsx ", False),
        (b"GET / HTTP/1.1\r\n", False),
        (b'{"type":"register"}\n', False),
        (b"hello\n", False),
        (b"OPTIONSX", False),
    ],
)
def test_without_the_page_only_these_requests_are_http(first, is_one):
    assert asks_for_monitoring(first) is is_one


def test_a_full_server_reads_on_only_from_those_who_watch_over_it(site):
    def full(offer, first, client_address=HERE, *, is_last=False):
        return refusal_when_full(offer, first, None, client_address, is_last=is_last)

    offer = Offer(site)
    begun, whole = b"GET /healthz HT", head("/healthz")
    assert full(offer, begun) is None
    assert full(offer, whole).endswith(b"\r\n\r\nok\n")
    assert full(offer, head("/metrics"), "10.0.0.9").startswith(b"HTTP/1.1 200")
    for first, client_address in [
        (begun, "10.0.1.9"),
        (whole, "10.0.1.9"),
        (whole, None),
        (head("/"), HERE),
        (head("/healthz", "evil.example"), HERE),
        (b"GET /healthz HTTP/1.1\r\nHost: " + b"x" * 20_000, HERE),
    ]:
        answer = full(offer, first, client_address)
        assert answer is not None
        assert answer.startswith(b"HTTP/1.1 503"), first
        assert b"full" in answer
    assert b'"server_full"' in full(offer, b'{"type":')
    needs_tls = Offer(site, None, requires_tls=True)
    assert full(needs_tls, whole).startswith(b"HTTP/1.1 503")
    for unknown in (b"", b"GE"):
        assert full(offer, unknown, None) is None
        assert b'"server_full"' in full(offer, unknown, None, is_last=True)
