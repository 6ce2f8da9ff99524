"""Implements `tertulia-server PORT --watch`, `--watch --json` and `--status`.

It imports Textual only for the full screen. Main thread only.
"""

import contextlib
import gc
import os
import sys
from collections.abc import Callable

import msgspec
from msgspec import UNSET

from tertulia.i18n import _, ngettext
from tertulia.jobcontrol import wait_for_foreground
from tertulia.problem_words import in_words
from tertulia.program import server_command
from tertulia.protocol.measures import ClusterMeasures
from tertulia.protocol.messages import Status
from tertulia.protocol.watching import MeasuresTaken
from tertulia.server.report_options import Report
from tertulia.state_directory import state_directory
from tertulia.tui.terminal import background
from tertulia.tui.terminal.abilities import Abilities, abilities
from tertulia.tui.terminal.background import Heard, is_dark_by
from tertulia.tui.terminal.environment import prepare_environment
from tertulia.watch import numbers
from tertulia.watch.asking import Asking, NotSeen
from tertulia.wrapping import wrapped_for

_EXIT_FINE, _EXIT_NOT_SEEN = 0, 1


def show_report(port: int, report: Report) -> int:
    """Show or print the figures of this user's server at a port; return the exit status.

    The status is 1 if no server runs there or, with `--status`, if a part of the server fails.
    """
    directory = state_directory()
    if directory is None:
        return _fail(_("there is no home directory: set XDG_STATE_HOME"))
    asking = Asking(directory, port)
    try:
        if report == "json":
            return _print_json(port, asking.look())
        if report == "status":
            return _print_status(port, asking.look())
        if not _is_full_terminal():
            text = _("the view needs a terminal: use {command} {port} --watch --json")
            return _fail(text.format(command=server_command(), port=port))
        asking.look()  # before the screen is used, because there may be no server
    except NotSeen as nothing:
        return _fail(str(nothing))
    return _show(asking, port)


def _fail(text: str) -> int:
    print(wrapped_for(sys.stderr, f"tertulia-server: {text}"), file=sys.stderr)
    return _EXIT_NOT_SEEN


def _print_json(port: int, taken: MeasuresTaken) -> int:
    whole = {"port": port, "model": taken.model, **msgspec.to_builtins(taken.measures)}
    sys.stdout.write(msgspec.json.encode(whole).decode() + "\n")
    sys.stdout.flush()
    return _EXIT_FINE


def _print_status(port: int, taken: MeasuresTaken) -> int:
    sys.stdout.write(status_line(port, taken) + "\n")
    sys.stdout.flush()
    return _EXIT_NOT_SEEN if taken.measures.problem else _EXIT_FINE


def status_line(port: int, taken: MeasuresTaken) -> str:
    """Return one line about the state of the server."""
    now = taken.measures
    users = ngettext("{count} user", "{count} users", now.sessions).format(count=now.sessions)
    counts = ", ".join(f"{now.users.get(status, 0)} {status}" for status in Status)
    threads = ngettext("{count} thread", "{count} threads", now.process.threads)
    parts = [
        _("tertulia {version} has been running on port {port} for {span}").format(
            version=now.process.version, port=port, span=numbers.span(now.process.uptime_s)
        ),
        f"{users} ({counts})" if now.sessions else users,
        threads.format(count=now.process.threads) + f" (--threads {taken.model})",
        _("CPU {share} since the start").format(
            share=numbers.share(now.process.cpu_s / max(now.process.uptime_s, 0.001))
        ),
        numbers.size(now.process.resident_bytes),
    ]
    if now.process.restarts:
        restarts = ngettext("{count} restart", "{count} restarts", now.process.restarts)
        parts.append(restarts.format(count=now.process.restarts))
    if now.history is None:
        parts.append(_("no history"))
    elif now.history.last_commit_age_s is not None:
        age = numbers.age(now.history.last_commit_age_s)
        parts.append(_("last commit {age} ago").format(age=age))
    if now.cluster is not UNSET:
        parts += _nodes(now.cluster)
    if now.problem:
        words = None if now.trouble is UNSET else in_words(now.trouble)
        parts.append(_("PROBLEM: {problem}").format(problem=words or now.problem))
    return "; ".join(parts)


def _nodes(cluster: ClusterMeasures) -> list[str]:
    text = _("node {node} serves") if cluster.serves else _("node {node} does not serve")
    up = sum(node.is_up for node in cluster.nodes)
    parts = [
        text.format(node=cluster.node),
        _("{up} of {all} nodes of the chat {chat} are up").format(
            up=up, all=len(cluster.nodes), chat=cluster.chat
        ),
    ]
    if cluster.lag:
        entries = ngettext("{count} entry behind", "{count} entries behind", cluster.lag)
        parts.append(entries.format(count=cluster.lag))
    return parts


# --- the full screen -----------------------------------------------------------------------------


def _is_full_terminal() -> bool:
    is_simple = os.environ.get("TERM", "") in ("", "dumb")
    return sys.stdin.isatty() and sys.stdout.isatty() and not is_simple


def _show(asking: Asking, port: int) -> int:
    """Show the view until the user leaves it; return the exit status."""
    terminal = abilities(os.environ)
    prepare_environment(terminal)
    stdin = sys.stdin.fileno()
    wait_for_foreground(stdin)
    gc.disable()  # until the first frame, because nothing that is imported is garbage
    with _question(terminal, stdin) as hear:
        from tertulia.tui.ending import finish
        from tertulia.tui.terminal import driver
        from tertulia.watch.app import WatchApp
        from tertulia.watch.rates import Rates

        heard = hear()
    gc.enable()
    driver.install(terminal, heard.typed)
    dark = is_dark_by(os.environ) if heard.is_dark is None else heard.is_dark
    rates = Rates(port)
    app = WatchApp(
        lambda: rates.figures(asking.look()), asking.close, port, terminal=terminal, dark=dark
    )
    # Importing has taken some time, and the user may have put the program into the background.
    wait_for_foreground(stdin)
    ending = app.run()
    return finish(ending, [])


def _question(
    terminal: Abilities, stdin: int
) -> contextlib.AbstractContextManager[Callable[[], Heard]]:
    """Ask the terminal for its background colour, if it can answer."""
    if terminal.obeys_osc:
        return background.asked(stdin)
    return contextlib.nullcontext(lambda: Heard(None, ""))
