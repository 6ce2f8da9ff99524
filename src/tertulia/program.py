"""The commands of the two programs as a person can type them: a name, or a path if necessary.

It only looks at files. Any thread may call it.
"""

import os
import shlex
import shutil
import sys
from pathlib import Path


def client_command() -> str:
    """Return the client's command in a form that works in the shell that started this program."""
    if sys.argv[0].endswith(".pyz"):
        python = "py" if sys.platform == "win32" else "python3"
        return f"{python} {shlex.quote(sys.argv[0])}"
    return _command("tertulia")


def server_command() -> str:
    """Return the server's command in a form that works in the shell that started this program."""
    return _command("tertulia-server")


def _command(name: str) -> str:
    program = Path(sys.argv[0] or name).with_name(name)
    if not os.access(program, os.X_OK):  # started with `python -m`
        program = Path(sys.executable).with_name(name)
    on_path = shutil.which(name)
    if on_path is not None and program.exists() and os.path.samefile(on_path, program):
        return name
    if not os.access(program, os.X_OK):
        return name
    return shlex.quote(str(program) if program.parent.name else f"./{program}")
