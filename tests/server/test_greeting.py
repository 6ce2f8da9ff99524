"""The text at the start: how others join, and where the history is."""

from types import SimpleNamespace
from typing import Any

import pytest

from tertulia.server.addresses import JoinAddress
from tertulia.server.config import Config
from tertulia.server.greeting import greeting
from tertulia.server.qr import qr_lines
from tertulia.tls.fingerprint import Fingerprint
from tertulia.version import __version__


@pytest.fixture
def on_path(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tertulia.server.greeting.client_command", lambda: "tertulia")


def test_the_greeting_says_how_to_join_and_where_the_history_is(on_path: None) -> None:
    config = Config(port=0, history="/var/h.db", max_users=7)
    addresses = [JoinAddress("192.168.1.10", "eth0"), JoinAddress("2001:db8::1", "")]
    lines = greeting(config, 5000, addresses, shows_qr=False).splitlines()
    assert lines == [
        f"tertulia {__version__} is running on port 5000. To join:",
        "",
        "    http://192.168.1.10:5000/   # in any browser",
        "    tertulia NAME 192.168.1.10 5000   # eth0",
        "    tertulia NAME 2001:db8::1 5000",
        "    tertulia NAME   # without the address, on this network",
        "    http://192.168.1.10:5000/client   # to get this command, also as one file",
        "",
        "There is room for 7 users. Press Ctrl+C to stop the server.",
        "The general chat is kept in /var/h.db",
    ]


def test_a_service_has_no_terminal_to_press_ctrl_c_in(on_path: None) -> None:
    text = greeting(Config(port=0, max_users=7), 5000, None, shows_qr=False, has_terminal=False)
    assert "There is room for 7 users.\n" in text
    assert "Ctrl+C" not in text


def test_the_greeting_names_only_the_ways_that_there_are(on_path: None) -> None:
    to = [JoinAddress("192.168.1.10", "eth0")]
    text = greeting(Config(port=0, announce=False, web=False), 5000, to, shows_qr=False)
    assert "    tertulia NAME 192.168.1.10 5000   # eth0\n\n" in text
    with_code = greeting(Config(port=0, code="abc", tls="require"), 5000, to, shows_qr=False)
    assert "    https://192.168.1.10:5000/client   # to get this command" in with_code


@pytest.mark.parametrize("address", ["127.0.0.1", "::1"])
def test_the_greeting_says_if_nobody_else_can_join(on_path: None, address: str) -> None:
    to = [JoinAddress(address, "lo")]
    text = greeting(Config(port=0, max_users=1), 5000, to, shows_qr=True)
    assert f"    tertulia NAME {address} 5000   # only from this computer\n" in text
    assert ":5000/   # only from this computer\n" in text
    assert "\x1b" not in text, "no phone can follow this link: no QR code"
    assert "There is room for one user." in text
    assert text.endswith("\nThe general chat is not kept.")


def test_the_greeting_names_no_address_that_it_does_not_know(on_path: None) -> None:
    assert "    tertulia NAME SERVER-IP 5000\n" in greeting(
        Config(port=0), 5000, None, shows_qr=True
    )


@pytest.mark.parametrize(
    ("addresses", "link"),
    [
        (["192.168.1.10"], "http://192.168.1.10:5000/"),
        (["fe80::1%eth0", "fd00::2"], "http://[fd00::2]:5000/"),
        (["fe80::1%eth0"], None),  # a link cannot name an interface
    ],
)
def test_browsers_get_a_link_that_they_can_open(addresses: list[str], link: str | None) -> None:
    to = [JoinAddress(address, "eth0") for address in addresses]
    text = greeting(Config(port=0), 5000, to, shows_qr=False)
    assert (f"    {link}   # in any browser\n" in text) is (link is not None)
    assert "http" not in greeting(Config(port=0, web=False), 5000, to, shows_qr=True)


def test_a_terminal_gets_the_link_as_a_qr_code() -> None:
    to = [JoinAddress("192.168.1.10", "eth0")]
    lines = greeting(Config(port=0), 5000, to, shows_qr=True).splitlines()
    assert lines[lines.index("") :][-15:] == qr_lines("http://192.168.1.10:5000/")


def test_a_code_is_in_the_line_the_link_and_the_qr_code(on_path: None) -> None:
    to = [JoinAddress("192.168.1.10", "eth0")]
    text = greeting(Config(port=0, code="able-baker-cat"), 5000, to, shows_qr=True)
    link = "http://192.168.1.10:5000/#code=able-baker-cat"
    assert f"    {link}   # in any browser\n" in text
    assert "    tertulia NAME 192.168.1.10 5000 --code able-baker-cat   # eth0\n" in text
    assert "\n".join(qr_lines(link)) in text
    assert "The code to come in: able-baker-cat\n" in text
    assert text.count("unencrypted") == 1


def test_a_code_in_other_letters_survives_the_shell_and_the_link(on_path: None) -> None:
    to = [JoinAddress("192.168.1.10", "eth0")]
    text = greeting(Config(port=0, code="mañana & #8"), 5000, to, shows_qr=False)
    assert "/#code=ma%C3%B1ana%20%26%20%238   #" in text
    assert "5000 --code 'mañana & #8'   # eth0" in text


def certificate(problem: str = "") -> Any:
    current = SimpleNamespace(fingerprint=Fingerprint(bytes(32)))
    return SimpleNamespace(current=current, problem=problem)


def test_the_words_of_the_certificate_are_the_last_line(on_path: None) -> None:
    to = [JoinAddress("192.168.1.10", "eth0")]
    text = greeting(Config(port=0), 5000, to, shows_qr=False, certificate=certificate())
    assert "    http://192.168.1.10:5000/   # in any browser\n" in text, "no warning at first sight"
    assert "    tertulia NAME 192.168.1.10 5000   # eth0\n" in text
    assert text.endswith(f"\nTLS certificate: {' '.join(['abandon'] * 6)}")


def test_a_certificate_that_is_not_kept_comes_with_the_reason() -> None:
    problem = certificate("Read-only file system")
    text = greeting(Config(port=0), 5000, None, shows_qr=False, certificate=problem)
    assert text.splitlines()[-1].startswith("It could not be saved (Read-only file system): ")


def test_where_tls_is_required_line_link_and_code_use_it(on_path: None) -> None:
    to = [JoinAddress("192.168.1.10", "eth0")]
    config = Config(port=0, tls="require", code="abc")
    text = greeting(config, 5000, to, shows_qr=True, certificate=certificate())
    link = "https://192.168.1.10:5000/#code=abc"
    assert f"    {link}   # in any browser\n" in text
    assert "\n".join(qr_lines(link)) in text
    assert "    tertulia NAME 192.168.1.10 5000 --tls --code abc   # eth0\n" in text
    assert "unencrypted" not in text


def test_a_node_of_several_says_who_else_is_up(on_path: None) -> None:
    config = Config(port=5000, cluster=("nats://127.0.0.1:4222",), node="lab1", chat="school")
    nodes = {"lab3": ["10.0.0.4:5000"], "lab2": ["10.0.0.3:5000", "[fd00::3]:5000"]}
    text = greeting(config, 5000, [], shows_qr=False, other_nodes=nodes)
    assert "This is the node lab1 of the chat school.\n" in text
    assert "Also up: lab2 (10.0.0.3:5000, [fd00::3]:5000), lab3 (10.0.0.4:5000)\n" in text
    text = greeting(config, 5000, [], shows_qr=False, other_nodes={})
    assert "No other node is up.\n" in text
    assert "node" not in greeting(Config(port=5000), 5000, [], shows_qr=False)
