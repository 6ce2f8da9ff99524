"""What the start says about keeping order, and what it does not say."""

import pytest

from tertulia.server.addresses import JoinAddress
from tertulia.server.config import Config
from tertulia.server.operator_access import Access, greeting_lines

SECRET = "the-secret-of-operators"
TO = [JoinAddress("192.168.1.10", "eth0")]


@pytest.fixture(autouse=True)
def on_path(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tertulia.server.operator_access.server_command", lambda: "tertulia-server")


@pytest.mark.parametrize("has_console", [True, False])
@pytest.mark.parametrize("file", ["/state/operator-5000.txt", None])
def test_the_secret_itself_is_shown_on_a_terminal_only(has_console, file):
    config = Config(port=0, operator_secret=SECRET, code="able baker")
    access = Access(has_console, file)
    (line,) = greeting_lines(access, config, 5_000, TO, is_terminal=False)
    assert SECRET not in line
    assert ("tertulia-server 5000 --operator" in line) is has_console
    assert (str(file) in line) is (file is not None)
    *_, link = greeting_lines(access, config, 5_000, TO, is_terminal=True)
    assert link.startswith(f"    http://192.168.1.10:5000/#code=able%20baker&operator={SECRET}   #")


def test_without_a_page_the_secret_is_shown_bare():
    config = Config(port=0, operator_secret=SECRET, web=False)
    *_, line = greeting_lines(Access(True, None), config, 5_000, None, is_terminal=True)
    assert line.split() == [SECRET, "#", "only", "for", "you"]


@pytest.mark.parametrize(
    ("state_home", "is_terminal", "words"),
    [
        ("/var/lib", False, "type XDG_STATE_HOME=/var/lib tertulia-server 5000 --operator on"),
        ("/var/lib", True, "type tertulia-server 5000 --operator on"),
        ("", False, "type tertulia-server 5000 --operator on"),
    ],
)
def test_the_log_of_a_service_has_the_command_that_finds_its_console(
    monkeypatch, state_home, is_terminal, words
):
    monkeypatch.setenv("XDG_STATE_HOME", state_home)
    config = Config(port=0, operator_secret=SECRET)
    line, *_ = greeting_lines(Access(True, None), config, 5_000, TO, is_terminal=is_terminal)
    assert words in line
