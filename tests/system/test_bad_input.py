"""No bad input harms the server or another client."""

import contextlib
import random
import re
from pathlib import Path

from faults import cpu_seconds, threads_of
from histories import whole_history

NO_NAMES = [
    *("", " ", "an a", "@ana", "ana@casa", "ana:", "a/b", "#ana", "*", ">ana", "-ana", ".ana"),
    *("еvan", "paраl", "αna", "a\u200bna", "\u200dana", "ana\u2060", "\ufeffana", "a\u00adna"),
    *("a\u034fna", "\u3164", "\u115fa", "\u2800", "a\ufe0f", "\U000e0061na", "\U0010fffe"),
    *("a" * 33, "a" * 60_000, "a\u0301\u0301\u0301\u0301", "\u0301a", "a" + "\u0301" * 10_000),
    *("a\nb", "a\tb", "\x1b[31mana", "\x00", "a\x7f", "a\x9b", "\u202eana", "a\u2066b", "😀", "½"),
]
TWINS_OF_ANA = ["Ana", "ANA", "ＡＮＡ", "aｎa", "ａｎａ", "ana"]
NO_TEXTS = [
    *("", " ", "\n\t", "\u3000\u2003", "\x1b[2J", "\x1b]52;c;aG9sYQ==\x07", "a\x9b31m", "\x85"),
    *("a\x00b", "\x7f", "a\rb", "x" * 16_385, "ñ" * 8_193, "a" + "\u0301" * 10_000),
]
TEXTS = [
    *("\u202ehola\u202c", "a\u2066b\u2069", "a" + "\u0301" * 8_000, "[red]x[/red]", "</script>"),
    *("%s%n{0}", "'; DROP TABLE message; --", "a\u2028b", "\ufffe", "\U0010ffff", "x" * 16_384),
]
NO_LINES = [
    b'{"type":"say","text":"\\ud800","id":1}',
    b'{"type":"register","name":"\\udfff\\ud800"}',
    b'{"type":"say","text":"\xed\xa0\x80"}',
    b'{"type":"say","text":"\xc0\x80"}',
    b'\xff\xfe{\x00"\x00',
    b"\xef\xbb\xbf" + b'{"type":"ping"}',
    *(
        b'{"type":"ping","x":' + pair[:1] * n + pair[1:] * n + b"}"
        for n in (99, 5_000, 32_000)
        for pair in (b"[]",)
    ),
    b'{"type":"ping","x":' + b'{"a":' * 10_000 + b"1" + b"}" * 10_000 + b"}",
    b"[" * 65_000,
    b'{"a":' * 13_000,
    *(
        b'{"type":"ping","id":' + n + b"}"
        for n in (b"9" * 60_000, b"1e400", b"-0", b"1E0", b"0x1", b"01")
    ),
    b'{"type":"history","limit":' + b"9" * 5_000 + b"}",
    b'{"type":"history","before":1e308,"after":-1e308}',
    *(b'{"type":"ping","x":' + n + b"}" for n in (b"NaN", b"Infinity", b"-Infinity", b"1e999999")),
    b'{"type":"ping","type":"say","text":"x","text":5}',
    b'{"type":"quit","type":"ping","id":1,"id":2}',
    b'{"type":"say","text":"a","text":"b","type":"nope"}',
    b"{" + b'"a":1,' * 9_000 + b'"type":"ping"}',
    b'{"type":"' + b"\\u0061" * 10_000 + b'"}',
    b'{"type":null}',
    b'{"type":"ping"}{"type":"ping"}',
    b'{"type":"ping",}',
    b"{'type':'ping'}",
    b'{"type":"say","text":"' + b"\\" * 60_001 + b'"}',
    b"GET / HTTP/1.1\r\nHost: tertulia\r\n\r\n",
    b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(500),
    b"\n" * 60_000,
    b"\r" * 60_000,
    b"\x00" * 60_000,
    b"x" * 200_000,
]


def memory_of(server):
    status = Path(f"/proc/{server.process.pid}/status").read_text()
    return int(re.search(r"VmRSS:\s+(\d+)", status)[1]) * 1024


