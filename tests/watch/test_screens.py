"""The view is as it was when it was found good: in both languages and three sizes.

`UPDATE_SCREENS=1` stores the screens again.
"""

import os
from pathlib import Path

import pytest
from measured import cluster_of_three
from seen import figures
from view import shown_on_a_screen, view_of

from tertulia.i18n import set_language
from tertulia.watch.figures import ClusterFigures

SCREENS = Path(__file__).parent / "screens"
SIZES = ((120, 36), (80, 24), (60, 20))


@pytest.mark.long
@pytest.mark.parametrize("lang", ["en", "es"])
@shown_on_a_screen
async def test_the_view_looks_as_it_was_found_good(lang):
    set_language(lang)
    await check_screens("busy", lang, figures(parent=True))


@pytest.mark.long
@pytest.mark.parametrize("lang", ["en", "es"])
@shown_on_a_screen
async def test_the_view_of_a_node_looks_as_it_was_found_good(lang):
    set_language(lang)
    cluster = ClusterFigures(cluster_of_three(), 104.0, 52.0)
    await check_screens("nodes", lang, figures(cluster=cluster))


async def check_screens(name, lang, seen):
    """Compare the screens of all sizes with those that are stored, or store them."""
    async with view_of(lambda: seen) as view:
        for width, height in SIZES:
            await view.pilot.resize_terminal(width, height)
            await view.look()
            path = SCREENS / f"{name}.{lang}.{width}x{height}.txt"
            if os.environ.get("UPDATE_SCREENS"):
                path.write_text(view.shown)
            assert view.shown == path.read_text()
            assert max(map(len, view.rows)) <= width
            assert len(view.rows) == height
