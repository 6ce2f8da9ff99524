"""The rows of the side columns, and the texts around the conversation.

Pure functions: input is the state, output is styled rows. Names from the network are made safe to
show here.
"""

from collections.abc import Container

from tertulia.chat.chat import Chat
from tertulia.chat.commands import quit_word
from tertulia.chat.display import Glyphs
from tertulia.chat.similar import plain_letters
from tertulia.i18n import _, ngettext
from tertulia.protocol.messages import Status, User
from tertulia.safetext import visible_in_a_line
from tertulia.tui.model.conversations import GENERAL, Conversation, Conversations
from tertulia.tui.painting.painter import NAME_STYLES, name_style
from tertulia.tui.painting.styled_text import Run
from tertulia.tui.widgets.rowlist import Row

STATUS_STYLES = {status: status.lower() for status in Status}
PEOPLE_STYLES = ("faint", "own", "operator", *STATUS_STYLES.values(), *NAME_STYLES)
CONVERSATION_STYLES = ("current", "unread", "calls", "draft", "faint")
_MANY = 99  # unread messages; more are shown as "99+"


def conversation_rows(conversations: Conversations) -> list[Row]:
    """Make the rows: "!" marks a mention or a direct message, "✎" an unsent text."""
    return [
        Row(conversation.name, _conversation_runs(conversation, conversations.current))
        for conversation in conversations.listed
    ]


def _conversation_runs(conversation: Conversation, current: Conversation) -> list[Run]:
    is_current = conversation is current
    sign = "▸" if is_current else ("!" if conversation.calls else " ")
    style = "current" if is_current else ("calls" if conversation.calls else "")
    if conversation.unread and not style:
        style = "unread"
    runs: list[Run] = []
    if not is_current and conversation.draft.strip() not in ("", quit_word()):
        runs.append((" ✎", "draft"))
    if conversation.unread:
        count = f"{_MANY}+" if conversation.unread > _MANY else str(conversation.unread)
        runs.append((f" ({count})", "calls" if conversation.calls else "unread"))
    return [(f"{sign} ", style), (conversation_title(conversation), style), *runs]


def conversation_title(conversation: Conversation) -> str:
    """Return the name of a conversation as it is shown."""
    if conversation.name == GENERAL:
        return _("General")
    return visible_in_a_line(conversation.name)


def people_rows(
    users: list[User],
    own_name: str,
    glyphs: Glyphs,
    *,
    wanted: str,
    known: bool,
    ignored: Container[str] = (),
) -> list[Row]:
    """Make the rows of the users whose names contain `wanted`, with their status if `known`."""
    wanted = plain_letters(wanted)
    rows = []
    for user in users:
        if wanted and wanted not in plain_letters(user.name):
            continue
        shape = glyphs.status(user.status).partition(" ")[0] if known else "?"
        runs: list[Run] = [
            (f"{shape} ", STATUS_STYLES[user.status] if known else "faint"),
            *([("★ ", "operator")] if user.operator else []),
            (visible_in_a_line(user.name), name_style(user.name)),
        ]
        marks = _marks(user, is_ignored=user.name in ignored)
        if user.name == own_name:
            runs[-1] = (runs[-1][0], "own")
            marks.append(_("(you)"))
        runs += [(f" {mark}", "faint") for mark in marks]
        if known:
            runs.append((f" {user.status}", "faint"))
        rows.append(Row(user.name, runs))
    return rows


def _marks(user: User, *, is_ignored: bool) -> list[str]:
    """Return words for the special properties of a user, such as a mute."""
    marks = {_("operator"): user.operator, _("muted"): user.muted, _("ignored"): is_ignored}
    return [mark for mark, holds in marks.items() if holds]


def people_count(count: int) -> str:
    """Return the number of people in words."""
    return ngettext("{count} person", "{count} people", count).format(count=count)


def unread_elsewhere(conversations: Conversations) -> str:
    """Return a text with the number of unread messages in other conversations; "" if none."""
    count = conversations.unread
    if not count:
        return ""
    calls = any(conversation.calls for conversation in conversations.listed)
    text = ngettext("{count} unread: F2", "{count} unread: F2", count).format(count=count)
    return f"! {text}" if calls else text


def connection_words(chat: Chat, now: float) -> str:
    """Return the state of the connection in words; `now` is monotonic."""
    if chat.connected:
        count = chat.on_their_way
        return _("connected; sending {count}…").format(count=count) if count else _("connected")
    if chat.next_attempt_at is None:
        return _("no connection; retrying…")
    seconds = max(0, round(chat.next_attempt_at - now))
    return _("no connection; retrying in {seconds} s").format(seconds=seconds)
