"""The files of the page, read once at the start and served from memory."""

import hashlib
from importlib import resources

from msgspec import Struct

_TYPES = {
    "css": "text/css; charset=utf-8",
    "html": "text/html; charset=utf-8",
    "js": "text/javascript; charset=utf-8",
    "json": "application/json",
    "png": "image/png",
    "svg": "image/svg+xml",
}


class File(Struct, frozen=True):
    """A file as it is served; `etag` changes with its content."""

    kind: str  # for Content-Type
    body: bytes
    etag: str


def read_page() -> dict[str, File]:
    """Return the files of the page by their paths: `/index.html`, which is also `/`, and others."""
    files = {}
    for entry in resources.files("tertulia").joinpath("web").iterdir():
        kind = _TYPES.get(entry.name.rpartition(".")[2])
        if kind is not None:
            body = entry.read_bytes()
            if entry.name.endswith((".css", ".html", ".js")):
                body = _without_comments(body)
            etag = f'"{hashlib.blake2b(body, digest_size=12).hexdigest()}"'
            files["/" + entry.name] = File(kind, body, etag)
    if "/index.html" in files:
        files["/"] = files["/index.html"]
    return files


def _without_comments(source: bytes) -> bytes:
    """Leave out what only readers of the source need: comments that fill lines, and indentation."""
    kept = []
    in_comment = False
    for line in map(bytes.strip, source.split(b"\n")):
        in_comment = in_comment or line.startswith(b"/*")
        if line and not in_comment and not line.startswith(b"//"):
            kept.append(line)
        in_comment = in_comment and b"*/" not in line
    return b"\n".join(kept) + b"\n"
