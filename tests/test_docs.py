"""The documentation is true: the examples in docs/protocol.md are exactly what travels."""

import ast
import re
import shlex
import tomllib
from pathlib import Path
from typing import get_args

import msgspec
import pytest
from msgspec.structs import fields

from tertulia.chat.settings import Settings
from tertulia.options import client_parser
from tertulia.plain.script import Refusal
from tertulia.plain.typed import help_lines
from tertulia.protocol.lines import decode_request, decode_server_message, encode
from tertulia.protocol.messages import Error, ErrorCode, Request, ServerMessage
from tertulia.server.options import parse_options

ROOT = Path(__file__).parents[1]
PROTOCOL = (ROOT / "docs/protocol.md").read_text()


def lines_of(side: str) -> list[bytes]:
    return [line.encode() for line in re.findall(rf"^    {side}: (.*)$", PROTOCOL, re.MULTILINE)]


def test_every_request_and_message_on_the_page_is_read_and_written_unchanged():
    for side, decode in (("C", decode_request), ("S", decode_server_message)):
        lines = lines_of(side)
        assert len(lines) > 30
        for line in lines:
            message = decode(line)
            assert message is not None, line
            assert encode(message) == line + b"\n"


def test_the_page_shows_every_message():
    shown = {type(decode_request(line)) for line in lines_of("C")}
    shown |= {type(decode_server_message(line)) for line in lines_of("S")}
    vocabulary = {*get_args(Request), *get_args(ServerMessage)}
    assert {kind.__name__ for kind in vocabulary - shown} == set()


def test_the_page_names_every_error_code():
    for code in ErrorCode:
        assert f"`{code}`" in PROTOCOL
    assert any(isinstance(decode_server_message(line), Error) for line in lines_of("S"))


@pytest.mark.parametrize(
    "page",
    ["README.md", "README.es.md", "ARCHITECTURE.md", "docs/threads.md", "docs/threads.es.md"],
)
def test_every_file_that_a_page_links_to_exists(page):
    for target in re.findall(r"\]\(([^)#:]+)\)", (ROOT / page).read_text()):
        assert (ROOT / page).parent.joinpath(target).exists(), target


def test_both_pages_about_threads_have_the_same_commands_and_figures():
    english, spanish = (
        re.sub(r"  +#.*", "", (ROOT / f"docs/threads{lang}.md").read_text()) for lang in ("", ".es")
    )
    for found in (r"^    \S.*$", r"\d[\d.,]* ?(?:%|ms)", r"\d\d,\d{3}", r"--[a-z]+"):
        assert re.findall(found, english, re.M) == re.findall(found, spanish, re.M), found


def test_every_file_in_the_architectures_table_exists():
    for row in re.findall(r"^\| .*\? \| (.*) \|$", (ROOT / "ARCHITECTURE.md").read_text(), re.M):
        for path in re.findall(r"`([a-z0-9_/]+(?:\.py|\.js|/))`", row):
            assert (ROOT / "src/tertulia" / path).exists(), path


def test_the_architecture_names_every_long_file():
    page = (ROOT / "ARCHITECTURE.md").read_text()
    named = set(re.findall(r"`([a-z0-9_/]+(?:\.py|/))`", page))
    source = ROOT / "src/tertulia"
    for path in source.rglob("*.py"):
        name = path.relative_to(source).as_posix()
        folders = {f"{folder.as_posix()}/" for folder in Path(name).parents}
        if len(path.read_text().splitlines()) >= 200:
            assert named & {name, *folders}, name


def test_every_test_that_the_operators_page_names_exists():
    page = (ROOT / "docs/operations.md").read_text()
    named = re.findall(r"`((?:tests/(?:\w+/)*)?test_\w+\.py)::(test_\w+)`", page)
    assert len(named) >= 6
    for path, name in named:
        file = ROOT / path if "/" in path else ROOT / "tests/system" / path
        assert f"def {name}(" in file.read_text(), name


def test_every_scenario_that_the_operators_page_names_exists():
    page = (ROOT / "docs/operations.md").read_text()
    lists = re.findall(r"test_nothing_is_lost\w*` \(([^)]*)\)", page)
    scenarios = (ROOT / "tests/cluster/scenarios.py").read_text()
    named = [name for names in lists for name in re.findall(r"`(\w+)`", names)]
    assert len(named) >= 15
    assert [name for name in named if f"def {name}(" not in scenarios] == []


