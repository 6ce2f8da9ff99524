"""The nodes of a chat with several servers: figures in, styled rows out.

No I/O. A single server has no such rows. Runs on the event loop's thread.
"""

from collections.abc import Sequence
from typing import NamedTuple

from tertulia.i18n import _
from tertulia.protocol.measures import ClusterMeasures, NodeMeasures
from tertulia.tui.painting.styled_text import Run
from tertulia.watch import numbers
from tertulia.watch.figures import ClusterFigures

Rows = list[list[Run]]

_MANY_BEHIND = 1_000  # entries
_LATE_S = 5.0  # since its last own entry came back; then a node does not serve
_MAX_NAME_CELLS = 24
_PLACE_CELLS, _AGE_CELLS = 10, 8


class _Pair(NamedTuple):
    label: str
    figure: str
    is_bad: bool = False


def title(cluster: ClusterMeasures) -> str:
    """Return the title above the rows."""
    up = sum(node.is_up for node in cluster.nodes)
    return _("Nodes of the chat {chat}: {up} of {all} up").format(
        chat=cluster.chat, up=up, all=len(cluster.nodes)
    )


def rows(figures: ClusterFigures, width: int, *, is_short: bool) -> Rows:
    """Return a row for each node, and as many rows as necessary with this node's own figures.

    On a short screen the first of these rows is above the nodes, and there is no heading.
    """
    own = _flow(_own_figures(figures), width)
    nodes = _table(figures.now, width)
    if is_short:
        return [own[0], *nodes[1:], *own[1:]]
    return [*nodes, *own]


# --- the nodes -----------------------------------------------------------------------------------


def _table(cluster: ClusterMeasures, width: int) -> Rows:
    names = [_name_of(node, cluster) for node in cluster.nodes]
    states = [_state_of(node, cluster) for node in cluster.nodes]
    name_cells = min(_MAX_NAME_CELLS, max(map(len, [*names, _("node")])))
    state_cells = max(map(len, [*states, _("state")]))
    sign_cells = max(_AGE_CELLS, len(_("last sign")))
    place_cells = max(_PLACE_CELLS, len(_("up at entry")))
    heading = "  " + "  ".join(
        (
            _("node").ljust(name_cells),
            _("state").ljust(state_cells),
            _("last sign").rjust(sign_cells),
            _("up at entry").rjust(place_cells),
            _("addresses"),
        )
    )
    found: Rows = [[(heading[:width], "faint")]]
    for node, name, state in zip(cluster.nodes, names, states, strict=True):
        is_own = node.name == cluster.node
        is_well = cluster.serves if is_own else node.is_up
        sign = numbers.age(node.silent_s) if node.is_up else "–"
        place = str(node.incarnation) if node.is_up else "–"
        figures = f"  {sign:>{sign_cells}}  {place:>{place_cells}}  "
        colour = "status-activo" if is_well else "warning"
        found.append(
            [
                ("● " if node.is_up else "○ ", colour),
                (f"{name[:name_cells]:<{name_cells}}  ", "label"),
                (f"{state:<{state_cells}}", "figure" if is_well else "warning"),
                (figures, "figure"),
                (", ".join(node.addresses), "faint"),
            ]
        )
    return found


def _name_of(node: NodeMeasures, cluster: ClusterMeasures) -> str:
    if node.name != cluster.node:
        return node.name
    return _("{node} (this one)").format(node=node.name)


def _state_of(node: NodeMeasures, cluster: ClusterMeasures) -> str:
    if not node.is_up:
        return _("down")
    if node.name != cluster.node:
        return _("runs")
    return _("serves") if cluster.serves else _("does not serve")


# --- the own figures -----------------------------------------------------------------------------


def _own_figures(figures: ClusterFigures) -> list[_Pair]:
    now = figures.now
    ignored = [numbers.count(now.ignored.get(name, 0)) for name in ("again", "early", "fenced")]
    link = numbers.count(now.connects) if now.is_connected else _("none")
    missing = now.missing.get("messages", 0) + now.missing.get("visits", 0)
    differ = f"{numbers.count(now.diverged)}/{numbers.count(now.digests_compared)}"
    letters = f"{numbers.count(now.letters_sent)}/{numbers.count(now.letters_received)}"
    return [
        _Pair(_("entry"), str(now.place)),
        _Pair(_("behind"), numbers.count(now.lag), now.lag > _MANY_BEHIND),
        _Pair(
            _("own entry"),
            _ago(now.own_word_age_s),
            now.own_word_age_s is None or now.own_word_age_s >= _LATE_S,
        ),
        _Pair(_("entries/s"), numbers.rate(figures.entries)),
        _Pair(_("commands/s"), numbers.rate(figures.commands)),
        _Pair(_("queued"), numbers.count(now.queued)),
        _Pair(_("under way"), numbers.count(now.under_way)),
        _Pair(_("sent again"), numbers.count(now.resent)),
        _Pair(_("states that differ"), differ, now.diverged > 0),
        _Pair(_("history lacks"), numbers.count(missing), missing > 0),
        _Pair(_("ignored: again, early, fenced"), "/".join(ignored)),
        _Pair(_("unreadable"), numbers.count(now.unreadable), now.unreadable > 0),
        _Pair(_("links to NATS"), link, not now.is_connected),
        _Pair(_("consumers"), numbers.count(now.consumers)),
        _Pair(_("stalls"), numbers.count(now.stalls)),
        _Pair(_("holes"), numbers.count(now.holes)),
        _Pair(_("states sent, fetched"), f"{now.snapshots_sent}/{now.snapshots_fetched}"),
        _Pair(_("letters out, in"), letters),
        _Pair(_("direct on the way"), numbers.count(now.directs_on_the_way)),
    ]


def _ago(seconds: float | None) -> str:
    if seconds is None:
        return numbers.UNKNOWN
    return _("{age} ago").format(age=numbers.age(seconds))


def _flow(pairs: Sequence[_Pair], width: int) -> Rows:
    """Return pairs of words and figures in as few rows as possible."""
    found: Rows = [[]]
    taken = 0
    for label, figure, is_bad in pairs:
        cells = len(label) + 1 + len(figure)
        if taken and taken + 2 + cells > width:
            found.append([])
            taken = 0
        gap = "  " if taken else ""
        found[-1] += [(f"{gap}{label} ", "faint"), (figure, "warning" if is_bad else "figure")]
        taken += len(gap) + cells
    return found
