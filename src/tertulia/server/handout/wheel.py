"""Makes the wheel of the installed version from its files. Pure, except for reading them.

The same files give the same bytes, whether they come from a wheel or an editable checkout.
"""

import base64
import hashlib
import io
import zipfile
from collections.abc import Iterator
from importlib import metadata, resources
from importlib.resources.abc import Traversable

_PACKAGE = "tertulia"
_WHEEL = """\
Wheel-Version: 1.0
Generator: tertulia
Root-Is-Purelib: true
Tag: py3-none-any
"""
_NO_DATE = (1980, 1, 1, 0, 0, 0)


class NotInstalled(Exception):
    """The program runs from files that no installer has installed."""


def own_wheel() -> tuple[str, bytes]:
    """Return the name and the content of the wheel. Raises NotInstalled and OSError."""
    try:
        distribution = metadata.distribution(_PACKAGE)
    except metadata.PackageNotFoundError as error:
        raise NotInstalled("no installer knows tertulia") from error
    about = f"{_PACKAGE}-{distribution.version}.dist-info"
    files = dict(package_files())
    for name in ("METADATA", "entry_points.txt"):
        text = distribution.read_text(name)
        if text is None:
            raise NotInstalled(f"there is no {name}")
        files[f"{about}/{name}"] = text.encode()
    for path in distribution.files or ():
        if path.parent.name == "licenses":
            files[f"{about}/licenses/{path.name}"] = path.read_binary()
    files[f"{about}/WHEEL"] = _WHEEL.encode()
    record = "".join(f"{name},{_hash(body)},{len(body)}\n" for name, body in sorted(files.items()))
    files[f"{about}/RECORD"] = f"{record}{about}/RECORD,,\n".encode()
    return f"{_PACKAGE}-{distribution.version}-py3-none-any.whl", zipped(files)


def package_files() -> Iterator[tuple[str, bytes]]:
    """Return all files of the package with their paths, except compiled ones."""
    yield from files_in(resources.files(_PACKAGE), _PACKAGE)


def zipped(files: dict[str, bytes], before: bytes = b"") -> bytes:
    """Return an archive of files without dates, and without information about this computer.

    `before` are bytes in front of it, such as a shell's first line.
    """
    archive = io.BytesIO()
    archive.write(before)
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as zip_file:
        for name, body in sorted(files.items()):
            entry = zipfile.ZipInfo(name, _NO_DATE)
            entry.external_attr = 0o644 << 16
            entry.create_system = 3  # Unix, whichever system makes it
            zip_file.writestr(entry, body, zipfile.ZIP_DEFLATED)
    return archive.getvalue()


def files_in(directory: Traversable, path: str) -> Iterator[tuple[str, bytes]]:
    """Return the files of a directory, with paths that begin with `path`."""
    for entry in directory.iterdir():
        if entry.is_dir():
            if entry.name != "__pycache__":
                yield from files_in(entry, f"{path}/{entry.name}")
        elif not entry.name.endswith((".pyc", ".pyo")):
            yield f"{path}/{entry.name}", entry.read_bytes()


def _hash(body: bytes) -> str:
    digest = base64.urlsafe_b64encode(hashlib.sha256(body).digest()).decode().rstrip("=")
    return f"sha256={digest}"
