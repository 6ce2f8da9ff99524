"""The target of `make fuzz`, without the fuzzer: it runs, and notices a codec that is wrong."""

import sys
from contextlib import nullcontext
from importlib import util
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from tertulia.protocol.lines import LineBuffer


@pytest.fixture
def target(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    atheris: Any = ModuleType("atheris")
    atheris.instrument_imports = nullcontext
    monkeypatch.setitem(sys.modules, "atheris", atheris)
    path = Path(__file__).with_name("fuzz") / "fuzz_lines.py"
    spec = util.spec_from_file_location("fuzz_lines", path)
    assert spec is not None
    assert spec.loader is not None
    module = util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_target_accepts_what_the_codec_does_with_its_seeds(target: ModuleType) -> None:
    for limit in range(len(target.LIMITS)):
        for seed in target.SEEDS:
            for first, second in [(0, 0), (7, 40), (255, 1)]:
                target.fuzz(bytes([limit, first, second]) + seed)


def test_the_target_notices_lines_that_depend_on_how_the_bytes_are_split(
    target: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    feed = LineBuffer.feed

    def lose_the_first_byte(buffer: LineBuffer, data: bytes) -> None:
        feed(buffer, data[1:])

    monkeypatch.setattr(LineBuffer, "feed", lose_the_first_byte)
    with pytest.raises(AssertionError):
        target.fuzz(bytes([2, 7, 40]) + target.SEEDS[0])
