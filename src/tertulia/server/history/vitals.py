"""The state of the history's writer. Only the writer's thread changes it; any may read it."""

import time

from tertulia.server.latencies import Histogram


class Vitals:
    """The writer's counters, and the problem that keeps it from writing, if any."""

    def __init__(self, problem: Exception | None) -> None:
        self.problem = str(problem or "")  # why nothing can be written; "": it can
        self.commits = Histogram()  # of those that succeeded
        self.failed_commits = 0
        self.stored = 0  # messages
        self.last_commit_at: float | None = None  # by the monotonic clock
        self.busy_since = 0.0  # when the writer began with its work; 0.0 while it waits

    def on_stored(self, messages: int, began: float) -> None:
        """Note a commit that has succeeded."""
        self.last_commit_at = time.monotonic()
        self.commits.note(self.last_commit_at - began)
        self.stored += messages
        self.problem = ""

    def on_failed(self, error: Exception) -> None:
        """Note a commit that has failed."""
        self.failed_commits += 1
        self.problem = str(error)
