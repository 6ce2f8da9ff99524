"""The files that the server hands out. A thread makes them ready at the first request.

Making the wheel takes a fifth of a second, and so does reading the downloaded wheels: too long for
a worker, and a waste at a start if nobody asks for them. Any thread may call.
"""

import logging
import os
import threading
from pathlib import Path
from typing import Protocol

from tertulia.server.handout.catalogue import HandedFile, in_memory, wheels_in
from tertulia.server.handout.onefile import ONE_FILE, one_file
from tertulia.server.handout.wheel import NotInstalled, own_wheel

log = logging.getLogger("tertulia.server")

WHEELS = "client"  # the directory of downloaded wheels, in the state directory

Catalogue = dict[str, HandedFile]


class Waiting(Protocol):
    """A connection that waits until the files are ready."""

    def files_ready(self) -> None:
        """Tell the connection's worker. Called by the thread that has made them ready."""


class Handout:
    """The files by name. `directory` has the downloaded wheels, if there are any."""

    def __init__(self, directory: Path | None) -> None:
        self._directory = directory
        self._lock = threading.Lock()
        self._catalogue: Catalogue | None = None
        self._stamp = 0  # stamp of the directory when its wheels were read
        self._waiting: list[Waiting] = []  # bound: the number of unregistered connections
        self._is_at_work = False

    def ready(self) -> Catalogue | None:
        """Return the files; None if they have to be made ready, or have changed."""
        with self._lock:
            return self._catalogue if self._stamp == self._current_stamp() else None

    def latest(self) -> Catalogue:
        """Return the files as they were last made ready."""
        with self._lock:
            return self._catalogue or {}

    def make_ready(self, waiting: Waiting) -> None:
        """Make the files ready, then call `waiting`. Raises RuntimeError if no thread can start."""
        with self._lock:
            self._waiting.append(waiting)
            if self._is_at_work:
                return
            self._is_at_work = True
        try:
            threading.Thread(target=self._run, name="handout", daemon=True).start()
        except RuntimeError:
            with self._lock:
                self._is_at_work = False
                self._waiting.remove(waiting)
            raise

    def _run(self) -> None:
        stamp = self._current_stamp()
        try:
            catalogue = self._find()
        except Exception:
            log.exception("nothing to hand out")
            catalogue = {}
        with self._lock:
            self._catalogue, self._stamp = catalogue, stamp
            waiting, self._waiting = self._waiting, []
            self._is_at_work = False
        for each in waiting:
            each.files_ready()

    def _find(self) -> Catalogue:
        files = [] if self._directory is None else wheels_in(self._directory)
        try:
            files.append(in_memory(*own_wheel()))
        except (NotInstalled, OSError) as error:
            log.warning("no wheel to hand out: %s", error)
        try:
            files.append(in_memory(ONE_FILE, one_file()))
        except (ImportError, OSError) as error:
            log.warning("no client as one file to hand out: %s", error)
        return {file.name: file for file in files}

    def _current_stamp(self) -> int:
        if self._directory is None:
            return 0
        try:
            return os.stat(self._directory).st_mtime_ns
        except OSError:
            return 0
