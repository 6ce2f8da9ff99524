"""The page at `/client`, with the commands that install and start this server's client. Pure.

pip reads it, too: it finds the wheels by their links.
"""

import html
from collections.abc import Callable
from typing import NamedTuple

from tertulia.i18n import translator
from tertulia.server.handout.catalogue import HandedFile
from tertulia.server.handout.handout import Catalogue
from tertulia.server.handout.onefile import ONE_FILE
from tertulia.version import __version__


class Address(NamedTuple):
    """The address at which this server was reached: the checked `Host` of the request."""

    scheme: str
    host: str  # with the port, unless it is that of the scheme
    name: str  # an IPv6 address without brackets
    port: int

    @property
    def base(self) -> str:
        """The beginning of every link."""
        return f"{self.scheme}://{self.host}/client/"


def client_page(to: Address, language: str, catalogue: Catalogue, needs_code: bool) -> str:
    """Return the page in a language."""
    _ = translator(language)
    own = next((name for name in catalogue if name.startswith("tertulia-")), None)
    parts = [
        f"<h1>tertulia {html.escape(__version__)}</h1>",
        _p(_("The client of this server for a terminal. In a browser you need none of this:")),
        f'<p><a href="/">{to.scheme}://{html.escape(to.host)}/</a></p>',
    ]
    name, code = _("NAME"), _("CODE")
    join = f"{name} {to.name} {to.port}"
    if to.scheme == "https":
        join += " --tls"
    if needs_code:
        join += f" --code {code}"
    if ONE_FILE in catalogue:
        parts += _about_one_file(_, to, join)
    if own is not None:
        parts += _about_wheel(_, to, join, own, has_others=_has_others(catalogue))
    parts += _about_files(_, catalogue)
    title = html.escape(_("The client of this server"))
    return (
        f'<!doctype html>\n<html lang="{language}">\n<head>\n<meta charset="utf-8">\n'
        f"<title>{title} – tertulia</title>\n"
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta name="color-scheme" content="light dark">\n'
        '<link rel="icon" href="/icon.svg" type="image/svg+xml">\n'
        '<link rel="stylesheet" href="/style.css">\n'
        '<link rel="stylesheet" href="/handout/handout.css">\n</head>\n<body>\n'
        '<main class="handout">\n' + "\n".join(parts) + "\n</main>\n</body>\n</html>\n"
    )


def _has_others(catalogue: Catalogue) -> bool:
    return any(name.endswith(".whl") and not name.startswith("tertulia-") for name in catalogue)


def _about_one_file(_: Callable[[str], str], to: Address, join: str) -> list[str]:
    download = _("Download the file")
    insecure = " --insecure" if to.scheme == "https" else ""
    commands = [f"curl{insecure} -O {to.base}{ONE_FILE}", f"python3 {ONE_FILE} {join}"]
    return [
        _h2(_("As one file")),
        _p(
            _(
                "It shows the chat line by line, needs only Python 3.11 or later, and runs on "
                "Linux, macOS and Windows. On Windows, type py instead of python3."
            )
        ),
        _commands(commands),
        f'<p><a href="/client/{ONE_FILE}">{html.escape(download)}</a></p>',
    ]


def _about_wheel(
    _: Callable[[str], str], to: Address, join: str, own: str, *, has_others: bool
) -> list[str]:
    trust = f" --trusted-host {to.name}"
    offline = f"{trust} --no-index --find-links {to.base} tertulia"
    online = f"{trust if to.scheme == 'https' else ''} {to.base}{own}"
    before, after = "python3 -m venv tertulia", f"tertulia/bin/tertulia {join}"
    parts = [
        _h2(_("Installed, with the full screen")),
        _p(_("It needs Linux and Python 3.11 or later.")),
    ]
    if has_others:
        text = _("Everything comes from this server; the internet is not needed:")
        parts += [_p(text), _commands([before, f"tertulia/bin/pip install{offline}", after])]
        text = _("If your system needs packages that this server does not have, use the internet:")
    else:
        text = _("pip gets the packages that it needs from the internet:")
    return [*parts, _p(text), _commands([before, f"tertulia/bin/pip install{online}", after])]


def _about_files(_: Callable[[str], str], catalogue: Catalogue) -> list[str]:
    if not catalogue:
        return [_p(_("This server has no files to hand out: its log says why."))]
    name, size = html.escape(_("File")), html.escape(_("Size"))
    rows = [_row(file) for file in sorted(catalogue.values(), key=_rank)]
    return [
        _h2(_("Files")),
        '<div class="table"><table>',
        f"<tr><th>{name}</th><th>{size}</th><th>SHA-256</th></tr>",
        *rows,
        "</table></div>",
    ]


def _rank(file: HandedFile) -> tuple[bool, str]:
    return not file.name.startswith("tertulia"), file.name


def _row(file: HandedFile) -> str:
    name = html.escape(file.name)
    link = f'<a href="/client/{name}#sha256={file.sha256}">{name}</a>'
    return (
        f"<tr><td>{link}</td><td>{file.size / 1000:.0f} kB</td>"
        f"<td><code>{file.sha256}</code></td></tr>"
    )


def _h2(text: str) -> str:
    return f"<h2>{html.escape(text, quote=False)}</h2>"


def _p(text: str) -> str:
    return f"<p>{html.escape(text, quote=False)}</p>"


def _commands(lines: list[str]) -> str:
    text = "\n".join(html.escape(line) for line in lines)
    return f'<pre tabindex="0"><code>{text}</code></pre>'
