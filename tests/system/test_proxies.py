"""Users behind a proxy: the PROXY protocol, and the socket in the file system; from outside."""

import ipaddress
import re
import socket
import ssl
import stat
import struct
import time

import pytest
from peers import BOTH_THREAD_MODELS, Server
from web_peer import upgrade

PROXY = "127.0.50.5"
PROXIES = ("--proxy-from", "127.0.50.0/28")
SIGNATURE = b"\r\n\r\n\0\r\nQUIT\n"


@pytest.fixture(scope="module")
def one_server(threads, tmp_path_factory):
    """Start a server behind proxies for the tests of a module."""
    log = tmp_path_factory.mktemp("server") / "server.log"
    server = Server(("--threads", threads, "--rate-limit", "off", *PROXIES), log)
    yield server
    server.stop()


@pytest.fixture
def proxied(one_server):
    """Return that server without any client; disconnect all clients after the test."""
    yield one_server
    one_server.part()


def version_1(address, family="TCP4"):
    to = "127.0.0.1" if family == "TCP4" else "::1"
    return f"PROXY {family} {address} {to} 4321 5000\r\n".encode()


def version_2(address, command=1, extra=b"\x04\x00\x02ab"):
    ip = ipaddress.ip_address(address)
    body = ip.packed * 2 + struct.pack("!HH", 1, 2) + extra
    family = 0x11 if ip.version == 4 else 0x21
    return SIGNATURE + struct.pack("!BBH", 0x20 | command, family, len(body)) + body


def behind(server, header, proxy=PROXY):
    """Return a connection of a proxy that has sent its header."""
    peer = server.peer(proxy, tls=None)
    peer.send_raw(header)
    return peer


@BOTH_THREAD_MODELS
@pytest.mark.parametrize("version", [version_1, version_2])
def test_the_address_of_a_user_is_the_one_that_the_proxy_names(proxied, version):
    ana = behind(proxied, version("10.9.0.1"))
    assert ana.register("ana")["address"] == "10.9.0.1"
    luis = behind(proxied, version("10.9.0.2"))
    assert luis.register("luis")["address"] == "10.9.0.2"
    with ana.alive():
        twin = behind(proxied, version("10.9.0.1"))
        twin.send("register", name="eva")
        twin.expect_error("address_taken")
    assert luis.ask("info", name="ana")["address"] == "10.9.0.1"
    assert "joined name=ana address=10.9.0.1" in proxied.wait_for_log("name=luis")


def test_an_ipv6_address_is_named_too_and_a_mapped_one_is_ipv4(proxied):
    for number, (header, address) in enumerate(
        [
            (version_2("fd00::7"), "fd00::7"),
            (version_1("fd00:0::8", "TCP6"), "fd00::8"),
            (version_2("::ffff:10.9.0.3"), "10.9.0.3"),
        ]
    ):
        assert behind(proxied, header).register(f"user{number}")["address"] == address


@BOTH_THREAD_MODELS
def test_a_header_may_come_in_pieces_and_with_what_follows(proxied):
    line = b'{"type":"register","name":"ana"}\n'
    peer = proxied.peer(PROXY, tls=None)
    for byte in version_2("10.9.0.1") + line[:10]:
        peer.send_raw(bytes((byte,)))
        time.sleep(0.001)  # so that some arrive alone
    peer.send_raw(line[10:])
    assert peer.expect("welcome")["address"] == "10.9.0.1"
    peer = behind(proxied, version_1("10.9.0.2") + line.replace(b"ana", b"eva"))
    assert peer.expect("welcome")["address"] == "10.9.0.2"


@pytest.mark.parametrize(
    "header", [version_2("10.9.0.1", command=0), b"PROXY UNKNOWN\r\n", SIGNATURE + b"\x20\0\0\0"]
)
def test_what_a_proxy_asks_for_itself_comes_from_its_own_address(proxied, header):
    assert behind(proxied, header).register("monitor")["address"] == PROXY


@pytest.mark.parametrize("header", [version_1("10.9.0.1"), version_2("10.9.0.1")])
def test_a_header_from_anybody_else_is_malformed(proxied, header):
    peer = proxied.peer()
    peer.send_raw(header + b"\n")
    peer.expect_error("malformed")
    peer.send("register", name="ana")
    assert peer.until("welcome")[-1]["address"] == peer.source


