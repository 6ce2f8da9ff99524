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
from tertulia.chat.command_words import OTHERS
from tertulia.chat.face_commands import SetLanguage, SetNotify, SetTheme, ShowStatuses, Theme
from tertulia.chat.similar import plain_letters
from tertulia.operator_commands import OPERATOR_COMMANDS, OperatorCommand, Subject
from tertulia.protocol.messages import SetStatus

SOURCE = Path(__file__).parents[1] / "src" / "tertulia"
WEB = SOURCE / "web"
CATALOGUE = SOURCE / "locale" / "es" / "LC_MESSAGES" / "tertulia.po"
JAVASCRIPT = [("**.js", "javascript")]
CONTEXT_END = "\x04"  # stands between the context and the msgid, as in a compiled catalogue

_PARTS = ("dialogs", "order", "operator", "tried", "nodes")  # directories with texts of their own
_NOT_ON_A_PAGE = {"copy", "plain"}  # a browser copies by itself, and has one face
_OTHER_WORDS_ON_A_PAGE = {"notify"}  # the page has these itself
_NOT_FOR_A_PAGE = {"terminal"}  # a word after a command


def commands_json() -> str:
    """Return the table of the commands, with what can follow each and what it means."""
    return _json({"commands": _rows(), "statuses": STATUS_WORDS})


def help_json() -> str:
    """Return what the help says of each command."""
    return _json({_key(spec): _help(spec) for spec in _listed()})


def tried_json() -> str:
    """Return the words that people bring from other chats, and what each means on the page."""
    rows: list[dict[str, str]] = []
    for spec, words in OTHERS:
        row = {"words": plain_letters(words), "means": _key(spec)}
        try:
            command = spec.parse(spec.word, "")
        except CommandError:
            command = None
        if isinstance(command, SetStatus):
            row |= {"means": "status", "status": command.status}
        rows.append(row)
    rows += [
        {"words": f"{spec.spanish} {spec.english}", "means": _key(spec)}
        for spec in COMMANDS
        if _key(spec) in _NOT_ON_A_PAGE
    ]
    words = " ".join(f"{command.spanish} {command.english}" for command in OPERATOR_COMMANDS)
    return _json([*rows, {"words": plain_letters(words), "means": "operate"}])


def operator_commands_json() -> str:
    """Return the table of the commands of operators."""
    return _json([_operator_row(command) for command in OPERATOR_COMMANDS])


def spanish_json(part: str = "") -> str:
    """Return the Spanish of the texts of a part of the page: one form, or singular and plural.

    A part is a directory that the page loads later; "" is all that a visit needs at first.
    """
    with CATALOGUE.open("rb") as po_file:
        catalogue = read_po(po_file, locale="es")
    first = _texts_of("")
    wanted = first if part == "" else _texts_of(part) - first
    msgids: dict[str, str] = {}
    texts: dict[str, str | list[str]] = {}
    for msgid, text in _translations(catalogue, _texts_of(*_PARTS, "")):
        key = short_key(msgid)
        assert msgids.setdefault(key, msgid) == msgid, f"give another text the place of {msgid!r}"
        if (msgid, None) in wanted or tuple(msgid.split(CONTEXT_END)[::-1]) in wanted:
            texts[key] = text
    return _json(texts)


def short_key(msgid: str) -> str:
    """Return the key of a text, as `words.js` finds it; shorter than the msgid."""
    key = 0
    for character in msgid:
        key = (key * 31 + ord(character)) % 2**24
    return f"{key:x}"


def exports() -> dict[str, str]:
    """Return the content of each file, by its path in the directory of the page."""
    return {
        "commands.json": commands_json(),
        "words.es.json": spanish_json(),
        "dialogs/help.json": help_json(),
        "dialogs/words.es.json": spanish_json("dialogs"),
        "tried/commands.json": tried_json(),
        "tried/words.es.json": spanish_json("tried"),
        "nodes/words.es.json": spanish_json("nodes"),
        "order/words.es.json": spanish_json("order"),
        "operator/words.es.json": spanish_json("operator"),
        "operator/commands.json": operator_commands_json(),
    }


def write() -> None:
    """Write all files."""
    for path, content in exports().items():
        (WEB / path).write_text(content, encoding="utf-8")


def _key(spec: CommandSpec) -> str:
    return spec.english.removeprefix("/")


def _listed() -> list[CommandSpec]:
    return [spec for spec in COMMANDS if _key(spec) not in _NOT_ON_A_PAGE]


def _rows() -> list[dict[str, object]]:
    return [_row(spec) for spec in _listed()]


def _help(spec: CommandSpec) -> dict[str, object]:
    """Return the help of a command, with what can follow it unless its row has that."""
    has_words = spec.argument_words and not spec.choices
    return {"help": spec.help} | ({"words": spec.argument_words} if has_words else {})


def _row(spec: CommandSpec) -> dict[str, object]:
    row: dict[str, object] = {
        "spanish": spec.spanish,
        "english": spec.english,
    }
    if spec.choices and _key(spec) not in _OTHER_WORDS_ON_A_PAGE:
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
        case SetNotify(only_at=True):
            return "at"
        case SetNotify(notify):
            return str(notify)
        case ShowStatuses():
            return "statuses"
        case SetTheme(None):
            return ""
        case SetTheme(Theme() as theme):
            return theme
    raise AssertionError(command)


def _operator_row(command: OperatorCommand) -> dict[str, object]:
    row: dict[str, object] = {
        "spanish": command.spanish,
        "english": command.english,
        "help": command.help,
    }
    if command.argument_words:
        row["words"] = command.argument_words
    if command.subject in (Subject.NAME, Subject.NAME_OR_ADDRESS):
        row["argument"] = "name"
    return row


def _translations(
    catalogue: Catalog, texts: set[tuple[str, str | None]]
) -> Iterator[tuple[str, str | list[str]]]:
    for msgid, context in sorted(texts, key=str):
        message = catalogue.get(msgid, context)
        if message is not None and message.string:
            string = message.string
            key = msgid if context is None else f"{context}{CONTEXT_END}{msgid}"
            yield key, string if isinstance(string, str) else list(string)


def _texts_of(*parts: str) -> set[tuple[str, str | None]]:
    """Return the msgids of some parts of the page, each with its context."""
    texts = {
        (msgid if isinstance(msgid, str) else msgid[0], context)
        for file, _line, msgid, _comments, context in extract_from_dir(WEB, JAVASCRIPT)
        if _part_of(file) in parts
    }
    rows = _rows() if "" in parts else []
    rows += map(_help, _listed() if "dialogs" in parts else ())
    rows += map(_operator_row, OPERATOR_COMMANDS if "operator" in parts else ())
    for row in rows:
        texts |= {(str(row[field]), None) for field in ("words", "help") if field in row}
    return texts


def _part_of(file: str) -> str:
    """Return the part of a module."""
    directory = Path(file).parent.name
    return directory if directory in _PARTS else ""


def _json(table: object) -> str:
    # One item a line, to read the differences; without blanks, because a browser loads them.
    return json.dumps(table, ensure_ascii=False, indent=0, separators=(",", ":")) + "\n"


if __name__ == "__main__":
    write()
