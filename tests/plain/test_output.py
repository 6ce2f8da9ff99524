"""What the plain face writes: to which stream, in which order, and without control characters."""

import io

import pytest

from tertulia.plain.output import Output


def terminal(encoding: str = "utf-8") -> io.TextIOWrapper:
    return io.TextIOWrapper(io.BytesIO(), encoding=encoding, write_through=True)


def written(stream: io.TextIOWrapper) -> bytes:
    assert isinstance(stream.buffer, io.BytesIO)
    return stream.buffer.getvalue()


def test_nothing_is_written_before_the_flush_and_nothing_twice() -> None:
    stdout, stderr = io.StringIO(), io.StringIO()
    output = Output(stdout, stderr)
    assert not output.has_lines
    output.add_line("said")
    output.add_notice("noted")
    assert output.has_lines
    assert stdout.getvalue() + stderr.getvalue() == ""
    for _time in range(2):
        output.flush()
        assert not output.has_lines
        assert (stdout.getvalue(), stderr.getvalue()) == ("said\n", "noted\n")


def test_on_one_screen_the_lines_of_both_streams_stand_in_their_order() -> None:
    screen = io.StringIO()
    output = Output(screen, screen)
    output.add_line("1")
    output.add_notice("2")
    output.add_json(b"3")
    output.add_notice("4")
    output.flush()
    assert screen.getvalue() == "1\n2\n3\n4\n"


def test_nothing_that_steers_a_terminal_passes() -> None:
    stdout, stderr = io.StringIO(), io.StringIO()
    output = Output(stdout, stderr)
    output.add_line("a\x1b[2J")
    output.add_notice("b\x9b2J")
    output.add_json(b'{"text":"\x9b"}')
    output.add_json('{"text":"\u202e"}'.encode())
    output.flush()
    shown = stdout.getvalue() + stderr.getvalue()
    assert not set("\x1b\x9b\u202e") & set(shown)
    assert stdout.getvalue().endswith('{"text":"\\u202e"}\n')


def test_a_letter_that_the_encoding_lacks_is_replaced() -> None:
    stdout, stderr = terminal("ascii"), terminal("ascii")
    output = Output(stdout, stderr)
    output.add_line("José")
    output.add_notice("José")
    output.flush()
    assert (written(stdout), written(stderr)) == (b"Jos?\n", b"Jos?\n")


def test_json_is_always_utf_8() -> None:
    stdout, stderr = terminal("ascii"), terminal("ascii")
    output = Output(stdout, stderr, json=True)
    output.add_json('"José"'.encode())
    output.flush()
    assert written(stdout) == '"José"\n'.encode()


@pytest.mark.parametrize(
    ("has_terminals", "rung"),
    [((True, True), ["", "\a"]), ((True, False), ["\a", ""]), ((False, False), ["", ""])],
)
def test_the_bell_rings_once_even_if_both_streams_are_the_terminal(
    has_terminals: tuple[bool, bool], rung: list[str]
) -> None:
    class Screen(io.StringIO):
        is_terminal = True

        def isatty(self) -> bool:
            return self.is_terminal

    streams = Screen(), Screen()
    for stream, is_terminal in zip(streams, has_terminals, strict=True):
        stream.is_terminal = is_terminal
    output = Output(*streams)
    output.ring()
    output.flush()
    assert [stream.getvalue() for stream in streams] == rung


def test_a_reader_that_has_gone_is_an_error() -> None:
    class Broken(io.StringIO):
        def write(self, _text: str) -> int:
            raise BrokenPipeError

    stderr = io.StringIO()
    output = Output(Broken(), stderr)
    output.add_line("a")
    with pytest.raises(BrokenPipeError):
        output.flush()
    output.add_line("b")
    output.add_notice("c")
    output.flush()  # it is told only once
    assert stderr.getvalue() == "c\n"
