"""Runs a program as a system without Unix would: python -S -I other_system.py PROGRAM ARGUMENT...

What Windows lacks is taken away: modules, signals, `poll`, and a `select` that takes other files
than sockets. Nothing that is installed beside Python is found.
"""

import os
import runpy
import select
import signal
import socket
import stat
import subprocess  # noqa: F401 (it would take what follows for Windows)
import sys
import types

for name in ("termios", "fcntl", "resource", "pwd", "grp", "tty", "pty", "readline", "curses"):
    sys.modules[name] = None
locks = types.ModuleType("msvcrt")
locks.LK_LOCK, locks.locking = 1, lambda *_arguments: None
sys.modules["msvcrt"] = locks
for module, names in {
    select: ("poll", "epoll"),
    signal: ("SIGTSTP", "SIGHUP", "SIGCONT", "SIGTTOU", "SIGWINCH", "SIGQUIT", "pthread_sigmask"),
    os: ("tcgetpgrp", "getpgrp", "killpg", "fpathconf", "fork"),
    socket: ("EAI_ADDRFAMILY", "EAI_NODATA"),
}.items():
    for name in names:
        delattr(module, name)

_select = select.select


def select_sockets(readers, writers, others, timeout=None):
    """Wait for sockets, and for nothing else."""
    for file in [*readers, *writers, *others]:
        number = file if isinstance(file, int) else file.fileno()
        assert stat.S_ISSOCK(os.fstat(number).st_mode), "select takes only sockets"
    return _select(readers, writers, others, timeout)


select.select = select_sockets
sys.argv = sys.argv[1:]
runpy.run_path(sys.argv[0], run_name="__main__")
