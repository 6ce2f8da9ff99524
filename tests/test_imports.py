"""No module imports itself through other modules.

Imports inside functions and under `TYPE_CHECKING` count too. import-linter keeps the directions
between the parts of the program; this also finds circles inside a part.
"""

import ast
from pathlib import Path

SOURCE = Path(__file__).parents[1] / "src"

Graph = dict[str, set[str]]


def module_name(path: Path) -> str:
    parts = path.relative_to(SOURCE).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imports_of(source: str, modules: set[str]) -> set[str]:
    """Return the modules that a source imports, wherever in the source the import stands."""
    found = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "relative imports are not looked up here"
            for alias in node.names:
                submodule = f"{node.module}.{alias.name}"
                found.add(submodule if submodule in modules else str(node.module))
    return found & modules


def import_graph() -> Graph:
    sources = {module_name(path): path.read_text() for path in SOURCE.rglob("*.py")}
    return {module: imports_of(source, set(sources)) for module, source in sources.items()}


def circle_through(module: str, graph: Graph) -> list[str]:
    """Return the shortest path along imports from a module back to itself, or an empty list."""
    paths = [[module]]
    seen = set()
    for path in paths:  # the list grows during the loop: a breadth-first search
        for imported in sorted(graph[path[-1]]):
            if imported == module:
                return [*path, module]
            if imported not in seen:
                seen.add(imported)
                paths.append([*path, imported])
    return []


def circles(graph: Graph) -> dict[str, str]:
    """Return a circle for each module that is in one."""
    found = {module: circle_through(module, graph) for module in sorted(graph)}
    return {module: " -> ".join(circle) for module, circle in found.items() if circle}


def test_no_module_imports_itself_through_others() -> None:
    graph = import_graph()
    assert len(graph) > 50, "the source was not found"
    assert circles(graph) == {}


def test_every_import_in_a_source_is_found() -> None:
    source = """
import json
import house.cellar
from house.hall import Door, stairs
if TYPE_CHECKING:
    from house import attic
def enter():
    from house import Key
"""
    modules = {"house", "house.attic", "house.cellar", "house.hall", "house.hall.stairs", "house.x"}
    assert imports_of(source, modules) == modules - {"house.x"}


def test_only_modules_that_reach_themselves_are_in_circles() -> None:
    graph = {"a": {"b", "c"}, "b": {"d"}, "c": {"d"}, "d": {"e"}, "e": {"f"}, "f": {"d"}}
    assert circles(graph) == {
        "d": "d -> e -> f -> d",
        "e": "e -> f -> d -> e",
        "f": "f -> d -> e -> f",
    }
    assert circles({"a": {"a"}}) == {"a": "a -> a"}
