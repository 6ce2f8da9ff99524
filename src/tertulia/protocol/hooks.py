"""The messages about hooks: secret addresses at which programs can post messages.

Only operators may ask. `read_notice` reads what a program posts.
"""

import msgspec
from msgspec import UNSET, Struct, UnsetType

from tertulia.protocol.envelope import AnswerMessage, RequestMessage

HOOK_PATH = "/hook/"  # and then the secret


class CreateHook(RequestMessage, tag="hook", kw_only=True, frozen=True):
    name: str


class ListHooks(RequestMessage, tag="hooks", kw_only=True, frozen=True):
    pass


class RemoveHook(RequestMessage, tag="unhook", kw_only=True, frozen=True):
    name: str


class HookCreated(AnswerMessage, tag="hook", kw_only=True, frozen=True):
    """The only message that contains the secret: the server keeps only its hash."""

    name: str
    secret: str
    path: str


class HookRow(Struct, kw_only=True, frozen=True, gc=False, omit_defaults=True):
    """A hook. `used` is when something was last said through it, since the server's start."""

    name: str
    by: str
    time: str
    used: str | UnsetType = UNSET


class HookList(AnswerMessage, tag="hooks", kw_only=True, frozen=True):
    hooks: list[HookRow]


class BadNotice(ValueError):
    """The posted data is not a notice; the text of the error says in English why."""


class _Notice(Struct):
    text: str


def read_notice(body: bytes, *, is_json: bool) -> str:
    """Return the text that was posted: plain, or `text` of a JSON object. Raises BadNotice.

    Without `is_json`, as `curl -d` sends it, JSON is told by its form. The newlines at the end of
    a plain text do not belong to it.
    """
    try:
        plain = body.decode()
    except UnicodeDecodeError:
        raise BadNotice("the text is not UTF-8") from None
    try:
        return msgspec.json.decode(body, type=_Notice).text
    except (msgspec.DecodeError, RecursionError) as error:
        if is_json:
            raise BadNotice(f"a JSON object with 'text' is needed: {error}") from None
    return plain.replace("\r\n", "\n").rstrip("\n")
