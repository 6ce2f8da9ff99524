"""The command `tertulia-server`: what it prints, where it listens, and how it fails."""

import ipaddress
import os
import re
import shutil
import socket
import sys
from functools import partial
from pathlib import Path

import pytest
from faults import allowed


def in_network(*commands):
    """Return the command that starts a program in a network of its own."""
    script = " && ".join(["ip link set lo up", *(f"ip {command}" for command in commands)])
    within = ("unshare", "-rn", "sh", "-c", f'{script} && exec "$@"', "sh")
    allowed(*within, "true")
    return within


def cable(name, *addresses):
    """Return the commands for an interface with a cable to another one."""
    return [
        f"link add {name} type veth peer name far-{name}",
        f"link set far-{name} up",
        f"link set {name} up",
        *(f"addr add {address} dev {name}" for address in addresses),
    ]


def lines_to_type(server):
    """Return address and interface of each line that joins."""
    server.stop()
    lines = re.findall(rf"tertulia \S+ (\S+) {server.port}(?:   # (.+))?$", server.log(), re.M)
    assert lines, server.log()
    return lines


@pytest.fixture
def run(run):
    """Run the command to its end and return its output as text."""
    return partial(run, text=True)


def test_help_names_every_option(run):
    result = run("--help")
    assert (result.returncode, result.stderr) == (0, "")
    for option in (
        *("--host", "--threads", "--idle-after", "--shared-addresses", "--max-users"),
        *("--rate-limit", "--lang", "--log-level", "--version", "--help", "--ping-after"),
        *("--silence-timeout", "--register-timeout", "--write-timeout", "--challenge-timeout"),
        *("--log-bytes", "--private-bytes", "--send-buffer-bytes", "--max-unregistered"),
        "--max-unregistered-per-address",
    ):
        assert option in result.stdout


def test_version_is_one_line(run):
    result = run("--version")
    assert (result.returncode, result.stderr) == (0, "")
    assert re.fullmatch(r"\S+ \d+\.\d+\.\d+\S*\n", result.stdout)


def test_a_bad_option_is_explained_in_one_line_and_is_status_2(run):
    result = run("0", "--threads", "0")
    assert (result.returncode, result.stdout) == (2, "")
    assert "--threads" in result.stderr
    assert result.stderr.count("\n") == 1


# It would be renewed, with a line in the log, after a test in a network with other addresses.
NO_CERTIFICATE = ("--tls", "off")


def assert_refused_in_one_line(result, *words):
    assert result.returncode == 1
    assert result.stdout == ""
    assert len(result.stderr.strip().splitlines()) == 1, result.stderr
    for word in words:
        assert word in result.stderr


def test_a_port_in_use_is_one_clear_line_and_status_1(run, start_server):
    server = start_server()
    assert_refused_in_one_line(run(server.port, *NO_CERTIFICATE), str(server.port))
    server.user("ana")  # the first server goes on
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = str(other.getsockname()[1])
        assert_refused_in_one_line(run(port, "--host", "127.0.0.1", *NO_CERTIFICATE), port)


def test_a_forbidden_port_is_one_clear_line_and_status_1(run):
    first_free = int(Path("/proc/sys/net/ipv4/ip_unprivileged_port_start").read_text())
    if first_free > 1:
        setpriv = shutil.which("setpriv")
        assert setpriv, "util-linux is part of every Debian"
        # Root may open every port unless it gives up this capability.
        within = (setpriv, "--bounding-set", "-net_bind_service") if os.geteuid() == 0 else ()
        port = str(min(first_free - 1, 1023))
        assert_refused_in_one_line(run(port, *NO_CERTIFICATE, within=within), port)


def test_a_host_that_is_not_here_is_one_clear_line(run):
    assert_refused_in_one_line(run("0", "--host", "192.0.2.77", *NO_CERTIFICATE), "192.0.2.77")


@pytest.mark.parametrize("host", ["192.168..10", "." * 70, "x" * 70 + ".local"])
def test_a_host_that_cannot_be_a_name_is_one_clear_line(run, host):
    assert_refused_in_one_line(run("0", "--host", host, *NO_CERTIFICATE), host)


@pytest.mark.alone("a network namespace of its own has no nats-server")
def test_it_can_listen_on_a_link_local_address_with_its_scope(start_server):
    within = in_network(*cable("eth0", "fe80::5/64 nodad"))  # usable at once
    server = start_server("--host", "fe80::5%eth0", within=within)
    assert server.host == "fe80::5%eth0"
    assert lines_to_type(server) == [("fe80::5%eth0", "eth0")]


NETWORK = (
    *cable("eth5", "169.254.7.7/16"),
    *("link add docker0 type bridge", "link set docker0 up", "addr add 172.17.0.1/16 dev docker0"),
    "link set far-eth5 master docker0",
    *cable("eth1", "10.1.1.1/24"),
    *cable("eth0", "192.168.1.10/24", "2001:db8::5/64 nodad"),
    "route add default via 192.168.1.1",
    *("tuntap add mode tap name unplugged", "addr add 10.2.2.2/24 dev unplugged"),
    "link set unplugged up",
)
IPV4 = [("192.168.1.10", "eth0"), ("10.1.1.1", "eth1"), ("172.17.0.1", "docker0")]
IPV6 = [("2001:db8::5", "eth0")]


