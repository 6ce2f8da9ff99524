"""`tertulia-server --export FILE`: the whole history as JSON lines, a message at a time."""

import sqlite3
import sys
from pathlib import Path

from tertulia.i18n import _
from tertulia.protocol.lines import encode_stored
from tertulia.server.store import MessageReader

_QUERY_TIMEOUT_S = 3_600.0


def export(history: Path, to: str) -> int:
    """Write every message of a history to a file, or with `-` to stdout; return the exit status."""
    try:
        with MessageReader(history, _QUERY_TIMEOUT_S) as reader:
            if to == "-":
                for message in reader.all_messages():
                    sys.stdout.buffer.write(encode_stored(message))
                sys.stdout.flush()
            else:
                with open(to, "wb") as file:
                    file.writelines(encode_stored(message) for message in reader.all_messages())
    except (OSError, sqlite3.Error) as error:
        reason = _("cannot export {history} to {file}: {error}")
        text = reason.format(history=history, file=to, error=error)
        print(f"tertulia-server: {text}", file=sys.stderr)
        return 1
    return 0
