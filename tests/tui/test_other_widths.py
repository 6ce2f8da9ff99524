"""The program's own output, shown by terminals that count the cells of characters in other ways.

Whatever a user writes stays inside of its message: the borders and the other columns stand.
"""

import contextlib
import re

import pytest
from emulator import TABLES, Emulator
from seat import ENTERED, LonelyServer, Seat

COLUMNS, ROWS = 120, 36
CLAP = "👏🏽"
ADDRESS = "https://example.org/" + "very/long/" * 20 + "end"
NAMES = ["ana", "luis", "नेहा", CLAP * 3, "zoe"]
TEXTS = [
    CLAP * 12,
    "❤️" * 20 + " love",
    "👨‍👩‍👧" * 20 + " family",
    "1️⃣2️⃣3️⃣ 🇪🇸🇬🇹 🏳️‍🌈 done",
    "हिन्दी: नमस्ते दुनिया, क्षि " * 4,
    "x" * 30 + CLAP * 30 + " ● mallory ACTIVO",
    "\u0301\u0301 \ufe0f\u200d 🏽🏽 🇪 \u3164\u1160 \u1112\u1161\u11ab",
    "x" * 58 + CLAP + "\n" + "y" * 59 + "❤️",
    f"see {ADDRESS} for more",
    "the end",
]


@pytest.mark.long
def test_nothing_that_a_user_writes_reaches_out_of_its_message_in_any_terminal() -> None:
    with contextlib.closing(LonelyServer(TEXTS, NAMES)) as server:
        seat = Seat(server.port, columns=COLUMNS, rows=ROWS)
        with contextlib.closing(seat):
            seat.see(ENTERED)
            seat.see(TEXTS[-1])
            seat.type((CLAP * 40 + "z").encode())
            seat.see("z")
            seat.type(b"\x03")
            assert seat.leave() == 0
    links = re.findall(r"\x1b\]8;id=(\w+);([^\x1b]+)\x1b\\", seat.everything)
    assert len(links) >= 3  # the address needs several lines
    assert len(set(links)) == 1
    assert links[0][1] == ADDRESS
    drawn = seat.everything.partition("\x1b[?1049l")[0]
    screens = []
    for width_of in TABLES:
        terminal = Emulator(COLUMNS, ROWS, width_of)
        terminal.write(drawn)
        screens.append([terminal.cells(row) for row in range(ROWS)])
    first = screens[0]
    borders = [x for x in range(COLUMNS) if sum(row[x] == "│" for row in first) > ROWS // 2]
    assert len(borders) == 6, "\n".join(map("".join, first))
    borders = borders[2:4]  # of the messages
    body = [y for y in range(ROWS) if first[y][borders[0]] == "│"]
    assert body == list(range(body[0], body[-1] + 1))
    for screen in screens:
        picture = "\n".join(map("".join, screen))
        assert all(screen[y][x] == "│" for y in body for x in borders), picture
        outside = "".join("".join(screen[y][: borders[0]] + screen[y][borders[1] :]) for y in body)
        assert "mallory" not in outside, picture
        assert "luis ACTIVO" in outside, picture
        assert "zoe ACTIVO" in outside, picture
        assert not set(outside) & set("❤👨🇪"), picture
