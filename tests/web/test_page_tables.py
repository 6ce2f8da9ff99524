"""What the page shares with the terminal is exported, and the exported files are fresh."""

import re
import runpy
from pathlib import Path

import pytest
from babel.messages.extract import extract_from_dir

ROOT = Path(__file__).parents[2]
WEB = ROOT / "src" / "tertulia" / "web"
JAVASCRIPT = [("**.js", "javascript")]
_MARKED = re.compile(r'\b(?:N?_|n?gettext)\(\s*"([^"]+)"')


@pytest.mark.parametrize(
    ("name", "export"), [("commands.json", "commands_json"), ("words.es.json", "spanish_json")]
)
def test_an_exported_file_is_fresh(name: str, export: str) -> None:
    exported = runpy.run_path(str(ROOT / "tools" / "page_tables.py"))[export]()
    assert (WEB / name).read_text(encoding="utf-8") == exported, "run make messages"


def test_no_text_stands_where_it_is_not_found() -> None:
    """Babel does not look into the arguments of a call that it knows."""
    found = {
        msgid if isinstance(msgid, str) else msgid[0]
        for _file, _line, msgid, _comments, _context in extract_from_dir(WEB, JAVASCRIPT)
    }
    for path in WEB.glob("*.js"):
        for beginning in _MARKED.findall(path.read_text(encoding="utf-8")):
            assert any(msgid.startswith(beginning) for msgid in found), (path.name, beginning)
