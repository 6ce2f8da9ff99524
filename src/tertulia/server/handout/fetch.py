"""`--fetch-client`: downloads the packages of the client once, for computers without the internet.

pip does that, with its own settings, for the system of this computer. A failed download leaves the
earlier files unchanged. It runs in one thread, which waits for pip.
"""

import contextlib
import importlib.util
import os
import re
import shutil
import subprocess
import sys
import tempfile
from importlib import metadata
from pathlib import Path

from tertulia.i18n import _
from tertulia.server.handout.catalogue import wheels_in
from tertulia.wrapping import wrapped_for

_TEMPORARY = "client.new-"
_PIP_OPTIONS = ("--quiet", "--disable-pip-version-check", "--no-input", "--retries", "1")


def fetch_client(directory: Path | None) -> int:
    """Download what the client needs into a directory; return the exit status."""
    if directory is None:
        return _fail(_("there is no home directory: set XDG_STATE_HOME"))
    if importlib.util.find_spec("pip") is None:
        return _fail(_("this Python has no pip, which downloads the packages: install it first"))
    try:
        wanted = [name for name in metadata.requires("tertulia") or () if "extra ==" not in name]
    except metadata.PackageNotFoundError:
        return _fail(_("tertulia is not installed, so the packages that it needs are unknown"))
    try:
        directory.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        for left_over in directory.parent.glob(f"{_TEMPORARY}*"):  # from an interrupted run
            shutil.rmtree(left_over, ignore_errors=True)
        with tempfile.TemporaryDirectory(prefix=_TEMPORARY, dir=directory.parent) as temporary:
            problem = _download(wanted, Path(temporary))
            if problem:
                return _fail(problem)
            _replace(directory, Path(temporary))
            _give_to_owner(directory)
    except OSError as error:
        text = _("cannot write to {directory}: {reason}")
        return _fail(text.format(directory=directory, reason=error.strerror or error))
    wheels = wheels_in(directory)
    size = sum(wheel.size for wheel in wheels) / 1e6
    text = _("The packages of the client are in {directory}: {count} files, {size} MB.")
    text = text.format(directory=directory, count=len(wheels), size=f"{size:.1f}")
    more = _("Servers on this computer now hand them out, even if they already run: see /client.")
    sys.stdout.write(wrapped_for(sys.stdout, f"{text} {more}") + "\n")
    return 0


def _download(wanted: list[str], directory: Path) -> str:
    """Download wheels of the versions that are installed here; return what went wrong."""
    constraints = directory / "constraints.txt"
    constraints.write_text(
        "".join(f"{each.name}=={each.version}\n" for each in metadata.distributions())
    )
    command = [sys.executable, "-m", "pip", "download", *_PIP_OPTIONS]
    command += ["--only-binary", ":all:", "--constraint", str(constraints)]
    done = subprocess.run(
        [*command, "--dest", str(directory), *wanted],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        encoding="utf-8",
        errors="backslashreplace",
        env=os.environ | {"PIP_DEFAULT_TIMEOUT": os.environ.get("PIP_DEFAULT_TIMEOUT", "15")},
        check=False,
    )
    constraints.unlink()
    if done.returncode == 0:
        return ""
    errors = re.findall(r"^ERROR: (.+)$", done.stderr, re.MULTILINE) or done.stderr.split("\n")[-2:]
    text = _("the packages could not be downloaded, so nothing has changed. pip says: {reason}")
    text = text.format(reason=errors[0].strip() if errors else done.returncode)
    return text + " " + _("Is this computer connected to the internet?")


def _replace(directory: Path, new: Path) -> None:
    """Move the new files into the directory; remove other versions. Raises OSError."""
    directory.mkdir(mode=0o700, exist_ok=True)
    wheels = list(new.glob("*.whl"))
    for wheel in wheels:
        os.replace(wheel, directory / wheel.name)
    for old in {each.name for each in directory.glob("*.whl")} - {each.name for each in wheels}:
        with contextlib.suppress(FileNotFoundError):
            (directory / old).unlink()


def _give_to_owner(directory: Path) -> None:
    """Give files that root has downloaded to the user of the service. Raises OSError."""
    if os.geteuid() == 0:
        owner = os.stat(directory.parent)
        for path in (directory, *directory.iterdir()):
            os.chown(path, owner.st_uid, owner.st_gid)


def _fail(problem: str) -> int:
    sys.stderr.write(wrapped_for(sys.stderr, f"tertulia-server: {problem}") + "\n")
    return 1
