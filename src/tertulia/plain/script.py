"""What a script asks for on the command line, and which of its lines were not carried out.

A line counts as refused whether the server refuses it or this program. Main thread only.
"""

import secrets

from msgspec import UNSET, Struct
from msgspec.json import encode
from msgspec.structs import replace

from tertulia.plain.output import Output
from tertulia.protocol.messages import Direct, Request, Say

# The code of a line that this program refuses, beside those of the server.
COMMAND_INVALID = "command_invalid"


class Script(Struct, frozen=True):
    """The options for scripts."""

    # To be said instead of the lines of stdin; the one that is None is all of stdin.
    messages: tuple[str | None, ...] | None = None
    to: str | None = None  # only this user gets the messages
    commands: bool = False  # in a pipe, a line that begins with / or @ is a command
    json: bool = False
    quiet: bool = False  # only errors go to stderr


class Refusal(Struct, tag_field="type", tag="refused", frozen=True):
    """A line that was not said, not delivered or not carried out, as `--json` writes it."""

    line: str
    code: str
    message: str


class Outcomes:
    """What becomes of each line; errors are written here."""

    def __init__(self, output: Output, *, json: bool) -> None:
        self._output = output
        self._json = json
        # Messages by their nonces. Other requests are answered in turn: one of a kind is enough.
        self._lines: dict[object, str] = {}
        self.refused = 0  # lines

    def begin(self, line: str, request: Request) -> Request:
        """Remember the line of a request; return the request as it has to be made."""
        if isinstance(request, Say | Direct):
            request = replace(request, nonce=secrets.token_urlsafe(9))
        self._lines[_key(request)] = line
        return request

    def succeed(self, request: Request) -> None:
        """Note that a request was carried out."""
        self._lines.pop(_key(request), None)

    def refuse(self, request: Request, code: str, words: str) -> None:
        """Note that a request was not carried out, and write why."""
        line = self._lines.pop(_key(request), None)
        if line is None:  # nobody typed it
            self._output.add_error(words)
        else:
            self.refuse_line(line, code, words)

    def refuse_line(self, line: str, code: str, words: str, *, is_shown: bool = True) -> None:
        """Note that a line was not carried out, and write why."""
        self.refused += 1
        if is_shown:
            self._output.add_error(words)
        if self._json:
            self._output.add_json(encode(Refusal(line, code, words)))


def _key(request: Request) -> object:
    if isinstance(request, Say | Direct) and request.nonce is not UNSET:
        return request.nonce
    return type(request)
