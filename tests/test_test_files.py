"""Every module that decides something has a test file of its own."""

import ast
from pathlib import Path

TESTS = Path(__file__).parent
SOURCE = TESTS.parent / "src/tertulia"
DECISIONS = (ast.If, ast.IfExp, ast.Match, ast.While, ast.BoolOp, ast.ExceptHandler)


def decides(source: str) -> bool:
    """Return whether a module decides something besides what only type checkers import."""
    decisions = (node for node in ast.walk(ast.parse(source)) if isinstance(node, DECISIONS))
    return any(not ast.unparse(node).startswith("if TYPE_CHECKING:") for node in decisions)


def modules_without_a_test_file() -> set[str]:
    deciding = [path for path in SOURCE.rglob("[!_]*.py") if decides(path.read_text())]
    assert deciding, "the source was not found"
    modules = [path.relative_to(SOURCE) for path in deciding]
    return {
        str(module)
        for module in modules
        if not (TESTS / module.parent / f"test_{module.name}").exists()
    }


def test_every_module_that_decides_something_has_a_test_file_of_its_own() -> None:
    assert modules_without_a_test_file() == set()


def test_conditions_loops_and_caught_errors_are_decisions() -> None:
    for source in (
        "if a: b()",
        "a = b if c else d",
        "match a:\n    case 1: b()",
        "while a(): b()",
        "a = b or c",
        "try:\n    a()\nexcept OSError:\n    b()",
        "if TYPE_CHECKING:\n    import a\nif b: c()",
    ):
        assert decides(source), source


def test_constants_calls_and_imports_for_type_checkers_are_no_decisions() -> None:
    assert not decides("import a\nif TYPE_CHECKING:\n    import b\nC = 1\ndef d(): return a.e(C)")
