"""What `--status` says in one line, and what is not loaded for it."""

import subprocess
import sys

import pytest
from measured import clustered
from msgspec.structs import replace
from seen import taken

from tertulia.i18n import set_language
from tertulia.problem_words import in_english
from tertulia.protocol.measures import Problem, ProblemKind
from tertulia.watch.program import status_line


@pytest.mark.parametrize(
    ("lang", "line"),
    [
        (
            "en",
            "tertulia 1.2.3 has been running on port 5000 for 1:30; 6 users (5 ACTIVO, "
            "1 OCUPADO, 0 INACTIVO); 2 threads (--threads session); CPU 2.2 % since the start; "
            "50.0 MB; 2 restarts; last commit 0.5 s ago; PROBLEM: worker-1 hangs",
        ),
        (
            "es",
            "tertulia 1.2.3 funciona en el puerto 5000 desde hace 1:30; 6 usuarios (5 ACTIVO, 1 "
            "OCUPADO, 0 INACTIVO); 2 hilos (--threads session); CPU 2.2 % desde el inicio; "
            "50.0 MB; 2 reinicios; último commit hace 0.5 s; PROBLEMA: worker-1 hangs",
        ),
    ],
)
def test_the_line_says_how_the_server_is(lang, line):
    set_language(lang)
    seen = taken(total=100, model="session", parent_pid=7, problem="worker-1 hangs")
    assert status_line(5_000, seen) == line


def test_a_problem_is_said_in_the_users_language():
    problem = Problem(ProblemKind.HISTORY, reason="disk I/O error")
    seen = taken()
    measures = replace(seen.measures, problem=in_english(problem), trouble=problem)
    set_language("en")
    english = status_line(5_000, replace(seen, measures=measures))
    assert english.endswith("; PROBLEM: the history cannot be written: disk I/O error")
    set_language("es")
    spanish = status_line(5_000, replace(seen, measures=measures))
    assert spanish.endswith("; PROBLEMA: no se puede escribir el historial: disk I/O error")


def test_a_problem_that_only_a_later_version_knows_is_said_as_it_says_it():
    seen = taken()
    measures = replace(seen.measures, problem="something", trouble=Problem("later"))
    assert status_line(5_000, replace(seen, measures=measures)).endswith("PROBLEM: something")


def test_a_server_without_history_says_so():
    assert status_line(5_000, taken(history=False)).endswith("; no history")


@pytest.mark.parametrize(
    ("lang", "more", "words"),
    [
        ("en", {}, "node lab2 serves; 2 of 3 nodes of the chat tertulia are up; 3 entries behind"),
        (
            "es",
            {"serves": False, "log_end": 9_210},
            "el nodo lab2 no atiende; 2 de 3 nodos del chat tertulia en marcha",
        ),
    ],
)
def test_the_line_of_one_of_several_says_how_the_nodes_are(lang, more, words):
    set_language(lang)
    seen = taken()
    seen = replace(seen, measures=clustered(seen.measures, **more))
    assert status_line(5_000, seen).endswith("; " + words)


def test_the_server_and_a_snapshot_do_not_load_what_draws():
    code = (
        "import sys, tertulia.server.serving, tertulia.watch.program; "
        "sys.exit(bool({'textual', 'rich'} & sys.modules.keys()))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
