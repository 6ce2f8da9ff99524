"""The user's settings for every run: `settings.toml` in the configuration directory.

The file belongs to the user: saving changes only the named settings, and keeps comments and unknown
keys. Reading never fails: an invalid value is replaced by its default, and `problem` explains why.
For one thread; both functions read the disk, and `save` writes it.
"""

import os
from pathlib import Path
from typing import Any, Literal

import msgspec
from msgspec.structs import FieldInfo, fields, replace

from tertulia.i18n import _


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """The settings; the fields have the same names in the file."""

    language: Literal["auto", "es", "en"] = "auto"  # auto: the language of the environment
    theme: Literal["auto", "dark", "light"] = "auto"  # auto: the colours of the terminal
    notify: Literal["off", "mentions", "all"] = "mentions"
    notify_terminal: bool = False  # also ask the terminal for a notification
    notify_at: bool = False  # only “@name” is a mention, not the bare name
    notify_statuses: bool = False  # show changes of status as lines in the chat
    plain: bool = False  # use the line-by-line face, as with --plain


class Loaded(msgspec.Struct, frozen=True):
    """The settings, and a text about the errors in the file; empty if there are none."""

    settings: Settings
    problem: str = ""


class SettingsError(Exception):
    """The settings cannot be saved; the text explains why. The change holds for this run."""


def settings_file() -> Path | None:
    """Return the path of the file, which need not exist; None without a home directory."""
    import platformdirs

    try:
        directory = platformdirs.user_config_path("tertulia", appauthor=False)
    except RuntimeError:
        return None
    # Some versions return "~/…" if there is no home directory.
    return directory / "settings.toml" if directory.is_absolute() else None


def load() -> Loaded:
    """Read the settings."""
    path = settings_file()
    try:
        text = "" if path is None else path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return Loaded(Settings())
    except (OSError, UnicodeDecodeError) as error:
        return Loaded(Settings(), _not_read(path, error))
    if not text.strip():
        return Loaded(Settings())
    import tomllib  # slow to import and not always needed

    try:
        found = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        return Loaded(Settings(), _not_read(path, error))
    settings, problems = Settings(), []
    for field in fields(Settings):
        if field.name in found:
            try:
                value = msgspec.convert(found[field.name], field.type)
                settings = replace(settings, **{field.name: value})
            except msgspec.ValidationError:
                problems.append(_wrong_value(path, field))
    return Loaded(settings, "\n".join(problems))


def save(**changes: Any) -> None:
    """Change settings in the file; a value must be one that its field allows.

    The file is replaced in one step, so after a crash it is either the old or the new one. Raises
    SettingsError; the file is then unchanged.
    """
    msgspec.convert(changes, Settings)
    path = settings_file()
    if path is None:
        raise SettingsError(_("The choice will not be remembered: there is no home directory."))
    path = path.resolve()  # a symbolic link remains a link
    import tomlkit  # slow to import and seldom needed
    from tomlkit.exceptions import TOMLKitError

    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        text = path.read_text(encoding="utf-8") if path.exists() else ""
        document = tomlkit.parse(text)
        document.update(changes)
        _replace(path, tomlkit.dumps(document))
    except (OSError, UnicodeDecodeError, TOMLKitError) as error:
        text = _("The choice will not be remembered: {file} could not be written ({reason}).")
        raise SettingsError(text.format(file=path, reason=_reason(error))) from error


def _replace(path: Path, text: str) -> None:
    import tempfile  # slow to import and seldom needed

    descriptor, name = tempfile.mkstemp(prefix=path.name, dir=path.parent)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        if path.exists():
            os.chmod(name, path.stat().st_mode & 0o777)
        os.replace(name, path)
    except BaseException:
        os.unlink(name)
        raise


def _not_read(path: Path | None, error: Exception) -> str:
    text = _("The settings in {file} could not be read ({reason}).")
    return text.format(file=path, reason=_reason(error))


def _wrong_value(path: Path | None, field: FieldInfo) -> str:
    choices = field.type.__args__ if hasattr(field.type, "__args__") else ("true", "false")
    text = _("In {file}, “{setting}” must be one of these: {choices}. It was ignored.")
    return text.format(file=path, setting=field.name, choices=", ".join(choices))


def _reason(error: Exception) -> str:
    return (error.strerror or str(error)) if isinstance(error, OSError) else str(error)
