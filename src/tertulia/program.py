"""The client's command as a person can type it: `tertulia` if the shell finds it, else its path.

It only looks at files. Any thread may call it.
"""

import os
import shlex
import shutil
import sys
from pathlib import Path


def client_command() -> str:
    """Return the client's command as it works in the shell that started this program."""
    program = Path(sys.argv[0] or "tertulia")
    client = program.with_name("tertulia")
    if not os.access(client, os.X_OK):  # started with `python -m`
        client = Path(sys.executable).with_name("tertulia")
    on_path = shutil.which("tertulia")
    if on_path is not None and client.exists() and os.path.samefile(on_path, client):
        return "tertulia"
    if not os.access(client, os.X_OK):
        return "tertulia"
    return shlex.quote(str(client) if client.parent.name else f"./{client}")
