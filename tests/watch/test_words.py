"""The texts of the view, also for what it does not know."""

import pytest
from seen import thread

from tertulia.i18n import set_language
from tertulia.watch import words
from tertulia.watch.figures import Waiting


@pytest.mark.parametrize("what", Waiting)
def test_every_reason_to_wait_has_a_word_and_a_sentence(what):
    assert words.waiting(what) != ""
    assert words.about(thread("main", "main", 1, what)) != ""


def test_words_are_in_the_language_of_the_user():
    set_language("es")
    assert words.waiting(Waiting.QUEUE) == "cola"
    assert words.role("log") == "escribe el registro"
    assert words.process("parent") == "padre"
    assert "espera trabajo en su cola" in words.about(thread("log", "log", 1, Waiting.QUEUE))


def test_an_unknown_role_has_no_text():
    assert words.role("worker") == "reads, decides, sends"
    set_language("es")
    assert words.role("brewer") == ""


def test_an_unknown_process_has_the_name_that_the_server_gives():
    assert words.process("child") == "child"
    assert words.process("grandchild") == "grandchild"


def test_a_sentence_about_a_thread_has_its_cpu_time_in_seconds():
    known = thread("worker-1", "worker", 4713, Waiting.LOCK, cpu_s=1.256)
    assert words.about(known) == (
        "worker-1 (TID 4713, reads, decides, sends): waits for a lock, most often that of the "
        "interpreter. CPU since its start: 1.26 s."
    )
    new = thread("worker-1", "worker", 4713, Waiting.LOCK, cpu_s=0.0)
    assert words.about(new).endswith("CPU since its start: 0.00 s.")


def test_a_sentence_about_a_thread_has_question_marks_for_what_is_unknown():
    unknown = thread("brewer", "brewer", 4, Waiting.UNKNOWN, cpu_s=None)
    assert words.about(unknown) == (
        "brewer (TID 4, ?): the system does not say what it waits for. CPU since its start: ? s."
    )