@pytest.mark.alone("a network namespace of its own has no nats-server")
@pytest.mark.parametrize(
    ("options", "lines"),
    [
        ([], [*IPV4[:1], *IPV6, *IPV4[1:]]),
        (["--host", "0.0.0.0"], IPV4),
        (["--host", "::"], IPV6),
        (["--host", "10.1.1.1"], IPV4[1:2]),
        (["--host", "127.0.0.1", "--lang", "en"], [("127.0.0.1", "only from this computer")]),
    ],
)
def test_the_lines_to_type_are_those_that_join_the_likeliest_first(start_server, options, lines):
    assert lines_to_type(start_server(*options, within=in_network(*NETWORK))) == lines


NO_NETLINK = """
import runpy, sys
import ifaddr
def refuse():
    raise PermissionError(1, "Operation not permitted")
ifaddr.get_adapters = refuse
sys.argv = sys.argv[1:]
runpy.run_path(sys.argv[0], run_name="__main__")
"""


def test_without_netlink_it_starts_and_names_no_address(start_server):
    server = start_server("--lang", "en", within=(sys.executable, "-c", NO_NETLINK))
    server.user("ana")
    assert lines_to_type(server) == [("SERVER-IP", "")]


def test_a_user_without_home_and_passwd_entry_can_start_it(run, start_server, tmp_path):
    within = ("unshare", "-U", "--map-user=54321", "env", "-i", "TERTULIA_MDNS=off")
    allowed(*within, "true")
    for option in ("--help", "--version"):
        assert run(option, within=within).returncode == 0
    refused = run("5000", within=within)
    assert refused.returncode == 2
    assert "set XDG_STATE_HOME, or choose --history FILE" in refused.stderr
    for history in ("off", str(tmp_path / "history.db")):
        start_server("--history", history, within=within).user("ana")


@pytest.mark.alone("a network namespace of its own has no nats-server")
def test_a_link_local_address_is_printed_where_there_is_no_other(start_server):
    within = in_network(*cable("eth0", "169.254.7.7/16"))
    assert lines_to_type(start_server(within=within)) == [("169.254.7.7", "eth0")]


def test_the_line_to_type_has_the_folder_of_the_command(start_server, program):
    server = start_server()
    server.stop()
    path = program.with_name("tertulia")
    command = "tertulia" if shutil.which("tertulia") == str(path) else str(path)
    assert f"\n    {command} " in server.log()


def test_it_prints_where_it_listens_and_how_to_join(start_server):
    server = start_server()
    assert server.host == "0.0.0.0"
    assert server.port > 0
    server.stop()
    join = re.findall(r"tertulia \S+ (\S+) (\d+)", server.log())
    assert join, "words for people are on stderr"
    assert all(port == str(server.port) for _, port in join)
    assert all(ipaddress.ip_address(address) for address, _ in join)


def test_words_for_people_are_in_the_language_asked_for(start_server):
    for lang, words in [("es", "Para"), ("en", "To join")]:
        server = start_server("--lang", lang)
        server.stop()
        assert words in server.log()


def test_it_can_listen_on_one_address_alone(start_server):
    server = start_server("--host", "127.0.0.1")
    assert server.host == "127.0.0.1"
    server.user("ana")
    with pytest.raises(ConnectionRefusedError):
        server.peer(host="127.0.0.2")
    with pytest.raises(ConnectionRefusedError):
        server.peer(host="::1")


def test_it_can_listen_on_ipv6_alone(start_server):
    server = start_server("--host", "::1")
    assert server.host == "::1"
    assert server.peer(host="::1").register("ana")["address"] == "::1"
    with pytest.raises(ConnectionRefusedError):
        server.peer()


def test_ipv4_and_ipv6_share_one_port_and_one_chat(start_server):
    server = start_server()
    ana, luis = server.peer(host="::1"), server.peer()
    assert ana.register("ana")["address"] == "::1"
    assert luis.register("luis")["address"] == luis.source
    assert ana.ask("info", name="luis")["address"] == luis.source
    server.sync(ana, luis)


def test_an_ipv4_address_inside_ipv6_is_the_ipv4_address(start_server):
    server = start_server()
    ana = server.user("ana")
    inside = server.peer("::ffff:127.0.99.1", host="::ffff:127.0.0.1")
    assert inside.register("luis")["address"] == "127.0.99.1"
    with ana.alive():
        newcomer = server.peer(f"::ffff:{ana.source}", host="::ffff:127.0.0.1")
        newcomer.send("register", name="eva")
        newcomer.expect_error("address_taken")


@pytest.mark.parametrize("count", ["1", "3"])
def test_any_number_of_threads_will_do(start_server, count):
    server = start_server("--threads", count)
    users = server.users("ana", "luis", "eva", "leo")
    for user in users:
        assert user.ask("direct", to="ana", text=user.name)["type"] == "ok"
        users[0].expect("direct", text=user.name)
