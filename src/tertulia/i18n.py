"""The texts for people in Spanish or English, with gettext; the English text is the msgid.

The language can change at any time, so call `_` where a text is shown and never at import. Any
thread may translate; only the main thread sets the language.
"""

import functools
import gettext
import io
import os
import sys
from collections.abc import Callable, Sequence

DOMAIN = "tertulia"
LANGUAGES = ("es", "en")
LOCALE_DIR = os.path.join(os.path.dirname(__file__), "locale")

_language = "en"
_translation = gettext.NullTranslations()


def set_language(lang: str | None) -> str:
    """Set `es` or `en`, otherwise the language of the environment; return the language."""
    global _language, _translation
    _language = lang if lang in LANGUAGES else _language_of_the_environment()
    _translation = _translation_into(_language)
    # argparse translates with the global domain; only this variable sets the language of that
    # domain.
    gettext.bindtextdomain(DOMAIN, LOCALE_DIR)
    gettext.textdomain(DOMAIN)
    os.environ["LANGUAGE"] = _language
    return _language


def language() -> str:
    """Return the current language, one of `LANGUAGES`."""
    return _language


@functools.cache
def translator(lang: str) -> Callable[[str], str]:
    """Return a function that translates into a language, even if another one is set. Any thread."""
    return _translation_into(lang).gettext


def _translation_into(lang: str) -> gettext.NullTranslations:
    if os.path.isdir(LOCALE_DIR) or lang == "en":
        return gettext.translation(DOMAIN, LOCALE_DIR, [lang], fallback=True)
    # An archive contains no files in the file system, so its loader reads them.
    path = os.path.join(LOCALE_DIR, lang, "LC_MESSAGES", f"{DOMAIN}.mo")
    catalogue: bytes = __loader__.get_data(path)  # type: ignore[name-defined]
    return gettext.GNUTranslations(io.BytesIO(catalogue))


def language_option(arguments: Sequence[str]) -> str | None:
    """Return the value of `--lang`, which is needed before the parser exists."""
    chosen = None
    for position, argument in enumerate(arguments):
        if argument == "--":
            break
        if argument == "--lang":
            chosen = next(iter(arguments[position + 1 : position + 2]), None)
        elif argument.startswith("--lang="):
            chosen = argument.removeprefix("--lang=")
    return chosen


def _(msgid: str) -> str:
    """Translate a text."""
    return _translation.gettext(msgid)


def pgettext(context: str, msgid: str) -> str:
    """Translate a text whose translation depends on the context."""
    return _translation.pgettext(context, msgid)


def ngettext(singular: str, plural: str, count: int) -> str:
    """Translate a text that depends on a number."""
    return _translation.ngettext(singular, plural, count)


def N_(msgid: str) -> str:  # noqa: N802 (the name that extraction tools look for)
    """Mark a text for the catalogue; `_` translates it where it is shown."""
    return msgid


def _language_of_the_environment() -> str:
    for variable in ("LANGUAGE", "LC_ALL", "LC_MESSAGES", "LANG"):
        value = os.environ.get(variable)
        if value:
            # LANGUAGE is a list; the others are a single locale. "es_GT.UTF-8" is Spanish, "est" is
            # not.
            for locale in value.split(":"):
                code = locale.replace("-", "_").partition(".")[0].partition("_")[0].lower()
                if code in LANGUAGES:
                    return code
            return "en"
    return _language_of_windows() if sys.platform == "win32" else "en"


def _language_of_windows() -> str:
    import locale  # slow to import, and needed only on Windows

    name = (locale.getlocale()[0] or "").lower()  # "Spanish_Guatemala" or "es_GT"
    return "es" if name.startswith(("spanish", "es_")) else "en"


# argparse translates these texts itself; this list only adds them to the catalogue.
ARGPARSE_WORDS = (
    N_("usage: "),
    N_("positional arguments"),
    N_("options"),
    N_("show this help message and exit"),
    N_("argument %(argument_name)s: %(message)s"),
    N_("the following arguments are required: %s"),
    N_("unrecognized arguments: %s"),
    N_("expected one argument"),
    N_("ignored explicit argument %r"),
    N_("not allowed with argument %s"),
    N_("ambiguous option: %(option)s could match %(matches)s"),
    N_("invalid choice: %(value)r (choose from %(choices)s)"),
)