def test_a_proxy_without_a_header_is_told_so_and_logged_once(proxied):
    for _ in range(5):
        peer = behind(proxied, b'{"type":"register","name":"ana"}\n')
        error = peer.expect_error("malformed")
        assert "--proxy-from" in error["message"]
        peer.expect_end()
    browser = behind(proxied, b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
    answer = browser.socket.recv(4096)
    assert (answer[:13], b"--proxy-from" in answer) == (b"HTTP/1.1 400 ", True)
    behind(proxied, b"PROXY TCP4 a b c d\r\n").expect_error("malformed")
    log = proxied.wait_for_log("no_proxy_header")
    assert re.findall("code=no_proxy_header", log) == ["code=no_proxy_header"]


def test_the_health_checks_of_a_proxy_are_not_logged(start_server):
    server = start_server(*PROXIES, "--log-level", "debug")
    for header in (b"", version_2("10.9.0.1", command=0), version_1(PROXY)):
        peer = server.peer(PROXY, tls=None)
        if header:
            peer.send_raw(header)
        peer.reset()
    server.user("ana")
    assert "127.0.50" not in server.wait_for_log("name=ana")


def test_the_lists_hold_for_the_address_that_is_named(start_server):
    server = start_server(*PROXIES, "--allow", "10.9.0.0/24", "--deny", "10.9.0.7")
    assert behind(server, version_1("10.9.0.6")).register("ana")["address"] == "10.9.0.6"
    for header in (version_1("10.9.0.7"), version_1("10.8.0.1"), b"PROXY UNKNOWN\r\n"):
        peer = behind(server, header)
        assert peer.next() is None
    log = server.wait_for_log("address_denied")
    assert "refused address=10.9.0.7 code=address_denied" in log


@BOTH_THREAD_MODELS
def test_wrong_codes_count_for_the_user_and_not_for_the_proxy(start_server):
    server = start_server(*PROXIES, "--code", "able-baker-cat")
    for _ in range(5):
        peer = behind(server, version_1("10.9.0.1"))
        peer.send("register", name="ana", code="no")
        peer.expect_error("code_wrong")
    peer = behind(server, version_1("10.9.0.1"))
    peer.send("register", name="ana", code="able-baker-cat")
    peer.expect_error("rate_limited")
    behind(server, version_1("10.9.0.2")).register("luis", code="able-baker-cat")


def test_behind_a_proxy_one_address_has_only_so_many_connections_and_the_proxy_many(start_server):
    server = start_server(*PROXIES, "--max-unregistered-per-address", "3")
    held = [behind(server, version_1("10.9.0.1")) for _ in range(3)]
    for peer in held:
        peer.roundtrip()
    refused = behind(server, version_1("10.9.0.1"))
    refused.send("ping")
    refused.expect_error("server_full")
    for number in range(10):
        held.append(behind(server, version_1(f"10.9.1.{number}")))
        held[-1].roundtrip()


def test_a_full_server_says_so_to_a_browser_behind_a_proxy(start_server):
    server = start_server(*PROXIES, "--max-users", "1", "--max-unregistered", "1")
    server.user("ana")
    server.peer().roundtrip()
    header = version_1("10.9.0.1")
    peer = behind(server, header + b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
    assert peer.socket.recv(4096).startswith(b"HTTP/1.1 503 ")


@BOTH_THREAD_MODELS
def test_websockets_and_tls_come_after_the_header(proxied):
    web = behind(proxied, version_2("10.9.0.1") + upgrade(f"127.0.0.1:{proxied.port}"))
    assert web.socket.recv(4096).startswith(b"HTTP/1.1 101 ")
    peer = behind(proxied, version_2("10.9.0.2"))
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    peer.socket = context.wrap_socket(peer.socket)
    assert peer.register("ana")["address"] == "10.9.0.2"


# --- the socket in the file system ---------------------------------------------------------------


@pytest.fixture
def socket_path(tmp_path):
    return tmp_path / "chat.sock"


def local(server, path, header=b""):
    """Return a connection over the socket that has sent this header."""
    peer = server.peer(host=str(path), tls=None)
    peer.send_raw(header)
    return peer


@BOTH_THREAD_MODELS
def test_over_the_socket_a_proxy_names_addresses_or_it_is_this_computer(start_server, socket_path):
    options = ("--unix", str(socket_path), "--shared-addresses", "--deny", "10.8.0.0/16")
    server = start_server(*options)
    assert "can also connect to " + str(socket_path) in server.wait_for_log("There is room")
    for name, header, address in (
        ("ana", version_1("10.9.0.1"), "10.9.0.1"),
        ("luis", version_2("fd00::7"), "fd00::7"),
        ("eva", b"PROXY UNKNOWN\r\n", "127.0.0.1"),
        ("leo", b"", "127.0.0.1"),
    ):
        assert local(server, socket_path, header).register(name)["address"] == address
    web = local(server, socket_path, upgrade("chat.lan"))
    assert web.socket.recv(4096).startswith(b"HTTP/1.1 101 ")
    local(server, socket_path, b"PROXY nonsense\r\n").expect_error("malformed")
    assert local(server, socket_path, version_1("10.8.0.1")).next() is None
    server.user("pepe")  # over TCP as ever


def test_who_is_neither_named_nor_allowed_stays_out(start_server, socket_path):
    server = start_server("--unix", str(socket_path), "--allow", "10.9.0.0/24")
    assert local(server, socket_path, b'{"type":"ping"}\n').next() is None
    local(server, socket_path, version_1("10.9.0.1")).register("ana")


def test_its_owner_and_group_may_use_the_socket_whatever_the_umask(start_server, socket_path):
    server = start_server(
        "--unix", str(socket_path), within=("sh", "-c", 'umask 0; exec "$0" "$@"')
    )
    assert stat.S_IMODE(socket_path.stat().st_mode) == 0o660
    server.stop()
    assert not socket_path.exists()


def test_a_socket_that_a_killed_server_has_left_is_replaced(start_server, socket_path):
    with socket.socket(socket.AF_UNIX) as left:
        left.bind(str(socket_path))
    server = start_server("--unix", str(socket_path))
    local(server, socket_path, version_1("10.9.0.1")).register("ana")


def test_a_socket_in_use_and_another_file_are_refused_and_stay(start_server, socket_path, run):
    server = start_server("--unix", str(socket_path))
    done = run("0", "--unix", socket_path)
    assert done.returncode == 1
    assert f"another program listens at {socket_path}" in done.stderr.decode()
    local(server, socket_path, version_1("10.9.0.1")).register("ana")
    server.stop()
    socket_path.write_text("mine")
    done = run("0", "--unix", socket_path)
    assert done.returncode == 1
    assert f"{socket_path} is not a socket" in done.stderr.decode()
    assert socket_path.read_text() == "mine"


def test_a_path_that_cannot_be_is_said(run, tmp_path):
    done = run("0", "--unix", tmp_path / "missing" / "chat.sock")
    assert done.returncode == 1
    assert "chat.sock: No such file or directory. Choose another path" in done.stderr.decode()
