"""Fuzz the line codec: the lines and requests must not depend on how the bytes are split.

atheris invents the bytes, guided by the branches that they reach. The status is 0 after
`--seconds`; a fault ends the program at once, with a traceback and the bytes in a file.

    python tests/fuzz/fuzz_lines.py --seconds 60
"""

import argparse
import sys
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path

import atheris

with atheris.instrument_imports():
    from tertulia.protocol.lines import (
        BadRequest,
        LineBuffer,
        LineTooLong,
        RequestBuffer,
        decode_request,
        encode,
    )

from msgspec import UNSET

from tertulia.protocol.messages import MAX_INT, ErrorCode

TOO_LONG = "too long"
MAX_INPUT_BYTES = 4_096
LIMITS = (8, 64, 512, 65_536)  # bytes of a line; the small ones are easy to reach
SEEDS = (
    b'{"type":"register","name":"ana","token":"x","protocol":1,"events":"all","id":1}\n',
    b'{"type":"say","text":"hola","nonce":"n","id":9007199254740991}\r\n\n\r\n',
    b'{"type":"direct","to":"luis","text":"\\u00f1"}\n{"type":"status","status":"OCUPADO"}\n',
    b'{"type":"users"}\n{"type":"info","name":"ana"}\n{"type":"search","text":"hola","limit":1}\n',
    b'{"type":"history","before":5,"after":1,"limit":2}\n{"type":"ping"}{"type":"quit"}\n',
    b'no json\n[]\n"x"\n{"type":5}\n{"type":"nope","id":7}\n{"x":[[[[]]]],"type":"pong"}\nrest',
)


def fuzz(data: bytes) -> None:
    """Try one input. Its first bytes determine how the rest is split."""
    if len(data) < 3:
        return
    limit = LIMITS[data[0] % len(LIMITS)]
    stream, sizes = data[3:], (1 + data[1], 1 + data[2])
    expected = list(cut_plainly(stream, limit))
    assert expected == list(cut(stream, limit, (len(stream),))), "in one piece"
    assert expected == list(cut(stream, limit, sizes)), f"in pieces of {sizes}"
    assert expected == list(cut(stream, limit, (1,))), "byte by byte"
    for line in expected:
        if isinstance(line, bytes):
            try_line(line)
    requests = [TOO_LONG if isinstance(line, str) else decode(line) for line in expected]
    assert requests == list(decode_stream(stream, limit, (len(stream),))), "requests in one piece"
    assert requests == list(decode_stream(stream, limit, sizes)), f"requests in pieces of {sizes}"


def decode(line: bytes) -> object:
    """Return the request, or the contents of the refusal."""
    try:
        return decode_request(line)
    except BadRequest as bad:
        return bad.code, bad.request_id, str(bad)


def decode_stream(stream: bytes, limit: int, sizes: Iterable[int]) -> Iterator[object]:
    """Feed a RequestBuffer, and yield the requests that are there after each piece."""
    buffer = RequestBuffer(limit)
    sizes = list(sizes)
    position = turn = 0
    while position < len(stream):
        size = min(buffer.free_bytes, sizes[turn % len(sizes)])
        buffer.feed(stream[position : position + size])
        position, turn = position + size, turn + 1
        while True:
            try:
                request = buffer.next_request()
            except BadRequest as bad:
                yield bad.code, bad.request_id, str(bad)
            except LineTooLong:
                yield TOO_LONG
                return
            else:
                if request is None:
                    break
                yield request


def cut_plainly(stream: bytes, limit: int) -> Iterator[bytes | str]:
    """Split in the simplest way, as a model of LineBuffer."""
    *lines, rest = stream.split(b"\n")
    for line in lines:
        if len(line) + 1 > limit:
            yield TOO_LONG
            return
        if line.removesuffix(b"\r"):
            yield line.removesuffix(b"\r")
    if len(rest) >= limit:
        yield TOO_LONG


def cut(stream: bytes, limit: int, sizes: Iterable[int]) -> Iterator[bytes | str]:
    """Feed a LineBuffer as a worker does, never more than there is space for."""
    buffer = LineBuffer(limit)
    sizes = list(sizes)
    position = turn = 0
    while position < len(stream):
        size = min(buffer.free_bytes, sizes[turn % len(sizes)])
        assert size > 0, "no space although no line is complete"
        buffer.feed(stream[position : position + size])
        position, turn = position + size, turn + 1
        try:
            while (line := buffer.next_line()) is not None:
                yield line
        except LineTooLong:
            yield TOO_LONG
            return
        assert 0 <= buffer.free_bytes <= limit
    assert buffer.in_mid_line == bool(stream and not stream.endswith(b"\n"))


def try_line(line: bytes) -> None:
    """Check that a line is a BadRequest, or a request that can be written and read again."""
    try:
        request = decode_request(line)
    except BadRequest as bad:
        check_refusal(bad)
        return
    written = encode(request)
    assert written.endswith(b"\n")
    assert written.count(b"\n") == 1
    assert decode_request(written[:-1]) == request


def check_refusal(bad: BadRequest) -> None:
    """Check that a refusal has one of two codes, a reason, and a valid `id` or none."""
    assert bad.code in (ErrorCode.MALFORMED, ErrorCode.UNKNOWN_TYPE)
    assert bad.request_id is UNSET or 0 <= bad.request_id <= MAX_INT
    assert str(bad)


def main() -> None:
    """Fuzz for `--seconds`."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--seconds", type=int, default=60)
    options = parser.parse_args()
    directory = Path(tempfile.mkdtemp(prefix="fuzz-lines-"))
    corpus = directory / "corpus"
    corpus.mkdir()
    for number, seed in enumerate(SEEDS):
        (corpus / str(number)).write_bytes(bytes([number, 7, 40]) + seed)
    arguments = {
        "max_total_time": options.seconds,
        "max_len": MAX_INPUT_BYTES,
        "dict": Path(__file__).with_name("json.dict"),
        "artifact_prefix": f"{directory}/",
        "len_control": 0,  # allow long inputs from the beginning
        "print_final_stats": 1,
        "verbosity": 0,
    }
    flags = [f"-{name}={value}" for name, value in arguments.items()]
    atheris.Setup([sys.argv[0], *flags, str(corpus)], fuzz)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