class Sweep:
    """Send bad input, and check after each piece that the server still works."""

    def __init__(self, server):
        self._server = server
        self.ana = server.user("ana")
        self._numbers = iter(range(10**6))
        self._threads = threads_of(server)

    def send(self, line):
        """Send bytes from an unregistered connection, then from a registered one."""
        for name in (None, "bad"):
            peer = self._server.peer()
            with contextlib.suppress(OSError):  # the server may close the connection
                if name:
                    peer.register(name)
                peer.send_raw(line + b"\n")
                peer.half_close()
                peer.wait_for_end()
            peer.close()
            self.check(line)

    def check(self, what):
        """Check that a new client can register and gets answers, and that no thread has died."""
        cpu_s = cpu_seconds(self._server)
        fresh = self._server.peer()
        fresh.register(f"fresh{next(self._numbers)}", events="messages")
        assert fresh.ask("users")["type"] == "users"
        assert cpu_seconds(self._server) - cpu_s < 5.0, f"too slow after {what[:80]!r}"
        fresh.close()
        assert threads_of(self._server) == self._threads, what[:80]
        self.ana.roundtrip()


def test_no_bad_input_harms_the_server_or_another_client(start_server, path):
    server = start_server("--history", str(path), "--threads", "2")
    sweep = Sweep(server)
    for line in NO_LINES[:10]:  # to warm up
        sweep.send(line)
    before = memory_of(server)
    for name in NO_NAMES:
        peer = server.peer()
        peer.send("register", name=name, id=1)
        peer.expect_error("name_invalid", id=1)
        peer.expect_end()
        assert sweep.ana.ask("direct", to=name, text="hola")["code"] == "user_not_connected"
        assert sweep.ana.ask("info", name=name)["code"] == "user_not_connected"
        sweep.check(name)
    for name in TWINS_OF_ANA:
        peer = server.peer()
        peer.send("register", name=name)
        peer.expect_error("name_taken")
        assert sweep.ana.ask("info", name=name)["name"] == "ana"
        sweep.check(name)
    luis = server.user("luis")
    for text in NO_TEXTS:
        for request in ({"type": "say"}, {"type": "direct", "to": "luis"}):
            answer = sweep.ana.ask(request.pop("type"), text=text, **request)
            assert answer["code"] in ("text_invalid", "text_too_long"), ascii(text[:20])
        sweep.ana.ask("search", text=text)
        sweep.check(text)
    for text in TEXTS:
        assert sweep.ana.ask("say", text=text)["type"] == "ok"
        assert luis.until("message")[-1]["text"] == text
        sweep.ana.ask("search", text=text)
        sweep.check(text)
    for line in NO_LINES:
        sweep.send(line)
    assert memory_of(server) - before < 20 * 1024 * 1024
    assert [m["text"] for m in whole_history(sweep.ana) if m["from"] == "ana"] == TEXTS
    assert " ERROR fault" not in server.log()


def test_no_scrambled_conversation_harms_the_server(start_server, path):
    server = start_server("--history", str(path), "--threads", "2")
    sweep, dice = Sweep(server), random.Random(4)
    good = [
        b'{"type":"say","text":"hola","nonce":"n","id":1}\n',
        b'{"type":"direct","to":"ana","text":"hola","id":2}\n',
        b'{"type":"status","status":"OCUPADO","id":3}\n',
        b'{"type":"history","before":5,"after":1,"limit":2,"id":4}\n',
        b'{"type":"search","text":"hola","id":5}\n{"type":"users"}\n{"type":"quit"}\n',
        b'{"type":"register","name":"luis","token":"x","protocol":1,"events":"all"}\n',
    ]
    before = memory_of(server)
    for _ in range(60):
        lines = bytearray(b"".join(dice.choices(good, k=10)))
        for _ in range(dice.randrange(1, 20)):
            start = dice.randrange(len(lines))
            match dice.randrange(4):
                case 0:
                    lines[start] = dice.randrange(256)
                case 1:
                    del lines[start : start + dice.randrange(20)]
                case 2:
                    lines[start:start] = dice.randbytes(dice.randrange(8))
                case 3:
                    lines[start:start] = lines[start : start + dice.randrange(200)]
        sweep.send(bytes(lines))
    assert memory_of(server) - before < 20 * 1024 * 1024
    assert " ERROR fault" not in server.log()
