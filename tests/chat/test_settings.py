"""The settings file: reading it, saving choices, and what happens when it is damaged."""

from pathlib import Path

import msgspec
import pytest

from tertulia.chat import settings
from tertulia.chat.settings import Settings, SettingsError


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    return tmp_path / "tertulia" / "settings.toml"


def written(file: Path, text: str) -> Path:
    file.parent.mkdir()
    file.write_text(text, encoding="utf-8")
    return file


def test_without_a_file_the_settings_are_the_defaults(file: Path) -> None:
    assert settings.load() == settings.Loaded(Settings())
    assert not file.exists()


def test_what_was_saved_is_read(file: Path) -> None:
    settings.save(theme="light")
    settings.save(notify="off", notify_at=True)
    assert settings.load().settings == Settings(theme="light", notify="off", notify_at=True)


def test_saving_keeps_comments_and_unknown_keys(file: Path) -> None:
    written(file, '# mine\ntheme = "dark" # at night\nfuture = 1\n')
    settings.save(theme="light")
    assert file.read_text() == '# mine\ntheme = "light" # at night\nfuture = 1\n'


def test_saving_writes_through_a_link_and_keeps_its_mode(file: Path, tmp_path: Path) -> None:
    real = tmp_path / "dotfiles.toml"
    real.write_text("")
    real.chmod(0o640)
    file.parent.mkdir()
    file.symlink_to(real)
    settings.save(plain=True)
    assert file.is_symlink()
    assert real.read_text() == "plain = true\n"
    assert real.stat().st_mode & 0o777 == 0o640
    assert sorted(path.name for path in tmp_path.iterdir()) == ["dotfiles.toml", "tertulia"]


def test_a_wrong_value_spoils_only_itself(file: Path) -> None:
    written(file, 'theme = "pink"\nplain = 1\nlanguage = "es"\n')
    loaded = settings.load()
    assert loaded.settings == Settings(language="es")
    first, second = loaded.problem.splitlines()
    assert "“theme” must be one of these: auto, dark, light" in first
    assert "“plain” must be one of these: true, false" in second
    assert str(file) in first


@pytest.mark.parametrize("damage", [b"theme = ", b"\xff\xfe", b"[[[\n"])
def test_a_damaged_file_gives_defaults_and_is_never_overwritten(file: Path, damage: bytes) -> None:
    file.parent.mkdir()
    file.write_bytes(damage)
    loaded = settings.load()
    assert loaded.settings == Settings()
    assert str(file) in loaded.problem
    with pytest.raises(SettingsError, match="will not be remembered"):
        settings.save(theme="dark")
    assert file.read_bytes() == damage


def test_a_place_that_cannot_be_written_is_named(file: Path) -> None:
    file.parent.write_text("a file where the directory should be")
    with pytest.raises(SettingsError, match=r"settings\.toml could not be written"):
        settings.save(theme="dark")


def test_without_a_home_directory_choices_hold_for_the_run(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(settings, "settings_file", lambda: None)
    assert settings.load() == settings.Loaded(Settings())
    with pytest.raises(SettingsError, match="no home directory"):
        settings.save(theme="dark")


def test_only_values_that_can_be_read_again_are_saved(file: Path) -> None:
    with pytest.raises(msgspec.ValidationError):
        settings.save(theme="pink")
    assert not file.exists()
