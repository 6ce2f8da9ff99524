"""The figures of a server that has served nobody."""

from pathlib import Path

from tertulia.protocol.measures import Measures
from tertulia.server.config import Config
from tertulia.server.server import Server


def measured(history: Path | None = None) -> Measures:
    """Return what a server measures that has just been started."""
    path = None if history is None else str(history)
    server = Server(Config(port=0, host="127.0.0.1", tls="off", web=False, history=path))
    server.start()
    try:
        return server.measure(each_worker=False)
    finally:
        server.stop()
