"""A server that says it is one of several nodes: node_server.py NODE,NODE PORT [options].

The first NODE is this one. Without a cluster the nodes share nothing: what a client does at the
next one can be seen, but not what it finds there.
"""

import sys

from tertulia.server import cli
from tertulia.server.hub.hub import Hub
from tertulia.server.server import Server

nodes = sys.argv.pop(1).split(",")
make = Hub.__init__


def make_node(self: Hub, *arguments: object, **options: object) -> None:
    make(self, *arguments, **options)  # type: ignore[arg-type]
    self.nodes = lambda: nodes


Hub.__init__ = make_node  # type: ignore[method-assign,assignment]
Server._nodes = lambda _self: nodes  # type: ignore[method-assign,assignment]
sys.exit(cli.main())
