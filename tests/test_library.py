"""The public library: what `from tertulia import ...` gives, to a program and to a type checker."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest
from library_page import programs_of_the_page

import tertulia

SOURCE = Path(tertulia.__file__).parent
ROOT = SOURCE.parents[1]


def run(code: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True
    )
    return done.stdout


@pytest.mark.parametrize("imported", ["tertulia", "tertulia.cli", "tertulia.server.serving"])
def test_importing_the_package_does_not_load_the_client_library(imported: str) -> None:
    loaded = run(f"import sys, {imported}; print(*sys.modules)").split()
    assert imported in loaded
    assert [name for name in loaded if name.startswith("tertulia.client")] == []


def test_all_public_names_are_there_for_a_program_that_imports_them_all() -> None:
    code = "from tertulia import *; print(Client.__name__, PersistentClient.__name__, ChatMessage)"
    assert run(code).startswith("Client PersistentClient <class")


def test_a_name_that_is_not_public_is_missing_and_a_module_can_still_be_imported() -> None:
    assert not hasattr(tertulia, "Inbox")
    assert run("from tertulia import version; print(version.__name__)") == "tertulia.version\n"


def test_what_a_type_checker_sees_is_what_a_program_gets() -> None:
    tree = ast.parse((SOURCE / "__init__.py").read_text())
    imported = {
        alias.name: node.module
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith("tertulia.")
        for alias in node.names
    }
    assert sorted(imported) == sorted(tertulia.__all__)
    for name, module in imported.items():
        assert getattr(tertulia, name) is getattr(sys.modules[module], name)


def test_a_type_checker_knows_the_types_and_misses_a_name_that_does_not_exist(
    tmp_path: Path,
) -> None:
    program = tmp_path / "bot.py"
    program.write_text(
        "from typing import assert_type\n"
        "from tertulia import ChatMessage, Client, PersistentClient\n"
        "def talk(client: Client, bot: PersistentClient) -> None:\n"
        "    assert_type(client.say('hola'), int)\n"
        "    for event in bot.events():\n"
        "        if isinstance(event, ChatMessage):\n"
        "            assert_type(event.text, str)\n"
        "from tertulia import Clinet\n"
    )
    shown = [tmp_path / name for name in programs_of_the_page(tmp_path)]
    done = subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", program, *shown],
        capture_output=True, text=True, timeout=300, check=False, cwd=ROOT,
    )  # fmt: skip
    assert 'bot.py:8: error: Module "tertulia" has no attribute "Clinet"' in done.stdout
    assert "Found 1 error" in done.stdout, done.stdout


def test_nothing_inside_the_package_imports_the_package_itself() -> None:
    for path in SOURCE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Import):
                assert "tertulia" not in [alias.name for alias in node.names], path
            elif isinstance(node, ast.ImportFrom):
                assert node.module != "tertulia", path
