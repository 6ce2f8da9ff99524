"""What the values of options can be, each with the words for what they cannot be."""

import argparse
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tertulia.server.option_types import (
    SecretFile,
    days,
    or_none,
    port_number,
    positive_number,
    rate,
    secret_file,
    whole_number,
)

SECRET = "x" * 16


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "secret"
    path.write_text(SECRET)
    path.chmod(0o600)
    return path


def problem(parse: Callable[[str], Any], text: str) -> str:
    with pytest.raises(argparse.ArgumentTypeError) as refused:
        parse(text)
    return str(refused.value)


def test_numbers_are_read_within_their_bounds() -> None:
    assert [port_number(text) for text in ("0", "00080", "65535")] == [0, 80, 65_535]
    assert [whole_number(1, 9)(text) for text in ("1", "9")] == [1, 9]
    assert [positive_number("0.5"), rate("5/s"), rate("5")] == [0.5, 5.0, 5.0]
    assert (days("30"), days("1e8")) == (30.0, 36_500.0)
    assert (or_none(days, "all")("all"), or_none(days, "all")("2")) == (None, 2.0)


@pytest.mark.parametrize(
    ("parse", "texts"),
    [
        (port_number, ["", "-1", "65536", "000001", "٥", "5.0"]),
        (whole_number(1, 9), ["0", "10", "1.5", "٥", "", "0" * 10 + "1"]),
        (positive_number, ["0", "-1", "nan", "inf", "1e9", "many", ""]),
        (rate, ["/s", "fast/s"]),
    ],
)
def test_other_texts_are_refused(parse: Callable[[str], Any], texts: list[str]) -> None:
    for text in texts:
        assert "number" in problem(parse, text), text


def test_a_secret_is_the_line_in_its_file(file: Path) -> None:
    assert secret_file(str(file)) == SecretFile(SECRET, str(file), False)
    file.write_text(f"  {SECRET}\n\n")
    assert secret_file(str(file)).secret == SECRET


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("", "is empty: put a secret of at least 16 characters into it"),
        ("\n", "is empty"),
        (f"{SECRET}\n{SECRET}", "has to contain one line"),
        ("x" * 1_025, "has to contain one line"),
        (b"\xff" * 20, "has to contain one line"),
        ("x" * 15, "is too short: it needs at least 16 characters"),
    ],
)
def test_a_file_without_a_good_secret_is_explained(
    file: Path, content: str | bytes, words: str
) -> None:
    file.write_bytes(content if isinstance(content, bytes) else content.encode())
    told = problem(secret_file, str(file))
    assert words in told
    assert str(file) in told


def test_a_file_that_cannot_be_read_is_explained(tmp_path: Path) -> None:
    assert problem(secret_file, str(tmp_path / "none")).endswith("none: No such file or directory")


def test_it_is_known_whether_others_may_read_the_secret(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for mode, is_exposed in ((0o600, False), (0o640, True), (0o602, True)):
        file.chmod(mode)
        assert secret_file(str(file)).is_exposed is is_exposed, oct(mode)
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(file.parent))  # of systemd, and closed
    assert not secret_file(str(file)).is_exposed


def test_a_pipe_of_the_shell_is_open_to_nobody() -> None:
    reading, writing = os.pipe()
    os.fchmod(reading, 0o644)
    os.write(writing, SECRET.encode())
    os.close(writing)
    assert not secret_file(f"/dev/fd/{reading}").is_exposed
    os.close(reading)
