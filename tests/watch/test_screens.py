"""The view is as it was when it was found good: in both languages and three sizes.

`UPDATE_SCREENS=1` stores the screens again.
"""

import os
from pathlib import Path

import pytest
from seen import figures
from view import shown_on_a_screen, view_of

from tertulia.i18n import set_language

SCREENS = Path(__file__).parent / "screens"
SIZES = ((120, 36), (80, 24), (60, 20))


@pytest.mark.parametrize("lang", ["en", "es"])
@shown_on_a_screen
async def test_the_view_looks_as_it_was_found_good(lang):
    set_language(lang)
    busy = figures(parent=True)
    async with view_of(lambda: busy) as view:
        for width, height in SIZES:
            await view.pilot.resize_terminal(width, height)
            await view.look()
            path = SCREENS / f"busy.{lang}.{width}x{height}.txt"
            if os.environ.get("UPDATE_SCREENS"):
                path.write_text(view.shown)
            assert view.shown == path.read_text()
            assert max(map(len, view.rows)) <= width
            assert len(view.rows) == height
