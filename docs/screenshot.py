"""Draw the pictures of the full screen that the READMEs show: some users talk on a real server.

    .venv/bin/python docs/screenshot.py

It writes docs/screen.en.svg and docs/screen.es.svg, which load nothing from the network.
"""

import asyncio
import html
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from rich.cells import cell_len
from textual.pilot import Pilot

from tertulia import Client
from tertulia.chat.destination import Destination
from tertulia.i18n import set_language
from tertulia.tui.app import ChatApp
from tertulia.tui.connecting import begin_connecting
from tertulia.tui.ending import Ending

HERE = Path(__file__).parent
SIZE = (112, 30)
PEOPLE = ("luis", "eva", "José", "田中", "marta")
TALK = {
    "en": [
        ("luis", "good morning! the switch in room 3 is alive again ☕"),
        ("eva", "then I can start the build. Who has the key of the lab?"),
        ("José", "ana had it yesterday"),
        ("ana", "it is in the drawer, under the red cable"),
        ("田中", "ありがとう、見つけました 🔑"),
        (
            "marta",
            "the numbers of last night:\n  ship 1   98.2 %\n  ship 2   97.9 %\n  ship 3   off",
        ),
        ("luis", "ana, could you look at ship 3 before noon?"),
        ("ana", "on my way"),
    ],
    "es": [
        ("luis", "¡buenos días! el switch de la sala 3 ya revivió ☕"),
        ("eva", "entonces empiezo la compilación. ¿Quién tiene la llave del laboratorio?"),
        ("José", "ayer la tenía ana"),
        ("ana", "está en el cajón, debajo del cable rojo"),
        ("田中", "ありがとう、見つけました 🔑"),
        (
            "marta",
            "los números de anoche:\n  barco 1   98,2 %\n  barco 2   97,9 %\n  barco 3   apagado",
        ),
        ("luis", "ana, ¿podrías mirar el barco 3 antes del mediodía?"),
        ("ana", "voy para allá"),
    ],
}
DIRECT = {
    "en": "psst: cake at four, do not tell luis",
    "es": "psst: pastel a las cuatro, no le digas a luis",
}
TYPED = {"en": "@José the meeting is at", "es": "@José la reunión es a las"}


async def draw(lang: str, port: int) -> str:
    """Play the conversation and return the SVG picture of the screen of ana."""
    set_language(lang)
    app = ChatApp(begin_connecting(Destination("ana", "127.0.0.1", port, "127.0.0.2")))
    people: dict[str, Client] = {}
    async with app.run_test(size=SIZE) as pilot:
        await until(pilot, lambda: app.controller.current.end > 0)
        for number, name in enumerate(PEOPLE, 3):
            people[name] = await asyncio.to_thread(
                Client.connect, "127.0.0.1", port, name, source=f"127.0.0.{number}"
            )
        await asyncio.to_thread(people["eva"].set_status, "OCUPADO")
        await asyncio.to_thread(people["marta"].set_status, "INACTIVO")
        for speaker, text in TALK[lang]:
            await say(pilot, app, people.get(speaker), text)
        await asyncio.to_thread(people["eva"].direct, "ana", DIRECT[lang])
        await until(
            pilot, lambda: app.model is not None and app.model.conversations.listed[-1].calls
        )
        app.main.composer.insert(TYPED[lang])
        await pilot.pause()
        picture = app.export_screenshot(title="tertulia ana 192.168.1.10 5000")
    for client in (*people.values(), *([app.model.chat] if app.model else [])):
        client.close()
    # Textual's picture loads its fonts from a web server. The reader's own fonts are good enough.
    picture = re.sub(r"@font-face\s*\{[^}]*\}", "", picture)
    picture = re.sub(r'textLength="([\d.]+)"([^>]*)>([^<]+)<', with_columns, picture)
    return picture.replace(f"127.0.0.1:{port}", "192.168.1.10:5000")


def with_columns(found: re.Match[str]) -> str:
    """Return a text of the picture, as wide as its columns.

    Textual's picture gives every character one column, which squeezes wide ones together.
    """
    width, rest, text = found.groups()
    characters = html.unescape(text)
    shown = f"{float(width) * cell_len(characters) / len(characters):.10g}"
    return f'textLength="{shown}"{rest}>{text}<'


async def say(pilot: Pilot[Ending], app: ChatApp, client: Client | None, text: str) -> None:
    """Send a text to the general chat, and wait until the screen shows it."""
    end = app.controller.current.end
    if client is None:
        app.main.composer.insert(text)
        await pilot.press("enter")
    else:
        await asyncio.to_thread(client.say, text)
    await until(pilot, lambda: app.controller.current.end > end)


async def until(pilot: Pilot[Ending], done: Callable[[], bool]) -> None:
    """Wait until a condition holds, at most 20 seconds. Raises TimeoutError."""
    async with asyncio.timeout(20):
        while not done():
            await pilot.pause(0.02)
    await pilot.pause()


def main() -> None:
    """Draw one picture in each language."""
    os.environ["COLORTERM"] = "truecolor"
    os.environ.pop("NO_COLOR", None)
    for lang in TALK:
        command = [sys.executable, "-m", "tertulia.server.cli", "0", "--host", "127.0.0.1"]
        with subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        ) as server:
            assert server.stdout is not None
            port = int(server.stdout.readline().split()[-1])
            picture = asyncio.run(draw(lang, port))
            server.terminate()
        (HERE / f"screen.{lang}.svg").write_text(picture)


if __name__ == "__main__":
    main()
