"""The code that `--code auto` makes. It is kept over restarts, so that users can come back."""

import logging

from tertulia.protocol.codes import fold_code
from tertulia.state_directory import state_directory, write_private
from tertulia.words import random_words

log = logging.getLogger("tertulia.server")

_WORDS = 3  # 33 bits; the guesses of an address are limited


def automatic_code(port: int) -> str:
    """Return the code of this port, which is kept in a file; a new one for port 0.

    A file that cannot be read or written is logged. The code then holds until the server ends.
    """
    directory = state_directory()
    path = None if directory is None or port == 0 else directory / f"code-{port}"
    new = "-".join(random_words(_WORDS))
    if path is None:
        return new
    try:
        kept = path.read_text(encoding="utf-8").strip()
        if fold_code(kept):
            return kept
    except FileNotFoundError:
        pass  # the first start
    except (OSError, UnicodeDecodeError) as error:
        log.warning("code not read, a new one made error=%s path=%s", error, path)
    try:
        write_private(path, f"{new}\n".encode())
    except OSError as error:
        log.warning("code not kept error=%s path=%s", error, path)
    return new
