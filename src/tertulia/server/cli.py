"""The command `tertulia-server`: chooses what runs, and imports nothing before that."""

import itertools
import os
import sys
from collections.abc import Sequence

from tertulia.i18n import language_option, set_language
from tertulia.server.streams import open_closed_streams
from tertulia.server.supervision.channel import CHANNEL_VARIABLE


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the server until a signal ends it, or what the options ask for; return the exit status.

    0 stopped, 1 not started, failed or stopped at once, 2 usage.
    """
    open_closed_streams()
    arguments = sys.argv[1:] if arguments is None else arguments
    set_language(language_option(arguments))
    if is_to_supervise(arguments):
        from tertulia.server.supervision.parent import supervise

        return supervise()
    from tertulia.server.serving import run

    return run(arguments)


def is_to_supervise(arguments: Sequence[str]) -> bool:
    """Return whether this process is to be the parent; its child has the same arguments."""
    options = itertools.takewhile(lambda argument: argument != "--", arguments)
    return "--supervise" in options and CHANNEL_VARIABLE not in os.environ


if __name__ == "__main__":
    sys.exit(main())
