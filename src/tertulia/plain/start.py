"""Start the plain face: connect, chat on a terminal or on pipes, and return the exit status."""

import signal
import sys
from contextlib import closing
from functools import partial

from tertulia.chat import explain
from tertulia.chat.chat import EXIT_NO_CONNECTION, EXIT_REFUSED, connect_face
from tertulia.chat.choices import Choices
from tertulia.chat.destination import Destination
from tertulia.chat.settings import Loaded
from tertulia.client.errors import NoConnection, RegistrationRefused
from tertulia.client.reconnect import Reconnector
from tertulia.i18n import _
from tertulia.plain.face import PlainFace
from tertulia.plain.output import Output
from tertulia.plain.wakeup import Wakeup
from tertulia.protocol.lines import encode


def run(to: Destination, loaded: Loaded, *, json: bool) -> int:
    """Connect, chat until the end, and return the exit status."""
    output = Output(sys.stdout, sys.stderr, json=json)
    on_terminal = sys.stdin.isatty() and sys.stdout.isatty()
    if loaded.problem:
        output.add_notice(loaded.problem)
    if on_terminal:
        text = _("Connecting to {host}, port {port}…")
        output.add_notice(text.format(host=to.host, port=to.port))
        output.flush()
    with closing(Wakeup()) as wakeup:
        connect = partial(connect_face, to, wakeup.wake)
        try:
            client = connect()
        except NoConnection as failure:
            output.add_notice(explain.no_connection(failure, to))
            return EXIT_NO_CONNECTION
        except RegistrationRefused as refusal:
            if json:
                output.add_json(encode(refusal.error)[:-1])
            output.add_notice(explain.registration_refused(refusal.error, to))
            return EXIT_REFUSED
        finally:
            output.flush()
        reconnector = Reconnector(connect, wakeup.wake)
        face = PlainFace(
            client,
            output,
            to,
            reconnector,
            Choices(loaded.settings),
            json=json,
            on_terminal=on_terminal,
        )
        try:
            ended_by = _chat(face, output, wakeup, on_terminal)
            status = face.finish()
        finally:
            face.chat.close()
        output.flush()
    if ended_by is not None:
        # The parent process can see in this way that a signal ended the program.
        signal.signal(ended_by, signal.SIG_DFL)
        signal.raise_signal(ended_by)
    return status


def _chat(
    face: PlainFace, output: Output, wakeup: Wakeup, on_terminal: bool
) -> signal.Signals | None:
    """Chat until the end; return the signal that ended it, if one did."""
    try:
        if on_terminal:
            from tertulia.plain import terminal  # not needed for pipes, and slow to import

            return terminal.run(face, output, wakeup)
        from tertulia.plain import piped

        piped.run(face, output, wakeup)
    except KeyboardInterrupt:
        return signal.SIGINT
    return None
