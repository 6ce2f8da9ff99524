"""Names the sender of a message: a person, or a program through a hook.

Pure; safe in any thread. Names are safe to show.
"""

from tertulia.i18n import _
from tertulia.safetext import visible_in_a_line


def speaker_words(name: str, *, hook: bool = False) -> str:
    """Return a name as it is shown before a message; a hook's name is marked as one."""
    shown = visible_in_a_line(name)
    return _("{name} (hook)").format(name=shown) if hook else shown
