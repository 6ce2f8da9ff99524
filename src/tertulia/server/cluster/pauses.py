"""Notices when a node stops serving and when it serves again, and logs each change once.

A node serves while its own batches come back from the nats-servers. Only the link's thread runs
this.
"""

import logging

log = logging.getLogger("tertulia.server")

_SEND_AWAY_AFTER_S = 30.0  # without serving


class Pauses:
    """Remembers the latest time in which a node does not serve."""

    def __init__(self, node: str) -> None:
        self._node = node
        self._serves = False
        self._since = 0.0  # beginning of the last pause; 0: there was none
        self._is_to_send_away = False

    def note(self, serves: bool, now: float) -> bool:
        """Remember whether the node serves now, and log it if that has changed.

        Returns whether it serves again, after a pause.
        """
        if serves == self._serves:
            return False
        self._serves = serves
        if not serves:
            self._since, self._is_to_send_away = now, True
            log.warning(
                "node does not serve node=%s reason='its own batches do not come back'", self._node
            )
        elif self._since:  # the first time that a node serves is logged by its start
            log.info("node serves again node=%s pause=%.1fs", self._node, now - self._since)
            return True
        return False

    def send_away(self, now: float) -> bool:
        """Return whether the users should go to another node now; true once in a pause."""
        if self._serves or not self._is_to_send_away or now - self._since < _SEND_AWAY_AFTER_S:
            return False
        self._is_to_send_away = False
        return True
