"""axe finds nothing to complain about, whatever is on the screen."""

from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

AXE = Path(__file__).parent / "vendor" / "axe.min.js"
WORDS = {
    "es": {"people": "Personas", "conversations": "Conversaciones", "help": "Ayuda"},
    "en": {"people": "People", "conversations": "Conversations", "help": "Help"},
}


def check(page: Page) -> None:
    """Fail if axe finds a violation in what is on the screen."""
    page.evaluate("Promise.all(document.getAnimations().map((one) => one.finished))")
    if not page.evaluate("'axe' in window"):
        page.evaluate(AXE.read_text())  # the page's policy would refuse a script element
    violations: list[Any] = page.evaluate("axe.run().then((result) => result.violations)")
    assert [(one["id"], [node["html"] for node in one["nodes"]]) for one in violations] == []


@pytest.mark.parametrize(
    ("size", "theme", "lang"),
    [
        ("desktop", "light", "es"),
        ("desktop", "dark", "en"),
        ("phone", "light", "en"),
        ("phone", "dark", "es"),
    ],
)
def test_axe_finds_nothing(room, phone, message_with, lang, theme, size):
    words = WORDS[lang]
    options = {"color_scheme": theme} | (phone if size == "phone" else {})
    luis = room.person("luis")
    page = room.visit(lang, **options)
    check(page)
    page.get_by_role("textbox").fill("luis")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("luis")
    check(page)
    page.get_by_role("textbox").fill("ana")
    page.keyboard.press("Enter")
    page.get_by_role("log").wait_for()
    luis.say("hola ana: http://192.168.1.20/")
    luis.say("otra línea")
    luis.direct("ana", "psst")
    page.locator("#composer").fill("yo también")
    page.keyboard.press("Enter")
    if size == "phone":
        page.keyboard.press("Backspace")
        page.locator("#send").click()
    expect(message_with(page, "yo también")).to_contain_text("✓")
    check(page)
    if size == "phone":
        page.get_by_role("button", name=words["conversations"]).click()
        check(page)
    page.get_by_role("button", name=words["help"]).click()
    expect(page.get_by_role("dialog", name=words["help"])).to_be_visible()
    check(page)
    page.keyboard.press("Escape")
    page.get_by_role("searchbox").fill("hola")
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog").get_by_role("article")).to_have_count(1)
    check(page)
    page.keyboard.press("Escape")
    page.get_by_role("navigation").get_by_role("button", name="luis").click()
    if size == "phone":
        page.get_by_role("button", name=words["people"]).click()
        check(page)
    page.get_by_role("button", name="luis, ACTIVO").click()
    expect(page.get_by_role("dialog")).to_contain_text("127.0.0.1")
    check(page)
    page.keyboard.press("Escape")
    if size == "phone":
        page.keyboard.press("Escape")
    luis.close()
    room.server.kill()
    expect(page.get_by_role("status")).to_contain_text("…")
    check(page)


@pytest.mark.parametrize("size", ["desktop", "phone"])
def test_axe_finds_nothing_on_the_page_of_the_client(room, phone, size):
    theme = {"color_scheme": "dark" if size == "phone" else "light"}
    page = room.visit("es", **theme | (phone if size == "phone" else {}))
    page.goto(f"{page.url.rstrip('/')}/client")
    expect(page.get_by_role("heading", name="En un solo archivo")).to_be_visible()
    expect(page.get_by_role("link", name="py3-none-any.whl").first).to_be_visible()
    check(page)
    width = page.evaluate("document.documentElement.scrollWidth")
    assert width <= page.viewport_size["width"], "only commands and the table scroll sideways"
