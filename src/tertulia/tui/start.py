"""From the command line's destination to the full screen, and to an exit status.

It imports Textual only once the connection has begun.
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
    """Chat until the end, say goodbye on the normal screen, and return the exit status."""
    wait_for_foreground(sys.stdin.fileno())
    gc.disable()  # until the first frame: nothing that is imported is garbage
    connecting = begin_connecting(
        to, credentials, trust, wait_s=wait_s, takes_free_name=takes_free_name
    )
    terminal = abilities(os.environ)
    prepare_environment(terminal)

    with _question(terminal, loaded) as hear:
        from tertulia.tui.app import ChatApp
        from tertulia.tui.terminal import textual_private

        heard = hear()
    textual_private.install(terminal, heard.typed)
    dark = is_dark_by(os.environ) if heard.is_dark is None else heard.is_dark
    app = ChatApp(
        connecting,
        loaded,
        terminal=terminal,
        dark=dark,
        has_clipboard=partial(can_copy, os.environ),
    )
    wait_for_foreground(sys.stdin.fileno())  # importing has taken its time
    ending = app.run()
    return finish(ending, app.farewell())


def _question(
    terminal: Abilities, loaded: Loaded
) -> contextlib.AbstractContextManager[Callable[[], Heard]]:
    """Ask the terminal for its background, unless the user has chosen the colours."""
    if loaded.settings.theme == "auto" and terminal.obeys_osc:
        return background.asked(sys.stdin.fileno())
    return contextlib.nullcontext(lambda: Heard(None, ""))
