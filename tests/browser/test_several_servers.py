"""A chat of several servers: the page goes from a lost one to another, and offers links to them."""

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from client_fixtures import RealServer, free_port
from playwright.sync_api import Browser, Page, WebSocket, expect

WAIT_MS = 30_000  # for what comes at once, on a busy machine too
NODE_SERVER = Path(__file__).parents[1] / "support" / "node_server.py"


class Node(RealServer):
    """A server that says it is one of several nodes."""

    def __init__(self, nodes: list[str], *options: str) -> None:
        host, _colon, port = nodes[0].rpartition(":")
        options = ("--shared-addresses", "--rate-limit", "off", "--history", "off", *options)
        program = [sys.executable, str(NODE_SERVER), ",".join(nodes)]
        super().__init__(*options, port=int(port), host=host.strip("[]"), program=program)


@pytest.fixture
def start_nodes() -> Iterator[Callable[..., list[Node]]]:
    started: list[Node] = []

    def start(*options: str) -> list[Node]:
        addresses = [f"{host}:{free_port()}" for host in ("127.0.0.1", "[::1]")]
        started.extend(Node(nodes, *options) for nodes in (addresses, addresses[::-1]))
        return started

    yield start
    for node in started:
        node.stop()


@pytest.fixture
def sockets() -> list[WebSocket]:
    """The WebSockets that the pages of this test have opened, the newest last."""
    return []


@pytest.fixture
def enter(browser: Browser, sockets: list[WebSocket]) -> Iterator[Callable[[str], Page]]:
    contexts = []

    def enter(url: str) -> Page:
        contexts.append(browser.new_context(locale="es-MX", ignore_https_errors=True))
        contexts[-1].set_default_timeout(WAIT_MS)
        page = contexts[-1].new_page()
        # A function of our own: the library wants to note something in it.
        page.on("websocket", lambda socket: sockets.append(socket))
        page.goto(url)
        page.get_by_role("textbox").fill("ana")
        page.keyboard.press("Enter")
        page.get_by_role("log").wait_for()
        return page

    yield enter
    for context in contexts:
        context.close()


@pytest.mark.parametrize("scheme", ["http", pytest.param("https", marks=pytest.mark.long)])
def test_the_page_goes_on_at_the_other_server_and_offers_it_when_it_cannot(
    start_nodes, enter, message_with, scheme
):
    here, there = start_nodes("--tls", "require" if scheme == "https" else "off")
    page = enter(f"{scheme}://{here.address}/?lang=en")
    log, status = page.get_by_role("log"), page.get_by_role("status")
    expect(log).to_contain_text(f"You are at {here.address}.")
    # Comes with all that may be wanted without this server, from which alone a page loads.
    page.locator("[role=note]").wait_for(state="attached")
    here.kill()
    page.get_by_role("button", name="Español").click()
    expect(log).to_contain_text(f"Este chat tiene varios servidores. Estás en {here.address}.")
    expect(log).to_contain_text(f"Ahora estás en {there.address}.")
    expect(status).to_have_text("Conectado")
    expect(page.locator("#server")).to_have_text(there.address)
    page.get_by_role("textbox", name="Mensaje para todos").fill("hola")
    page.keyboard.press("Enter")
    expect(message_with(page, "hola")).to_contain_text("entregado")
    page.get_by_role("button", name="Ayuda").click()
    expect(page.get_by_role("dialog")).to_contain_text("Teclas")
    page.keyboard.press("Escape")
    note = page.get_by_role("note")
    expect(note).to_have_count(0)
    there.kill()
    expect(note).to_contain_text("Abre uno de ellos")
    link = page.get_by_role("link", name=there.address)
    expect(link).to_have_attribute("href", f"{scheme}://{there.address}/")


@pytest.mark.long
def test_the_page_goes_to_nodes_that_have_come_later_though_its_own_is_long_gone(
    one_nats, tmp_path, enter, sockets, message_with
):
    def start(node: str, host: str) -> RealServer:
        cluster = ("--cluster", ",".join(one_nats.urls), "--chat", "page", "--node", node)
        usual = ("--shared-addresses", "--rate-limit", "off")
        history = ("--history", str(tmp_path / f"{node}.db"))
        server = RealServer(*cluster, *usual, *history, host=host)
        started.callback(server.stop)
        return server

    with ExitStack() as started:
        lab1 = start("lab1", "127.0.0.1")
        page = enter(f"http://{lab1.address}/")
        log = page.get_by_role("log")
        page.locator("[role=note]").wait_for(state="attached")
        with sockets[-1].expect_event("framereceived", names_two_without(), timeout=WAIT_MS):
            lab2 = start("lab2", "::1")
        lab1.kill()
        expect(log).to_contain_text(f"Ahora estás en {lab2.address}.")
        with sockets[-1].expect_event("framereceived", names_two_without(lab1), timeout=WAIT_MS):
            lab3 = start("lab3", "127.0.0.1")
        lab2.kill()
        expect(log).to_contain_text(f"Ahora estás en {lab3.address}.")
        expect(page.get_by_role("status")).to_have_text("Conectado")
        page.get_by_role("textbox", name="Mensaje para todos").fill("hola")
        page.keyboard.press("Enter")
        expect(message_with(page, "hola")).to_contain_text("entregado")


def names_two_without(server: RealServer | None = None) -> Callable[[str], bool]:
    """Return whether a text of a server names two nodes, none of which is this one."""

    def is_wanted(text: str) -> bool:
        lists = [
            one["nodes"] for one in map(json.loads, text.split("\n")) if one["type"] == "nodes"
        ]
        return any(
            len(nodes) == 2 and (not server or server.address not in nodes) for nodes in lists
        )

    return is_wanted


def test_the_browser_lets_the_page_of_a_server_alone_go_nowhere_else(room):
    page = room.visit()
    page.evaluate("window.blocked = []")
    page.evaluate(
        "document.addEventListener('securitypolicyviolation', "
        "(event) => window.blocked.push(event.effectiveDirective))"
    )
    page.evaluate("try { new WebSocket('ws://127.0.0.2:1/ws') } catch {}")
    page.wait_for_function("window.blocked.includes('connect-src')")
    room.complaints.clear()  # of the policy, which is what was wanted
