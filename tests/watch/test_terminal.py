"""The view itself on a terminal of its own, with a server that is killed and started again."""

import contextlib
from typing import Any

import pytest
from seat import ENTERED, TERTULIA, Seat

SERVER = str(TERTULIA.with_name("tertulia-server"))


@pytest.mark.long
def test_the_view_outlives_its_server_and_leaves_the_terminal_as_it_was(
    persistent_server: Any,
) -> None:
    port = persistent_server.port
    seat = Seat(port, command=[SERVER, str(port), "--watch"])
    with contextlib.closing(seat):
        seat.see(ENTERED)
        seat.see("worker-1")
        persistent_server.kill()
        seat.see("trying again")
        persistent_server.start()
        seat.see("serving for")
        assert seat.leave(b"q", farewell="") == 0
