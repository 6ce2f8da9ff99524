"""Hands out the client over HTTP: `/client` is a page with the commands, below it are the files.

Pure, except for reading pieces of files. Only exact names from the catalogue are found.
"""

import http
from typing import NamedTuple

from websockets.datastructures import Headers

from tertulia.i18n import LANGUAGES
from tertulia.server.doors.handout_page import Address, client_page
from tertulia.server.doors.responses import response, text_response
from tertulia.server.handout.catalogue import HandedFile
from tertulia.server.handout.handout import Catalogue, Handout
from tertulia.server.workers.door import Asker, Opened

CLIENT_PATH = "/client"

_PIECE_BYTES = 128 * 1024  # read from a file at a time, for each download
_KINDS = {"whl": "application/zip", "pyz": "application/zip"}


def is_client(path: str) -> bool:
    """Return whether a path, without its query, is the page or a file of the client."""
    return path == CLIENT_PATH or path.startswith(f"{CLIENT_PATH}/")


class Wanted(NamedTuple):
    """One request for the page or a file."""

    name: str  # the name of a file; "": the page
    address: Address
    language: str
    known_etag: str
    has_body: bool  # whether more than the head is wanted
    headers: dict[str, str]  # of every answer


class ClientFiles:
    """Answers requests below `/client`."""

    def __init__(self, handout: Handout, *, needs_code: bool) -> None:
        self._handout = handout
        self._needs_code = needs_code

    def open(self, wanted: Wanted) -> Opened:
        """Answer a request; if the files are not ready yet, it waits."""
        catalogue = self._handout.ready()
        if catalogue is None:
            return Opened(later=Later(self, wanted))
        return self.answer(wanted, catalogue)

    def make_ready(self, asker: Asker, wanted: Wanted) -> None:
        """Answer a request once the files are ready."""
        try:
            self._handout.make_ready(Answering(self, asker, wanted))
        except RuntimeError:  # raised by threading
            text = "the server cannot start a thread: try again later"
            asker.answer(Opened(text_response(http.HTTPStatus.SERVICE_UNAVAILABLE, text)))

    def answer_now(self, wanted: Wanted) -> Opened:
        """Answer a request with the files that are ready."""
        return self.answer(wanted, self._handout.latest())

    def answer(self, wanted: Wanted, catalogue: Catalogue) -> Opened:
        """Answer a request."""
        if not wanted.name:
            page = client_page(wanted.address, wanted.language, catalogue, self._needs_code)
            kind = {"Content-Type": "text/html; charset=utf-8", "Content-Language": wanted.language}
            caching = {"Cache-Control": "no-cache", "Vary": "Accept-Language"}
            headers = kind | caching | wanted.headers
            status = http.HTTPStatus.OK
            return Opened(response(status, headers, page.encode(), has_body=wanted.has_body))
        file = catalogue.get(wanted.name)
        if file is None:
            text = f"there is no such file: see {CLIENT_PATH}"
            return Opened(text_response(http.HTTPStatus.NOT_FOUND, text))
        return _answer_with(file, wanted)


class Later(NamedTuple):
    """A request that has to wait for the files. See `workers.door.Later`."""

    files: ClientFiles
    wanted: Wanted

    def ask(self, asker: Asker) -> None:
        """Have the answer given to the asker."""
        self.files.make_ready(asker, self.wanted)


class Answering(NamedTuple):
    """Gives the answer to an asker that waits. See `handout.handout.Waiting`."""

    files: ClientFiles
    asker: Asker
    wanted: Wanted

    def files_ready(self) -> None:
        """Give the answer."""
        self.asker.answer(self.files.answer_now(self.wanted))


class FileSource:
    """The content of a file, piece by piece. See `workers.door.Source`."""

    __slots__ = ("_file", "_offset")

    def __init__(self, file: HandedFile) -> None:
        self._file = file
        self._offset = 0

    def next_piece(self) -> bytes:
        """Return the next piece; b"" at the end. Raises OSError."""
        wanted = min(_PIECE_BYTES, self._file.size - self._offset)
        piece = self._file.read(self._offset, wanted)
        if len(piece) < wanted:
            raise FileNotFoundError(f"{self._file.name} has become shorter")
        self._offset += len(piece)
        return piece


def preferred_language(headers: Headers) -> str:
    """Return the available language that a browser prefers; English if there is none."""
    best, best_weight = "en", 0.0
    for part in ",".join(headers.get_all("Accept-Language")).split(",")[:50]:
        tag, _semicolon, weight = part.strip().partition(";")
        language = tag.strip().partition("-")[0].lower()
        if language not in LANGUAGES:
            continue
        try:
            number = float(weight.strip().removeprefix("q=")) if weight else 1.0
        except ValueError:
            continue
        if number > best_weight:
            best, best_weight = language, number
    return best


def _answer_with(file: HandedFile, wanted: Wanted) -> Opened:
    etag = f'"{file.sha256[:24]}"'
    caching = {"ETag": etag, "Cache-Control": "no-cache"}
    if etag in wanted.known_etag:
        return Opened(response(http.HTTPStatus.NOT_MODIFIED, caching, None))
    headers = {
        "Content-Type": _KINDS[file.name.rpartition(".")[2]],
        "Content-Length": str(file.size),
        "Content-Disposition": f'attachment; filename="{file.name}"',
        **caching,
        **wanted.headers,
    }
    answer = response(http.HTTPStatus.OK, headers, None)
    return Opened(answer, source=FileSource(file) if wanted.has_body else None)
