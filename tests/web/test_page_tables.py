"""What the page shares with the terminal is exported, and the exported files are fresh."""

import runpy
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
WEB = ROOT / "src" / "tertulia" / "web"


@pytest.mark.parametrize(
    ("name", "export"), [("commands.json", "commands_json"), ("words.es.json", "spanish_json")]
)
def test_an_exported_file_is_fresh(name: str, export: str) -> None:
    exported = runpy.run_path(str(ROOT / "tools" / "page_tables.py"))[export]()
    assert (WEB / name).read_text(encoding="utf-8") == exported, "run make messages"
