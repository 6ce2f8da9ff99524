"""Problems of a server in words: English for programs, the user's language for people."""

import pytest

from tertulia.i18n import set_language
from tertulia.problem_words import in_english, in_words
from tertulia.protocol.measures import Problem, ProblemKind

UNWRITTEN = Problem(kind=ProblemKind.HISTORY, reason="disk full")


def test_a_program_gets_english_and_a_person_the_language_of_the_user() -> None:
    assert in_english(UNWRITTEN) == in_words(UNWRITTEN)
    set_language("es")
    assert in_english(UNWRITTEN) == "the history cannot be written: disk full"
    assert in_words(UNWRITTEN) == "no se puede escribir el historial: disk full"


@pytest.mark.parametrize("kind", ProblemKind)
def test_every_problem_has_words_with_the_same_details_in_both_languages(
    kind: ProblemKind,
) -> None:
    problem = Problem(kind, thread="worker-1", seconds=7.3, count=12_345, reason="disk full")
    english = in_english(problem)
    set_language("es")
    spanish = in_words(problem)
    assert spanish
    assert spanish != english
    details = ("worker-1", "7 s", "12345", "disk full")
    assert [one in spanish for one in details] == [one in english for one in details]
    assert "{" not in english + spanish


def test_seconds_are_whole() -> None:
    late = Problem(kind=ProblemKind.ROUND, thread="worker-1", seconds=12.6)
    assert in_english(late) == "worker-1 has not finished a round for 13 s"


def test_a_problem_of_a_newer_server_has_no_words() -> None:
    newer = Problem(kind="overheated")
    assert in_words(newer) is None
    with pytest.raises(ValueError, match="overheated"):
        in_english(newer)
