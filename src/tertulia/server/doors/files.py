"""The files of the page, read once at the start and served from memory."""

import hashlib
import json
import re
import string
from collections.abc import Callable
from importlib import resources

import rcssmin  # type: ignore[import-untyped]
import rjsmin  # type: ignore[import-untyped]
from msgspec import Struct
from msgspec.structs import replace

_TYPES = {
    "css": "text/css; charset=utf-8",
    "html": "text/html; charset=utf-8",
    "js": "text/javascript; charset=utf-8",
    "json": "application/json",
    "png": "image/png",
    "svg": "image/svg+xml",
}

# The directories with files that only some visits need.
_PARTS = ("dialogs", "order", "operator", "tried", "nodes", "handout")
_PRIVATE_NAME = re.compile(r"\.#(\w+)")
_LEADING_ZERO = re.compile(rb"(?<![\w.])0(?=\.\d)")
# Needed only after a loop without a body, which the page does not have.
_LAST_SEMICOLON = re.compile(r";(?=\})")
_WITH_SIGN = re.compile(r"""(?<!["'`])#(\w+)""")


def _minify_js(source: bytes) -> bytes:
    """Remove comments, indentation and needless signs, and shorten the private names of a module.

    Private names are the module's own. A string that begins with their sign is not a name.
    """
    text: str = _LAST_SEMICOLON.sub("", rjsmin.jsmin(source.decode()))
    short = {
        name: "#" + string.ascii_letters[number]
        for number, name in enumerate(dict.fromkeys(_PRIVATE_NAME.findall(text)))
    }
    return _WITH_SIGN.sub(lambda found: short.get(found[1], found[0]), text).encode()


def _minify_css(source: bytes) -> bytes:
    """Remove comments and indentation, and the zero of `0.5rem`."""
    minified: bytes = rcssmin.cssmin(source)
    return _LEADING_ZERO.sub(b"", minified)


# Comments and indentation, which only readers of the source need, are a third of it.
_MINIFIERS: dict[str, Callable[[bytes], bytes]] = {
    "css": _minify_css,
    "html": lambda source: b"\n".join(filter(None, map(bytes.strip, source.split(b"\n")))),
    "js": _minify_js,
    "json": lambda source: json.dumps(
        json.loads(source), ensure_ascii=False, separators=(",", ":")
    ).encode(),
}


class File(Struct, frozen=True):
    """A file that is served; `etag` changes with its content.

    `preloads` is the Link header of the page. It names the modules, so that the browser asks for
    all of them at once and does not find them one by one.
    """

    kind: str  # for Content-Type
    body: bytes
    etag: str
    preloads: str = ""


def file_of(kind: str, body: bytes) -> File:
    """Return a file with the etag of its content."""
    return File(kind, body, f'"{hashlib.blake2b(body, digest_size=12).hexdigest()}"')


def read_page() -> dict[str, File]:
    """Return the files of the page by their paths: `/index.html`, which is also `/`, and others.

    Each visit loads all of them.
    """
    files = _read_directory("")
    modules = sorted(path for path in files if path.endswith(".js"))
    page = replace(
        files["/index.html"],
        preloads=", ".join(f"<{module}>; rel=modulepreload" for module in modules),
    )
    return files | {"/": page, "/index.html": page}


def read_parts() -> dict[str, File]:
    """Return the files that the page loads only when it needs them, by their paths."""
    return {path: file for part in _PARTS for path, file in _read_directory(part).items()}


def _read_directory(name: str) -> dict[str, File]:
    files = {}
    directory = resources.files("tertulia").joinpath("web").joinpath(name)
    for entry in directory.iterdir():
        kind = _TYPES.get(entry.name.rpartition(".")[2])
        if kind is not None:
            body = entry.read_bytes()
            minify = _MINIFIERS.get(entry.name.rpartition(".")[2])
            if minify is not None:
                body = minify(body)
            files[f"/{name}/{entry.name}" if name else f"/{entry.name}"] = file_of(kind, body)
    return files
