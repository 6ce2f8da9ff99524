"""What the answer to a request waits for."""

from enum import Enum, auto


class Wait(Enum):
    """What the answer to a request waits for."""

    FOR_DISK = auto()  # the keeper acknowledges the receipt
    FOR_SPACE = auto()  # nothing is done yet: try again once the keeper's queue has space
    FOR_ORDER = auto()  # on several machines: for its place in the common order
    FOR_MESSAGE = auto()  # nothing is done yet: a message has to be found in the history
