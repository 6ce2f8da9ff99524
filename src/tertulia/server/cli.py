"""The command `tertulia-server`: chooses what runs. It imports nothing before it knows what."""

import sys
from collections.abc import Sequence

from tertulia.i18n import language_option, set_language
from tertulia.server.streams import open_closed_streams


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the server until a signal ends it, or what the options ask for; return the exit status.

    0 stopped, 1 not started, failed or stopped at once, 2 usage.
    """
    open_closed_streams()
    arguments = sys.argv[1:] if arguments is None else arguments
    set_language(language_option(arguments))
    from tertulia.server.serving import run

    return run(arguments)


if __name__ == "__main__":
    sys.exit(main())
