"""Starts the full screen for the command line's destination, and returns an exit status.

It imports Textual only after the connection has begun. Runs on the main thread.
"""

import contextlib
import gc
import os
import sys
from collections.abc import Callable
from functools import partial

from tertulia.chat.credentials import Credentials
from tertulia.chat.destination import Destination
from tertulia.chat.settings import Loaded
from tertulia.chat.trust import Trust
from tertulia.jobcontrol import wait_for_foreground
from tertulia.tui.connecting import begin_connecting
from tertulia.tui.ending import finish
from tertulia.tui.terminal import background
from tertulia.tui.terminal.abilities import Abilities, abilities
from tertulia.tui.terminal.background import Heard, is_dark_by
from tertulia.tui.terminal.clipboard import can_copy
from tertulia.tui.terminal.environment import prepare_environment


def run(
    to: Destination,
    credentials: Credentials,
    trust: Trust,
    loaded: Loaded,
    *,
    wait_s: float,
    takes_free_name: bool,
) -> int:
    """Chat until the end, print the farewell on the normal screen, and return the exit status."""
    wait_for_foreground(sys.stdin.fileno())
    gc.disable()  # until the first frame, because nothing that is imported is garbage
    connecting = begin_connecting(
        to, credentials, trust, wait_s=wait_s, takes_free_name=takes_free_name
    )
    terminal = abilities(os.environ)
    prepare_environment(terminal)

    with _question(terminal, loaded) as hear:
        from tertulia.tui.app import ChatApp
        from tertulia.tui.terminal import driver

        heard = hear()
    driver.install(terminal, heard.typed)
    dark = is_dark_by(os.environ) if heard.is_dark is None else heard.is_dark
    app = ChatApp(
        connecting,
        loaded,
        terminal=terminal,
        dark=dark,
        has_clipboard=partial(can_copy, os.environ),
    )
    # Importing has taken some time, and the user may have put the program into the background.
    wait_for_foreground(sys.stdin.fileno())
    ending = app.run()
    return finish(ending, app.farewell())


def _question(
    terminal: Abilities, loaded: Loaded
) -> contextlib.AbstractContextManager[Callable[[], Heard]]:
    """Ask the terminal for its background colour, unless the user has chosen the colours."""
    if loaded.settings.theme == "auto" and terminal.obeys_osc:
        return background.asked(sys.stdin.fileno())
    return contextlib.nullcontext(lambda: Heard(None, ""))
