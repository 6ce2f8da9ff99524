"""The catalogues are complete, agree with the source, and are compiled."""

import ast
import gettext
import re
from collections.abc import Iterable
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po

ROOT = Path(__file__).parents[1]
LOCALE = ROOT / "src" / "tertulia" / "locale"
CATALOGUES = sorted(LOCALE.glob("*/LC_MESSAGES/tertulia.po"))
UPDATE = "run make messages, translate these texts in the .po, and run make messages again"
METHODS = [("**.py", "python"), ("**.js", "javascript")]
_PLACEHOLDER = re.compile(r"\{\w+\}|%\(\w+\)[rsd]|%[rsd]")


def key(msgid: str | Iterable[str]) -> str:
    """Name a message by its singular."""
    return msgid if isinstance(msgid, str) else next(iter(msgid))


def texts_in_the_source() -> set[str]:
    return {
        key(msgid)
        for directory in (ROOT / "src", ROOT / "examples")
        for _file, _line, msgid, _comments, _context in extract_from_dir(directory, METHODS)
    }


@pytest.fixture(params=CATALOGUES, ids=lambda path: path.parts[-3])
def po_path(request: pytest.FixtureRequest) -> Path:
    path = request.param
    assert isinstance(path, Path)
    return path


@pytest.fixture
def catalogue(po_path: Path) -> Catalog:
    with po_path.open("rb") as po_file:
        return read_po(po_file, locale=po_path.parts[-3], abort_invalid=True)


def messages(catalogue: Catalog) -> list[Message]:
    return [message for message in catalogue if message.id]


def strings(message: Message) -> list[str]:
    if isinstance(message.string, str):
        return [message.string]
    return list(message.string or [""])


def test_there_is_spanish() -> None:
    assert [path.parts[-3] for path in CATALOGUES] == ["es"]


def test_the_catalogue_has_exactly_the_texts_of_the_source(catalogue: Catalog) -> None:
    assert {key(message.id) for message in messages(catalogue)} == texts_in_the_source(), UPDATE


def test_no_text_stands_where_it_is_not_found() -> None:
    """Babel does not look into f-strings."""
    inside = [
        f"{path}:{call.lineno}"
        for path in sorted((ROOT / "src").rglob("*.py"))
        for joined in ast.walk(ast.parse(path.read_text()))
        if isinstance(joined, ast.JoinedStr)
        for call in ast.walk(joined)
        if isinstance(call, ast.Call)
        and isinstance(call.func, ast.Name)
        and call.func.id in ("_", "ngettext", "pgettext", "N_")
        and isinstance(call.args[0], ast.Constant)
    ]
    assert inside == []


def test_every_text_is_translated(catalogue: Catalog) -> None:
    missing = [m.id for m in messages(catalogue) if m.fuzzy or not all(strings(m))]
    assert not missing, UPDATE


def test_the_placeholders_agree(catalogue: Catalog) -> None:
    for message in messages(catalogue):
        msgids = [message.id] if isinstance(message.id, str) else list(message.id)
        # The singular may write its number out; the plural has them all.
        allowed = sorted(_PLACEHOLDER.findall(msgids[-1]))
        for string in strings(message):
            found = sorted(_PLACEHOLDER.findall(string))
            assert found == allowed or (len(msgids) > 1 and set(found) <= set(allowed)), string


def test_the_ends_agree(catalogue: Catalog) -> None:
    for message in messages(catalogue):
        for string in strings(message):
            for end in ("\n", " ", ": "):
                assert key(message.id).endswith(end) == string.endswith(end), string


def test_quotes_are_those_of_the_language(catalogue: Catalog) -> None:
    for message in messages(catalogue):
        for string in strings(message):
            assert not set("“”\"'") & set(string), string


def test_the_compiled_catalogue_is_fresh(po_path: Path, catalogue: Catalog) -> None:
    with po_path.with_suffix(".mo").open("rb") as mo_file:
        compiled = gettext.GNUTranslations(mo_file)
    for message in messages(catalogue):
        if message.context is not None:
            assert compiled.pgettext(message.context, message.id) == message.string, UPDATE
        elif isinstance(message.id, str):
            assert compiled.gettext(message.id) == message.string, UPDATE
        else:
            singular, plural = message.id
            found = [compiled.ngettext(singular, plural, count) for count in (1, 2)]
            assert found == strings(message), UPDATE
