"""No module imports itself through other modules.

Imports inside functions and under `TYPE_CHECKING` count too. import-linter keeps the directions
between the parts of the program; this also finds circles inside a part.
"""

import ast
import re
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SOURCE = ROOT / "src"
# Where the names of each line of ARCHITECTURE.md's drawing are looked for.
PLACES = {
    "server": ["tertulia.server", "tertulia"],
    "client": ["tertulia"],
    "screen": ["tertulia.tui"],
    "view": ["tertulia.server", "tertulia"],
}

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


@cache
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


def drawing() -> dict[str, list[list[str]]]:
    """Return the lines of the drawing of the imports: the layers, each with its parts."""
    text = (ROOT / "ARCHITECTURE.md").read_text().partition("## Which part imports which")[2]
    lines: dict[str, list[list[str]]] = {}
    for name, drawn in re.findall(r"^    (\w+): +(.+)$", text, re.MULTILINE):
        layers = re.sub(r" \([^)]*\)", "", drawn).split(" > ")
        lines[name] = [layer.split(", ") for layer in layers]
    return lines


def module_of(part: str, places: list[str]) -> str:
    """Return the module or the package that the drawing means."""
    return next(found for place in places if (found := f"{place}.{part}") in import_graph())


def imports_against(layers: list[list[str]], graph: Graph) -> list[str]:
    """Return the imports from a part to one beside it, or to its left."""
    level_of = {part: level for level, layer in enumerate(layers) for part in layer}

    def part_of(module: str) -> str | None:
        is_in = (part for part in level_of if f"{module}.".startswith(f"{part}."))
        return max(is_in, key=len, default=None)

    return [
        f"{module} -> {imported}"
        for module, imports in sorted(graph.items())
        for imported in sorted(imports)
        if (importer := part_of(module)) is not None
        and (known := part_of(imported)) is not None
        and importer != known
        and level_of[known] <= level_of[importer]
    ]


@pytest.mark.parametrize("line", PLACES)
def test_the_drawing_of_who_knows_whom_matches_the_imports(line: str) -> None:
    layers = [[module_of(part, PLACES[line]) for part in layer] for layer in drawing()[line]]
    assert len(layers) > 3
    assert imports_against(layers, import_graph()) == []


def test_every_package_is_in_the_drawing() -> None:
    drawn = {part for layers in drawing().values() for layer in layers for part in layer}
    package = SOURCE / "tertulia"
    inner = [package, package / "server", package / "tui"]
    packages = {path.parent.name for one in inner for path in one.glob("*/__init__.py")}
    # Of the client in one file alone; it stands in the place of another library.
    assert packages - drawn == {"standin"}


def test_an_import_against_the_drawing_is_found() -> None:
    layers = [["house.hall"], ["house.kitchen", "house.cellar"]]
    graph = {
        "house.hall": {"house.cellar.wine", "house.kitchen"},
        "house.kitchen": {"house.cellar", "house.kitchen.oven", "house.street"},
        "house.kitchen.oven": {"house.kitchen"},
        "house.cellar.wine": {"house.hall"},
        "house.street": {"house.hall"},
    }
    assert imports_against(layers, graph) == [
        "house.cellar.wine -> house.hall",
        "house.kitchen -> house.cellar",
    ]
