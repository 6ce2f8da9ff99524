"""Draw the pictures of the page that the READMEs show: some users talk on a real server.

    .venv/bin/python docs/page_screenshot.py

It writes docs/page.desktop.{en,es}.png (light) and docs/page.phone.{en,es}.png (dark). It needs
Debian's chromium, fonts-noto-core, fonts-noto-cjk and fonts-noto-color-emoji.
"""

import shutil
import subprocess
import sys
from pathlib import Path
from typing import Literal

from playwright.sync_api import Browser, Page, ViewportSize, expect, sync_playwright
from screenshot import DIRECT, PEOPLE, TALK, TYPED

from tertulia import Client

HERE = Path(__file__).parent
PICTURES: dict[str, tuple[ViewportSize, Literal["light", "dark"]]] = {
    "desktop": ({"width": 1120, "height": 700}, "light"),
    "phone": ({"width": 412, "height": 824}, "dark"),
}


def draw(browser: Browser, lang: str, port: int) -> None:
    """Play the conversation and draw the page of ana."""
    page = join(browser, "ana", lang, port)
    people = {name: Client.connect("127.0.0.1", port, name) for name in PEOPLE}
    people["eva"].set_status("OCUPADO")
    people["marta"].set_status("INACTIVO")
    for speaker, text in TALK[lang]:
        if speaker == "ana":
            page.locator("#composer").fill(text)
            page.keyboard.press("Enter")
        else:
            people[speaker].say(text)
        expect(page.locator("#log .text").last).to_have_text(text, use_inner_text=True)
    people["eva"].direct("ana", DIRECT[lang])
    expect(page.locator("#conversations .calls")).to_be_visible()
    page.locator("#composer").fill(TYPED[lang])
    # The address of the picture's server means nothing to a reader.
    page.locator("#server").evaluate("(node) => (node.textContent = '192.168.1.10:5000')")
    for kind, (size, theme) in PICTURES.items():
        page.set_viewport_size(size)
        page.emulate_media(color_scheme=theme)
        page.screenshot(path=HERE / f"page.{kind}.{lang}.png")
    for client in people.values():
        client.close()


def join(browser: Browser, name: str, lang: str, port: int) -> Page:
    """Open the page and enter the chat."""
    page = browser.new_page(locale=lang)
    page.goto(f"http://127.0.0.1:{port}/?lang={lang}")
    page.locator("#join-name").fill(name)
    page.keyboard.press("Enter")
    page.get_by_role("log").wait_for()
    return page


def main() -> None:
    """Draw the pictures in each language."""
    chromium = shutil.which("chromium")
    if chromium is None:
        sys.exit("Chromium is missing: apt-get install chromium")
    command = [sys.executable, "-m", "tertulia.server.cli", "0", "--host", "127.0.0.1"]
    command += ["--shared-addresses", "--history", "off"]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        for lang in TALK:
            with subprocess.Popen(
                command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
            ) as server:
                assert server.stdout is not None
                port = int(server.stdout.readline().split()[-1])
                draw(browser, lang, port)
                server.terminate()
        browser.close()


if __name__ == "__main__":
    main()