def refusals_of_a_node() -> list[str]:
    """Return what a node can say at its end, in the words of the source."""
    files = (ROOT / "src/tertulia/server/cluster").glob("*.py")
    calls = [
        node
        for file in files
        for node in ast.walk(ast.parse(file.read_text()))
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "_"
    ]
    texts = [ast.literal_eval(call.args[0]) for call in calls]
    # The others are short, or about an entry: they are put into one of these.
    return [text for text in texts if len(text) > 55 and "although" not in text]


def test_the_operators_page_explains_everything_that_keeps_a_node_from_starting() -> None:
    page = (ROOT / "docs/operations.md").read_text()
    table = page.partition("\n### If a node does not start")[2].partition("\n### ")[0]
    explained = re.findall(r"^\| `([^`]+)` \|", table, re.MULTILINE)
    texts = refusals_of_a_node()
    assert [text for text in texts if not any(words in text for words in explained)] == []
    assert [words for words in explained if not any(words in text for text in texts)] == []


def test_the_command_lines_of_a_node_on_the_operators_page_are_right(tmp_path: Path) -> None:
    page = (ROOT / "docs/operations.md").read_text()
    page = page.partition("\n## Several machines")[2].partition("\n## ")[0]
    (tmp_path / "cluster").write_text("secret")
    commands = re.findall(r"tertulia-server (5000 (?:.*\\\n)*.*)", page)
    whole = [command for command in commands if "--node" in command]
    assert len(whole) == 2
    for command in whole:
        command = re.sub(r"\S+/cluster\b", str(tmp_path / "cluster"), command)
        config = parse_options(shlex.split(command.replace("\\\n", " "))).config
        assert config.node == "lab1"
        assert config.cluster == tuple(f"tls://10.0.0.{number}:4222" for number in (1, 2, 3))
        assert config.cluster_credentials == str(tmp_path / "cluster")


def test_the_scripts_page_names_every_option_and_status_and_shows_what_json_writes() -> None:
    page = (ROOT / "docs/scripts.md").read_text()
    parser = client_parser()
    scripts = next(group for group in parser._action_groups if group.title == "for scripts")
    options = {word for action in scripts._group_actions for word in action.option_strings}
    assert options | {"--wait", "--free-name"} <= set(re.findall(r"--?[a-z-]+", page))
    assert set(re.findall(r"`(--?[a-z-]+)", page)) <= {
        *parser._option_string_actions, "--shared-addresses",
    }  # fmt: skip
    assert parser.epilog is not None
    assert re.findall(r"\b\d\b", parser.epilog) == list("023456")
    assert re.findall(r"^\| (\d) \|", page, re.MULTILINE) == list("0123456")
    [example] = re.findall(r'^    (\{"type":"refused".*)$', page, re.MULTILINE)
    assert msgspec.json.encode(msgspec.json.decode(example, type=Refusal)).decode() == example


def test_the_settings_page_names_every_setting_and_its_default() -> None:
    page = (ROOT / "docs/settings.md").read_text()
    rows = dict(re.findall(r"^\| `(\w+)` \| (.*) \|$", page, re.MULTILINE))
    for field in fields(Settings):
        _values, default, _command = rows.pop(field.name).split(" | ")
        shown = (
            str(field.default).lower() if isinstance(field.default, bool) else f'"{field.default}"'
        )
        assert default.startswith(f"`{shown}`"), field.name
    assert rows == {}
    [example] = re.findall(r"^    .*(?:\n    .*)*", page, re.MULTILINE)
    for name, value in tomllib.loads(example.replace("    ", "")).items():
        msgspec.convert({name: value}, Settings)


def test_the_plain_page_names_every_key_of_the_help() -> None:
    page = (ROOT / "docs/plain.md").read_text()
    keys = [line.partition(": ")[0] for line in help_lines(on_terminal=True)[-6:]]
    assert "Alt+Enter, Ctrl+O" in keys
    for key in keys:
        assert f"| {key}" in page


def test_no_page_has_the_marks_of_a_conflict_between_two_changes() -> None:
    for page in (*ROOT.glob("*.md"), *ROOT.glob("*/*.md"), *ROOT.glob("docs/adr/*.md")):
        assert not re.search(r"^(<{7}|>{7}) ", page.read_text(), re.MULTILINE), page
