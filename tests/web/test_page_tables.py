"""What the page shares with the terminal is exported, and the exported files are fresh."""

import re
import runpy
from pathlib import Path

from babel.messages.extract import extract_from_dir

ROOT = Path(__file__).parents[2]
WEB = ROOT / "src" / "tertulia" / "web"
JAVASCRIPT = [("**.js", "javascript")]
_MARKED = re.compile(r'\b(?:N?_|n?gettext)\(\s*"([^"]+)"')


def test_the_exported_files_are_fresh() -> None:
    exports = runpy.run_path(str(ROOT / "tools" / "page_tables.py"))["exports"]()
    for name, exported in exports.items():
        assert (WEB / name).read_text(encoding="utf-8") == exported, f"{name}: run make messages"


def test_no_text_stands_where_it_is_not_found() -> None:
    """Babel does not look into the arguments of a call that it knows."""
    found = {
        msgid if isinstance(msgid, str) else msgid[0]
        for _file, _line, msgid, _comments, _context in extract_from_dir(WEB, JAVASCRIPT)
    }
    for path in WEB.rglob("*.js"):
        for beginning in _MARKED.findall(path.read_text(encoding="utf-8")):
            assert any(msgid.startswith(beginning) for msgid in found), (path.name, beginning)
