"""A worker's mailbox: mail, mostly from other threads, and one wake-up if the worker sleeps."""

import os
import threading
import time

from tertulia.server.workers.mail import Mail


class Mailbox:
    """Mail for one worker.

    Any thread may `post`, `nudge` and ask for the length; the other methods are the worker's own.
    The queue is bounded by its senders: a connection waits for one delivery, challenge or page at a
    time, the history acknowledges only what its queue had space for, and the Admission bounds the
    connections. What concerns direct messages is bounded by the queues of their receivers.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._mail: list[Mail] = []
        self._asleep = False
        self._closed = False
        self._announced_at = 0.0
        # When the first of the events came in that other workers announced before the last
        # `collect`; 0.0: none did. Only the worker uses it.
        self.news_since = 0.0
        self.waiting_since = 0.0  # when the oldest mail was posted; meaningless without mail
        self._eventfd = os.eventfd(0, os.EFD_CLOEXEC | os.EFD_NONBLOCK)

    def fileno(self) -> int:
        """Return the descriptor that becomes readable when the worker has to wake up."""
        return self._eventfd

    def post(self, mail: Mail, /) -> bool:
        """Queue a message for the worker; return False if the worker has ended."""
        with self._lock:
            if self._closed:
                return False
            if not self._mail:
                self.waiting_since = time.monotonic()
            self._mail.append(mail)
            self._wake()
            return True

    def nudge(self, since: float) -> None:
        """Wake the worker, if it sleeps, for new events, which came in at `since`."""
        with self._lock:
            if not self._announced_at:
                self._announced_at = since
            self._wake()

    def collect(self) -> list[Mail]:
        """Return all mail, and mark the worker awake."""
        with self._lock:
            self._asleep = False
            mail, self._mail = self._mail, []
            self.news_since, self._announced_at = self._announced_at, 0.0
        return mail

    def __len__(self) -> int:
        """Return the number of messages that wait. Any thread, without the lock."""
        return len(self._mail)

    def fall_asleep(self) -> bool:
        """Mark the worker asleep, unless there is mail.

        From now on, other threads send a wake-up with what they bring. After this call the worker
        has to look once more for events that were published before it.
        """
        with self._lock:
            self._asleep = not self._mail
            return self._asleep

    def clear_wake_up(self) -> None:
        """Reset the descriptor after a wake-up."""
        os.eventfd_read(self._eventfd)

    def close(self) -> list[Mail]:
        """Free the descriptor, accept no more mail, and return what was not collected."""
        with self._lock:
            self._closed = True
            self._asleep = False
            os.close(self._eventfd)
            return self._mail

    def _wake(self) -> None:
        # Under the lock: otherwise the descriptor might be closed, or even belong to another file.
        if self._asleep:
            self._asleep = False
            os.eventfd_write(self._eventfd, 1)


class Mailboxes:
    """The mailboxes of all workers. Any thread may call."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._all: tuple[Mailbox, ...] = ()  # replaced, so that it can be read without the lock

    def add(self, mailbox: Mailbox) -> None:
        """Add a new worker's mailbox."""
        with self._lock:
            self._all = (*self._all, mailbox)

    def remove(self, mailbox: Mailbox) -> None:
        """Remove the mailbox of a worker that has ended."""
        with self._lock:
            self._all = tuple(one for one in self._all if one is not mailbox)

    def announce(self, publisher: Mailbox | None, since: float) -> None:
        """Wake the other workers, if they sleep, for new events, which came in at `since`."""
        for mailbox in self._all:
            if mailbox is not publisher:
                mailbox.nudge(since)

    def post(self, mail: Mail) -> None:
        """Post mail to all workers."""
        for mailbox in self._all:
            mailbox.post(mail)
