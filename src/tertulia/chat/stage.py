"""The stages of a person's stay in the chat, from entering to leaving.

The chat sets them in the face's one thread.
"""

from enum import Enum, auto


class Stage(Enum):
    """The stage of the person's stay in the chat. Each leads to the next one, or to LEFT."""

    ENTERING = auto()  # the first page of history is missing
    ENTERED = auto()
    LEFT = auto()  # the person has left, or can never return to the chat
