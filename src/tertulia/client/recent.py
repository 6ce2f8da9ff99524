"""Remembers recent keys, to recognise repetitions.

Pure; the owner must hold its own lock if several threads use it.
"""

from collections import OrderedDict
from collections.abc import Hashable

from msgspec import UNSET

from tertulia.protocol.messages import DirectMessage

_MAX_RECENT = 10_000  # a key that is repeated after so many others counts as new


class Recent:
    """The latest keys, up to 10,000 of them."""

    def __init__(self) -> None:
        self._keys: OrderedDict[Hashable, None] = OrderedDict()

    def is_new(self, key: Hashable) -> bool:
        """Note a key; return whether it is not among the latest."""
        if key in self._keys:
            return False
        self._keys[key] = None
        if len(self._keys) > _MAX_RECENT:
            self._keys.popitem(last=False)
        return True


class RecentDirects(Recent):
    """The latest direct messages.

    A message can come a second time for two reasons. With the same receipt: after a take-over, if
    the server has not received the confirmation. With the same nonce: after a restart, if the
    sender has not received the answer.
    """

    def is_new_direct(self, message: DirectMessage) -> bool:
        """Note a message; return whether it was not received before."""
        if message.nonce is not UNSET:
            return self.is_new((message.sender, message.nonce))
        if message.receipt is not UNSET:
            return self.is_new((message.sender, message.receipt, message.time))
        return True
