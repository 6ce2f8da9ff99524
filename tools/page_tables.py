"""Export what the page shares with the terminal: the commands, and the Spanish texts.

`make messages` runs it. The page loads both files; a test fails when they are out of date.
"""

import json
from collections.abc import Iterator
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po

from tertulia.chat.command_arguments import STATUS_WORDS, Command, CommandError
from tertulia.chat.command_table import COMMANDS, Argument, CommandSpec
from tertulia.chat.face_commands import SetLanguage, SetNotify, SetTheme, Theme

SOURCE = Path(__file__).parents[1] / "src" / "tertulia"
WEB = SOURCE / "web"
CATALOGUE = SOURCE / "locale" / "es" / "LC_MESSAGES" / "tertulia.po"
JAVASCRIPT = [("**.js", "javascript")]
CONTEXT_END = "\x04"  # stands between the context and the msgid, as in a compiled catalogue

# A browser copies by itself, and has one face; the page does not know the others.
_NOT_ON_A_PAGE = {"copy", "plain", "close", "ignore", "unignore", "operator"}
_OTHER_WORDS_ON_A_PAGE = {"notify"}  # the page has these itself
_NOT_FOR_A_PAGE = {
    "terminal",
    "at",
    "arroba",
    "statuses",
    "estados",
}  # words after a command; a page has to stay small


def commands_json() -> str:
    """Return the table of the commands, with what can follow each and what it means."""
    return _json({"commands": _rows(), "statuses": STATUS_WORDS})


def spanish_json() -> str:
    """Return the Spanish of every text that the page shows: one form, or singular and plural."""
    with CATALOGUE.open("rb") as po_file:
        catalogue = read_po(po_file, locale="es")
    texts: dict[str, str | list[str]] = {}
    for msgid, text in _translations(catalogue):
        assert short_key(msgid) not in texts, f"give another text the place of {msgid!r}"
        texts[short_key(msgid)] = text
    return _json(texts)


def short_key(msgid: str) -> str:
    """Return the key of a text, as `words.js` finds it; shorter than the msgid."""
    key = 0
    for character in msgid:
        key = (key * 31 + ord(character)) % 2**24
    return f"{key:x}"


def write() -> None:
    """Write both files."""
    (WEB / "commands.json").write_text(commands_json(), encoding="utf-8")
    (WEB / "words.es.json").write_text(spanish_json(), encoding="utf-8")


def _key(spec: CommandSpec) -> str:
    return spec.english.removeprefix("/")


def _rows() -> list[dict[str, object]]:
    return [_row(spec) for spec in COMMANDS if _key(spec) not in _NOT_ON_A_PAGE]


def _row(spec: CommandSpec) -> dict[str, object]:
    row: dict[str, object] = {
        "spanish": spec.spanish,
        "english": spec.english,
        "help": spec.help,
    }
    if spec.argument_words and _key(spec) not in _OTHER_WORDS_ON_A_PAGE:
        row["words"] = spec.argument_words
    if spec.argument is not Argument.NOTHING:
        row["argument"] = spec.argument.name.lower()
    if spec.choices:
        row["choices"] = dict(_choices(spec))
    return row


def _choices(spec: CommandSpec) -> Iterator[tuple[str, str]]:
    """Yield the words that can follow a command, and what each of them chooses."""
    assert spec.argument is Argument.NOTHING
    for word in ("", *spec.choices):
        try:
            command = spec.parse(spec.word, word)
        except CommandError:
            continue  # the command alone chooses nothing
        if word not in _NOT_FOR_A_PAGE:
            yield word, _choice(command)


def _choice(command: Command) -> str:
    match command:
        case SetLanguage(chosen):
            return chosen
        case SetNotify(notify):
            return str(notify)
        case SetTheme(None):
            return ""
        case SetTheme(Theme() as theme):
            return theme
    raise AssertionError(command)


def _translations(catalogue: Catalog) -> Iterator[tuple[str, str | list[str]]]:
    for msgid, context in sorted(_texts_of_the_page(), key=str):
        message = catalogue.get(msgid, context)
        if message is not None and message.string:
            string = message.string
            key = msgid if context is None else f"{context}{CONTEXT_END}{msgid}"
            yield key, string if isinstance(string, str) else list(string)


def _texts_of_the_page() -> set[tuple[str, str | None]]:
    """Return the msgids, each with its context."""
    texts = {
        (msgid if isinstance(msgid, str) else msgid[0], context)
        for _file, _line, msgid, _comments, context in extract_from_dir(WEB, JAVASCRIPT)
    }
    for row in _rows():
        texts |= {(str(row[field]), None) for field in ("words", "help") if field in row}
    return texts


def _json(table: object) -> str:
    # One item a line, to read the differences; without blanks, because a browser loads them.
    return json.dumps(table, ensure_ascii=False, indent=0, separators=(",", ":")) + "\n"


if __name__ == "__main__":
    write()
