"""Fixtures for the tests of the page in a real browser: `make test-web`.

The page is opened as http://chat.test, like on a LAN: no secure context. Every test has a server of
its own, and fails at its end if the browser had anything to complain about.
"""

import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from client_fixtures import RealServer
from playwright.sync_api import Browser, ConsoleMessage, Locator, Page, expect, sync_playwright

from tertulia import Client

HOST = "chat.test"
DESKTOP = {"viewport": {"width": 1280, "height": 800}}
PHONE = {"viewport": {"width": 412, "height": 915}, "has_touch": True, "is_mobile": True}
LOCALES = {"es": "es-MX", "en": "en-US"}
JOIN = {"es": ("Tu nombre", "Entrar"), "en": ("Your name", "Join")}
# Only the limit for what never happens: on a busy machine anything can take seconds.
WAIT_MS = 30_000
expect.set_options(timeout=WAIT_MS)

_ARGUMENTS = [
    "--no-sandbox",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    f"--host-resolver-rules=MAP {HOST} 127.0.0.1",
]
# In the console, and no script can prevent it: a WebSocket that cannot connect, a header that is
# only for secure contexts, and the tab's icon, which the browser fetches some time after the page.
_EXPECTED = re.compile(
    r".*(WebSocket connection to|Cross-Origin-Opener-Policy)"
    r"|Failed to load resource: net::ERR_(CONNECTION_\w+|EMPTY_RESPONSE) \S+/icon\.svg$"
)


class ChatRoom:
    """A server, the pages that show its chat, and other people who use the library."""

    def __init__(self, browser: Browser, server: RealServer) -> None:
        self.server = server
        self.complaints: list[str] = []
        self._browser = browser
        self._contexts: list[Any] = []
        self._people: list[Client] = []

    def visit(self, lang: str = "es", *, path: str = "/", **options: Any) -> Page:
        """Open the page as a browser of its own; `options` are those of a Playwright context."""
        context = self._browser.new_context(locale=LOCALES[lang], **(DESKTOP | options))
        context.set_default_timeout(WAIT_MS)
        self._contexts.append(context)
        page = context.new_page()
        page.on("console", self._note_message)
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.goto(f"http://{HOST}:{self.server.port}{path}")
        page.get_by_role("textbox").first.wait_for()
        return page

    def join(self, name: str, lang: str = "es", **options: Any) -> Page:
        """Open the page and enter the chat."""
        page = self.visit(lang, **options)
        field, button = JOIN[lang]
        page.get_by_role("textbox", name=field).fill(name)
        page.get_by_role("button", name=button, exact=True).click()
        page.get_by_role("log").wait_for()
        return page

    def person(self, name: str) -> Client:
        """Let somebody else enter the chat."""
        client = Client.connect("127.0.0.1", self.server.port, name)
        self._people.append(client)
        return client

    def close(self) -> None:
        for client in self._people:
            client.close()
        for context in self._contexts:
            context.close()

    def _note_message(self, message: ConsoleMessage) -> None:
        text = f"{message.text} {message.location['url']}"
        if message.type in ("error", "warning") and not _EXPECTED.match(text):
            self.complaints.append(text)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    path = shutil.which("chromium")
    assert path is not None, "there is no Chromium: make test-web installs it"
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=path, args=_ARGUMENTS)
        yield launched
        launched.close()


@pytest.fixture
def start_room(
    browser: Browser, start_server: Callable[..., RealServer], tmp_path: Path
) -> Iterator[Callable[..., ChatRoom]]:
    """Return a function that starts a server with further options."""
    rooms: list[ChatRoom] = []

    def start(*options: str) -> ChatRoom:
        history = str(tmp_path / "history.db")
        usual = ["--shared-addresses", "--name", HOST, "--rate-limit", "off", "--history", history]
        rooms.append(ChatRoom(browser, start_server(*usual, *options)))
        return rooms[-1]

    yield start
    for room in rooms:
        room.close()
        assert room.complaints == []


@pytest.fixture
def room(start_room: Callable[..., ChatRoom]) -> ChatRoom:
    return start_room()


@pytest.fixture
def phone() -> dict[str, Any]:
    """Return the options of a context that is a phone with a touch keyboard."""
    return PHONE


@pytest.fixture
def message_with() -> Callable[[Page, str], Locator]:
    """Return a function that finds the message with a text in the conversation that is open."""
    return lambda page, text: page.get_by_role("log").get_by_role("article").filter(has_text=text)
