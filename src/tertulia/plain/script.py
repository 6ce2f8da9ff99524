"""The options for scripts on the command line, and the lines that were not carried out.

A line counts as refused if the server or this program refuses it. Main thread only.
"""

import secrets

from msgspec import UNSET, Struct
from msgspec.json import encode
from msgspec.structs import replace

from tertulia.plain.output import Output
from tertulia.protocol.messages import Direct, Request, Say

# The code of a line that this program refuses, in addition to those of the server.
COMMAND_INVALID = "command_invalid"


class Script(Struct, frozen=True):
    """The options for scripts."""

    # The messages to send instead of the lines of stdin; None stands for all of stdin.
    messages: tuple[str | None, ...] | None = None
    to: str | None = None  # if set, only this user gets the messages
    commands: bool = False  # in a pipe, a line that begins with / or @ is a command
    json: bool = False
    quiet: bool = False  # only errors are written to stderr


class Refusal(Struct, tag_field="type", tag="refused", frozen=True):
    """A line that was not sent, not delivered or not carried out, as `--json` writes it."""

    line: str
    code: str
    message: str


class Outcomes:
    """The outcome of each line; errors are written here."""

    def __init__(self, output: Output, *, json: bool) -> None:
        self._output = output
        self._json = json
        # Messages by their nonces. Other requests are answered in order, so one of each kind is
        # enough.
        self._lines: dict[object, str] = {}
        self.refused = 0  # the number of lines

    def begin(self, line: str, request: Request) -> Request:
        """Remember the line of a request; return the request to send."""
        if isinstance(request, Say | Direct):
            request = replace(request, nonce=secrets.token_urlsafe(9))
        self._lines[_key(request)] = line
        return request

    def succeed(self, request: Request) -> None:
        """Note that a request was carried out."""
        self._lines.pop(_key(request), None)

    def refuse(self, request: Request, code: str, words: str) -> None:
        """Note that a request was not carried out, and write the reason."""
        line = self._lines.pop(_key(request), None)
        if line is None:  # the person did not type it
            self._output.add_error(words)
        else:
            self.refuse_line(line, code, words)

    def refuse_line(self, line: str, code: str, words: str, *, is_shown: bool = True) -> None:
        """Note that a line was not carried out, and write the reason."""
        self.refused += 1
        if is_shown:
            self._output.add_error(words)
        if self._json:
            self._output.add_json(encode(Refusal(line, code, words)))


def _key(request: Request) -> object:
    if isinstance(request, Say | Direct) and request.nonce is not UNSET:
        return request.nonce
    return type(request)
