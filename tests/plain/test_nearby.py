"""The words about servers on the local network, and the choice of one."""

import io
import json
import socket
from collections.abc import Callable

import pytest

from tertulia.chat.nearby import CannotLook, NearbyServer
from tertulia.i18n import set_language
from tertulia.plain import nearby
from tertulia.plain.nearby import choose_server, print_servers

SALA = NearbyServer("sala", "192.168.1.10", 5000, "00" * 32)
EVIL = NearbyServer("\x1b[2J\u202e\nsala", "192.168.1.66", 6000, "", requires_tls=True)


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture
def found(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Let the search find servers, or raise."""
    monkeypatch.setenv("TERTULIA_MDNS", "")
    monkeypatch.setattr(nearby, "client_command", lambda: "tertulia")

    def let_find(*servers: NearbyServer, problem: str = "") -> None:
        def find() -> list[NearbyServer]:
            if problem:
                raise CannotLook(problem)
            return list(servers)

        monkeypatch.setattr(nearby, "find_servers", find)

    return let_find


Found = Callable[..., None]


def test_the_only_server_is_joined_and_named(
    found: Found, capsys: pytest.CaptureFixture[str]
) -> None:
    found(SALA)
    assert choose_server("ana", has_secret=False, is_quiet=False) == SALA
    words = " ".join(["abandon"] * 6)
    assert capsys.readouterr().err == f"Found “sala” at 192.168.1.10, port 5000 ({words})\n"
    assert choose_server("ana", has_secret=False, is_quiet=True) == SALA
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("lang", ["es", "en"])
def test_no_server_is_status_3_and_says_what_to_do(
    found: Found, capsys: pytest.CaptureFixture[str], lang: str
) -> None:
    set_language(lang)
    found()
    assert choose_server("ana", has_secret=False, is_quiet=True) == 3
    said = " ".join(capsys.readouterr().err.split())
    assert "tertulia-server 5000" in said
    assert "tertulia ana " in said
    found(problem="no network")
    assert choose_server("ana", has_secret=False, is_quiet=True) == 3
    assert "(no network)" in capsys.readouterr().err


def test_in_a_pipe_several_servers_are_listed_with_commands(
    found: Found, capsys: pytest.CaptureFixture[str]
) -> None:
    found(EVIL, SALA)
    assert choose_server("ana", has_secret=False, is_quiet=True) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert "There are 2 servers" in printed.err
    assert "\ntertulia ana 192.168.1.66 6000 --tls   # ␛[2J<U+202E>␊sala\n" in printed.err
    assert "\ntertulia ana 192.168.1.10 5000   # sala (abandon " in printed.err


def test_a_secret_does_not_go_to_whoever_announces_a_server(
    found: Found, capsys: pytest.CaptureFixture[str]
) -> None:
    found(SALA)
    assert choose_server("ana", has_secret=True, is_quiet=True) == 2
    assert "tertulia ana 192.168.1.10 5000" in capsys.readouterr().err


def test_on_a_terminal_a_person_chooses_by_number(
    found: Found, monkeypatch: pytest.MonkeyPatch
) -> None:
    found(SALA, EVIL)
    screen = Terminal()
    monkeypatch.setattr("sys.stderr", screen)
    monkeypatch.setattr("sys.stdin", Terminal("\n0\n3\n\u0662\nana\n 2 \n"))
    assert choose_server("ana", has_secret=False, is_quiet=False) == EVIL
    assert "  1  “sala” at 192.168.1.10, port 5000 (abandon" in screen.getvalue()
    assert "  2  “␛[2J<U+202E>␊sala” at 192.168.1.66, port 6000\n" in screen.getvalue()
    assert screen.getvalue().count("Type a number from 1 to 2") == 5
    monkeypatch.setattr("sys.stdin", Terminal(""))
    assert choose_server("ana", has_secret=False, is_quiet=False) == 2


def test_of_a_thousand_servers_those_that_answer_are_shown(
    found: Found, capsys: pytest.CaptureFixture[str]
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
        lies = [NearbyServer(f"a{number}", "127.0.0.1", 1 + number) for number in range(30)]
        found(*lies, NearbyServer("real", "127.0.0.1", port))
        assert print_servers(as_json=False) == 0
    assert capsys.readouterr().out == f"tertulia NAME 127.0.0.1 {port}   # real\n"


def test_of_very_many_servers_twenty_are_shown(
    found: Found, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(nearby, "that_answer", list)
    found(*(NearbyServer(f"s{number}", "192.168.1.7", 1 + number) for number in range(1_000)))
    assert print_servers(as_json=False) == 0
    lines = capsys.readouterr().out.splitlines()
    assert (len(lines), lines[-1]) == (21, "and 980 more")


def test_the_list_as_json_has_one_object_in_each_line(
    found: Found, capsys: pytest.CaptureFixture[str]
) -> None:
    found(SALA, EVIL)
    assert print_servers(as_json=True) == 0
    out = capsys.readouterr().out
    assert out.isascii()
    assert "\x1b" not in out
    sala, evil = map(json.loads, out.splitlines())
    assert sala == {
        "name": "sala", "address": "192.168.1.10", "port": 5000, "fingerprint": "00" * 32,
    }  # fmt: skip
    assert evil["tls"] == "require"


def test_a_user_can_switch_it_off(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("TERTULIA_MDNS", "off")
    assert choose_server("ana", has_secret=False, is_quiet=True) == 2
    assert "TERTULIA_MDNS=off" in capsys.readouterr().err
