"""Limits the guesses of secrets, such as the code of the chat.

After too many wrong guesses of one address in a period, its further guesses are refused without a
check. A comparison takes the same time for every guess. `now` is in seconds of the monotonic clock.
"""

import hashlib
import hmac
import secrets
import threading
from collections import OrderedDict, deque
from collections.abc import Callable

from msgspec import UNSET

from tertulia.protocol.codes import MAX_CODE_CHARS, fold_code
from tertulia.protocol.messages import Error, Register
from tertulia.protocol.moderation import BecomeOperator
from tertulia.server import refusals
from tertulia.server.config import Config

_MAX_ADDRESSES = 100_000  # with counted wrong guesses; at the bound the oldest is forgotten


class Guesses:
    """Counts the wrong guesses of each address, for one kind of secret. Any thread may call."""

    def __init__(self, config: Config) -> None:
        self._most = config.max_wrong_guesses
        self._window_s = config.guess_window_s
        self._lock = threading.Lock()
        self._wrong_at: OrderedDict[str, deque[float]] = OrderedDict()

    def judge(self, address: str, is_right: Callable[[], bool], now: float) -> bool | float:
        """Return whether a guess is right, or the seconds until the address may guess again.

        Guesses that come at the same moment are judged one after another.
        """
        with self._lock:
            self._forget_old(now)
            wrong_at = self._wrong_at.get(address)
            if wrong_at is not None and len(wrong_at) == self._most:
                retry_after_s = wrong_at[0] + self._window_s - now
                if retry_after_s > 0:
                    return retry_after_s
            if is_right():
                return True
            if wrong_at is None:
                wrong_at = self._wrong_at[address] = deque(maxlen=self._most)
            wrong_at.append(now)
            self._wrong_at.move_to_end(address)  # the last one is the most recent
            if len(self._wrong_at) > _MAX_ADDRESSES:
                self._wrong_at.popitem(last=False)
            return False

    def _forget_old(self, now: float) -> None:
        while self._wrong_at:
            address, wrong_at = next(iter(self._wrong_at.items()))
            if now - wrong_at[-1] < self._window_s:
                break
            del self._wrong_at[address]


class EntryCode:
    """The code that everyone needs to come in. Any thread may call."""

    def __init__(self, code: str, guesses: Guesses) -> None:
        self._digest = _digest(code)
        self._guesses = guesses

    def check(self, request: Register, address: str, now: float) -> Error | None:
        """Return the refusal of a registration without the right code."""
        is_missing = request.code is UNSET  # this does not count as a guess
        given = _digest("" if request.code is UNSET else request.code)
        verdict = self._guesses.judge(
            address, lambda: is_missing or hmac.compare_digest(given, self._digest), now
        )
        if verdict is False:
            return refusals.code_wrong(request)
        if verdict is not True:
            return refusals.guessed_too_often(request.id, verdict)
        return refusals.code_required(request) if is_missing else None


class OperatorSecret:
    """The secret that makes its user an operator. Any thread may call."""

    def __init__(self, secret: str | None, guesses: Guesses) -> None:
        """Without `secret`, every guess is wrong."""
        self._digest = _exact_digest(secrets.token_urlsafe(32) if secret is None else secret)
        self._guesses = guesses

    def check(self, request: BecomeOperator, address: str, now: float) -> Error | None:
        """Return the refusal of a request without the right secret."""
        given = _exact_digest(request.secret)
        verdict = self._guesses.judge(
            address, lambda: hmac.compare_digest(given, self._digest), now
        )
        if verdict is True:
            return None
        if verdict is False:
            return refusals.operator_wrong(request)
        return refusals.guessed_too_often(request.id, verdict)


def _exact_digest(secret: str) -> bytes:
    return hashlib.sha256(secret.strip().encode(errors="surrogatepass")).digest()


def _digest(code: str) -> bytes:
    """Return a digest to compare, which has the same length for all codes.

    A code that is far too long is cut, because folding it would take time from other clients.
    """
    folded = fold_code(code[: 2 * MAX_CODE_CHARS])
    return hashlib.sha256(folded.encode(errors="surrogatepass")).digest()
