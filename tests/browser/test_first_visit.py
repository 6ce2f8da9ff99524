"""The first visit costs little: few bytes, nothing from elsewhere, no chain of requests."""

from pathlib import Path
from urllib.parse import urlsplit

import tertulia

WEB = Path(tertulia.__file__).parent / "web"
MAX_BYTES = 120 * 1024


def test_it_is_small_and_all_from_this_server(room):
    page = room.visit()
    assert page.evaluate("window.isSecureContext") is False
    loaded = page.evaluate(
        "[location.href, ...performance.getEntriesByType('resource').map((one) => one.name)]"
    )
    assert {urlsplit(url).netloc for url in loaded} == {f"chat.test:{room.server.port}"}
    bodies = page.evaluate(
        "(urls) => Promise.all(urls.map(async (url) => (await (await fetch(url)).blob()).size))",
        sorted(set(loaded)),
    )
    assert sum(bodies) <= MAX_BYTES, dict(zip(sorted(set(loaded)), bodies, strict=True))


def test_every_module_is_asked_for_before_the_first_one_has_come(room):
    page = room.visit()
    started = page.evaluate(
        "performance.getEntriesByType('resource')"
        ".filter(({ name }) => name.endsWith('.js'))"
        ".sort((one, other) => one.startTime - other.startTime)"
        ".map(({ name }) => name)"
    )
    names = [urlsplit(url).path.lstrip("/") for url in started]
    modules = sorted(path.name for path in WEB.glob("*.js"))
    assert sorted(names) == modules
    # Only the header can name one before the first module of the page.
    assert names.index("main.js") > 0
    link = page.evaluate("fetch('/').then(({ headers }) => headers.get('Link'))")
    assert link == ", ".join(f"</{name}>; rel=modulepreload" for name in modules)
