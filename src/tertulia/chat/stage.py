"""How far the person is in the chat."""

from enum import Enum, auto


class Stage(Enum):
    """How far the person is in the chat. Each stage leads to the next one, or to LEFT."""

    ENTERING = auto()  # the first page of history is missing
    ENTERED = auto()
    LEFT = auto()  # the person has left, or there is no way back into the chat
