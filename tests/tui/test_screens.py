"""Each screen is as it was when it was found good, in both languages and three sizes."""

from collections.abc import Awaitable, Callable

import pytest
from plain_table import Clock
from snapshots import check_layout, check_sizes, compare
from table import SMALL, USUAL, WIDE, ChatTable

from tertulia.client.errors import End, EndReason
from tertulia.i18n import set_language
from tertulia.protocol.messages import ChatMessage, Closing, Direct, SetStatus, Status

pytestmark = pytest.mark.long

YESTERDAY = "2026-11-21T22:58:00Z"
WORDS = {
    "es": [
        "buenas noches, mañana seguimos",
        "¡buenos días! ¿alguien tiene la llave del laboratorio? 🔑",
        "está en el cajón, debajo del cable rojo",
        "ana, ¿podrías mirar el barco 3 antes del mediodía, por favor? Los números de anoche no "
        "cuadran con los del martes, y no sé por qué.",
        "ありがとう、見つけました 👨‍👩‍👧 e\u0301l",
        "barco 1   98,2 %\nbarco 2   97,9 %",
        "psst: pastel a las cuatro",
        "¿quedan sillas?",
    ],
    "en": [
        "good night, we go on tomorrow",
        "good morning! has anybody got the key of the lab? 🔑",
        "it is in the drawer, under the red cable",
        "ana, could you look at ship 3 before noon, please? The numbers of last night are not "
        "those of Tuesday, and I do not know why.",
        "ありがとう、見つけました 👨‍👩‍👧 e\u0301l",
        "ship 1   98.2 %\nship 2   97.9 %",
        "psst: cake at four",
        "are there chairs left?",
    ],
}
CROWD = {
    f"{name}{number}": list(Status)[number % 3]
    for name in ("bruno", "carla", "dario", "elena", "fabio", "gala", "hugo", "ines")
    for number in range(1, 6)
}

Scene = Callable[[ChatTable, list[str]], Awaitable[None]]


def earlier(words: list[str]) -> list[ChatMessage]:
    return [ChatMessage(seq=5, time=YESTERDAY, sender="luis", text=words[0])]


async def lively(table: ChatTable, words: list[str]) -> None:
    await table.enter(words[2])
    await table.hear(
        table.said(words[1], "José"),
        table.joined("eva"), table.joined("marta"), table.left("marta", "lost"),
        table.joined("田中"), table.presence("eva", Status.OCUPADO),
        table.said(words[3], "luis"), table.said(words[4], "田中"), table.said(words[5], "eva"),
        table.direct(words[6], "eva"), table.direct(words[7], "José"), table.direct("…", "José"),
        table.presence("José", Status.INACTIVO),
    )  # fmt: skip


async def direct(table: ChatTable, words: list[str]) -> None:
    await table.hear(table.direct(words[6], "luis"))
    await table.enter("@luis")
    await table.enter(words[1])
    del table.people["luis"]
    await table.hear(table.left("luis"))
    await table.enter(words[2])
    table.client.held.add(Direct)
    await table.enter(words[3])
    await table.lose()
    await table.come_back()
    table.client.held.add(Direct)
    await table.enter(words[7])
    await table.hear(table.said(words[5]))


async def help_on_all(table: ChatTable, _words: list[str]) -> None:
    await table.press("f1")


async def palette(table: ChatTable, _words: list[str]) -> None:
    await table.press("f9", "c", "o")


async def to_one(table: ChatTable, words: list[str]) -> None:
    table.composer.insert(f"@luis {words[7]}")


async def new_since(table: ChatTable, words: list[str]) -> None:
    await table.enter("@luis")
    table.composer.insert(words[0])
    await table.hear(table.said(words[1]), table.said(words[2]), table.direct(words[6], "eva"))
    await table.press("ctrl+n")


async def status(table: ChatTable, _words: list[str]) -> None:
    await table.press("f4")


async def person(table: ChatTable, _words: list[str]) -> None:
    await table.enter("/info luis")


async def found(table: ChatTable, _words: list[str]) -> None:
    await table.enter("/buscar a")


async def leaving(table: ChatTable, words: list[str]) -> None:
    table.composer.insert(words[7])
    await table.press("ctrl+q")


async def long_paste(table: ChatTable, words: list[str]) -> None:
    table.composer.insert("\n".join(words[1:3] * 6))
    await table.press("enter")


async def lost(table: ChatTable, words: list[str]) -> None:
    closing = Closing(reason="shutdown", retry_after=12.0)
    await table.lose(End(EndReason.SHUTDOWN, closing=closing))
    await table.enter(words[7])


async def conversations(table: ChatTable, _words: list[str]) -> None:
    await table.press("f2", "down")


async def people(table: ChatTable, _words: list[str]) -> None:
    await table.press("f3")


async def filtered(table: ChatTable, words: list[str]) -> None:
    await lively(table, words)
    await table.hear(*map(table.joined, CROWD))
    await table.press("f3", "l", "a")


async def reading(table: ChatTable, words: list[str]) -> None:
    await table.hear(*[table.said(f"{number}: {words[3]}") for number in range(40)])
    await table.press("pageup")
    await table.hear(*[table.said(words[1]) for _ in range(3)])


async def changing_status(table: ChatTable, _words: list[str]) -> None:
    table.client.held.add(SetStatus)
    await table.enter("/estado ocupado")


async def completing(table: ChatTable, _words: list[str]) -> None:
    table.composer.insert("/")
    await table.press("tab", "tab")


STORIES: list[list[Scene]] = [
    [lively, found, conversations, people, completing, leaving, lost],
    [help_on_all, status, person, long_paste, changing_status, palette, to_one, new_since],
    [direct],
    [filtered],
    [reading],
]


@pytest.mark.parametrize("language", ["en", "es"])
@pytest.mark.parametrize("story", STORIES, ids=lambda story: story[0].__name__)
def test_a_screen_is_the_one_that_was_looked_at(
    clock: Clock, story: list[Scene], language: str
) -> None:
    set_language(language)
    words = WORDS[language]

    async def tell(table: ChatTable) -> None:
        for scene in story:
            await table.pilot.resize_terminal(*WIDE)
            await scene(table, words)
            await check_sizes(table, f"{scene.__name__.replace('_', '-')}.{language}")
            await table.clear()

    ChatTable(clock, history=earlier(words)).run(tell)


@pytest.mark.parametrize("language", ["en", "es"])
def test_the_screen_is_there_before_the_connection(clock: Clock, language: str) -> None:
    set_language(language)

    async def scene(table: ChatTable) -> None:
        await check_sizes(table, f"connecting.{language}")

    ChatTable(clock, connected=False).run(scene)


@pytest.mark.parametrize("size", [WIDE, USUAL, SMALL])
def test_a_screen_that_begins_in_a_size_is_as_one_that_came_to_it(
    clock: Clock, size: tuple[int, int]
) -> None:
    async def scene(table: ChatTable) -> None:
        await lively(table, WORDS["en"])
        compare(table, f"lively.en.{size[0]}x{size[1]}")
        check_layout(table)

    ChatTable(clock, history=earlier(WORDS["en"])).run(scene, size)
