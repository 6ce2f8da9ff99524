"""The client as one file: an archive that any Python from 3.11 on runs without installing it.

It contains the line-by-line face, the modules that it needs, and packages in plain Python.
`tertulia.standin` replaces msgspec, which is compiled. The same files give the same bytes.
"""

import importlib.util
import re
from importlib import resources

from tertulia.server.handout.wheel import files_in, package_files, zipped

_PARTS = re.compile(
    r"tertulia/(\w+\.(py|txt)|words\.LICENSE\.txt|(chat|client|plain|protocol|standin|tls)/.+"
    r"|locale/.+\.mo)"
)
_PACKAGES = ("platformdirs", "tomlkit")  # each in plain Python
_SHEBANG = b"#!/usr/bin/env python3\n"
_MAIN = """\
import sys

if sys.version_info < (3, 11):
    sys.exit("tertulia needs Python 3.11 or later. / tertulia necesita Python 3.11 o posterior.")

from tertulia.onefile import main

sys.exit(main())
"""
# The parts of msgspec that the client imports, made of the stand-in's modules.
_MSGSPEC = {
    "__init__": """\
from tertulia.standin import json, structs
from tertulia.standin.converting import DecodeError, MsgspecError, ValidationError, convert
from tertulia.standin.structs import NODEFAULT, UNSET, Meta, Struct, UnsetType, field
""",
    "json": "from tertulia.standin.json import Decoder, Encoder, decode, encode, format\n",
    "structs": "from tertulia.standin.structs import FieldInfo, asdict, fields, replace\n",
}

ONE_FILE = "tertulia.pyz"


def one_file() -> bytes:
    """Return the archive. Raises OSError, and ImportError if a package is missing."""
    files = {name: body for name, body in package_files() if _PARTS.fullmatch(name)}
    for package in _PACKAGES:
        if importlib.util.find_spec(package) is None:
            raise ImportError(f"{package} is missing")
        files |= dict(files_in(resources.files(package), package))
    files |= {f"msgspec/{name}.py": text.encode() for name, text in _MSGSPEC.items()}
    files["__main__.py"] = _MAIN.encode()
    return zipped(files, before=_SHEBANG)
