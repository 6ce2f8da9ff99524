"""The page over https: it works as over http, and its WebSocket is encrypted, too."""

import pytest

from tertulia import ChatMessage, Client


@pytest.mark.parametrize("tls", ["auto", "require"])
def test_the_page_works_over_https_and_so_does_its_websocket(start_room, message_with, tls):
    room = start_room("--tls", tls)
    sockets: list[str] = []
    page = room.visit("en", ignore_https_errors=True)
    page.on("websocket", lambda socket: sockets.append(socket.url))
    if tls == "auto":
        assert page.url.startswith("http://"), "the first visit is without a warning"
        page.goto(page.url.replace("http://", "https://"))
    own = f"chat.test:{room.server.port}"
    assert page.url == f"https://{own}/"
    assert page.evaluate("window.isSecureContext") is True
    page.get_by_role("textbox", name="Your name").fill("ana")
    page.get_by_role("button", name="Join", exact=True).click()
    page.get_by_role("log").wait_for()
    assert set(sockets) == {f"wss://{own}/ws"}
    page.get_by_role("textbox", name="Message").fill("hola")
    page.keyboard.press("Enter")
    with Client.connect("127.0.0.1", room.server.port, "luis", tls=True) as luis:
        luis.say("hello, ana")
        message_with(page, "hello, ana").wait_for()
        page.get_by_role("textbox", name="Message").fill("hello, luis")
        page.keyboard.press("Enter")
        assert any(
            isinstance(event, ChatMessage) and event.text == "hello, luis"
            for event in luis.events()
        )


def test_it_comes_back_over_https_after_a_restart(start_room, message_with):
    room = start_room("--tls", "require")
    page = room.join("ana", "en", ignore_https_errors=True)
    page.wait_for_load_state("networkidle")  # the icon comes last
    room.server.stop()
    room.server.start()
    with Client.connect("127.0.0.1", room.server.port, "luis", tls=True) as luis:
        luis.say("again")
        message_with(page, "again").wait_for(timeout=30_000)


def test_a_code_in_the_link_survives_the_way_to_https(start_room):
    room = start_room("--tls", "require", "--code", "able baker cat")
    page = room.visit("en", path="/#code=able%20baker%20cat", ignore_https_errors=True)
    assert page.url.startswith("https://")
    page.get_by_role("textbox", name="Your name").fill("ana")
    page.get_by_role("button", name="Join", exact=True).click()
    page.get_by_role("log").wait_for()


def test_a_browser_that_does_not_know_the_certificate_warns_and_the_server_goes_on(start_room):
    room = start_room()
    page = room.visit("en")
    with pytest.raises(Exception, match="ERR_CERT_AUTHORITY_INVALID"):
        page.goto(f"https://127.0.0.1:{room.server.port}/")
    page.wait_for_url("chrome-error://**")  # that of the warning
    page.goto(f"http://127.0.0.1:{room.server.port}/")
    page.get_by_role("textbox", name="Your name").wait_for()


def test_no_file_of_the_page_is_more_urgent_than_the_forty_modules(start_room):
    # With a certificate that the browser does not know, each request first gets a failed handshake,
    # and comes again with the permission to go on. Chromium gives the failures of all requests to
    # the most urgent one, and gives it up after 32 with ERR_TOO_MANY_RETRIES: now and then the page
    # was without its style. So nothing may be more urgent than what fails beside it.
    room = start_room("--tls", "require")
    page = room.visit("en", ignore_https_errors=True)
    urgencies: dict[str, str] = {}
    session = page.context.new_cdp_session(page)
    session.send("Network.enable")
    session.on(
        "Network.requestWillBeSent",
        lambda sent: urgencies.update(
            {sent["request"]["url"].rpartition("/")[2]: sent["request"]["initialPriority"]}
        ),
    )
    page.reload()
    page.get_by_role("textbox", name="Your name").wait_for()
    order = ["VeryLow", "Low", "Medium", "High", "VeryHigh"]
    assert order.index(urgencies["style.css"]) <= order.index(urgencies["main.js"]), urgencies
