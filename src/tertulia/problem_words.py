"""Texts about parts of a server that do not work: English for programs, otherwise translated.

The server and its live view use this module, and it imports neither. Pure; safe in any thread.
"""

from tertulia.i18n import N_, _
from tertulia.protocol.measures import Problem, ProblemKind

_WORDS = {
    ProblemKind.ROUND: N_("{thread} has not finished a round for {seconds} s"),
    ProblemKind.MAIL: N_("{thread} has not looked at its mail for {seconds} s"),
    ProblemKind.DEADLINES: N_("{thread} has not looked at its deadlines for {seconds} s"),
    ProblemKind.HISTORY: N_("the history cannot be written: {reason}"),
    ProblemKind.WRITER: N_("the history's writer has not finished for {seconds} s"),
    ProblemKind.STOPPING: N_("this node does not serve: it is stopping"),
    ProblemKind.NO_NATS: N_("this node does not serve: it reaches no nats-server"),
    ProblemKind.QUEUE: N_("this node does not serve: {count} commands wait for a place in the log"),
    ProblemKind.BURIED: N_(
        "this node does not serve: the others have declared it dead, and its return is not "
        "confirmed yet"
    ),
    ProblemKind.STANDSTILL: N_(
        "this node does not serve: what it sends has not come back from the nats-servers for "
        "{seconds} s"
    ),
}


def in_english(problem: Problem) -> str:
    """Return a problem in one line, for programs and for a log."""
    return _fill(_WORDS[ProblemKind(problem.kind)], problem)


def in_words(problem: Problem) -> str | None:
    """Return a problem in one line in the user's language; None for an unknown problem."""
    msgid = _WORDS.get(problem.kind)  # type: ignore[call-overload]  # a str is as good
    return None if msgid is None else _fill(_(msgid), problem)


def _fill(words: str, problem: Problem) -> str:
    return words.format(
        thread=problem.thread,
        seconds=f"{problem.seconds:.0f}",
        count=problem.count,
        reason=problem.reason,
    )
