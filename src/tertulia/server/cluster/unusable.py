"""Errors for the operator: why the nats-servers cannot be used, and what to do about it.

Nothing here imports nats-py, which is installed only where there is a cluster.
"""

from tertulia.i18n import _

# nats-server; older versions can lose entries that they have acknowledged
OLDEST_SERVER = (2, 12, 5)


class ClusterUnusable(Exception):
    """The cluster cannot be used. Its text is translated: what is wrong, and what to do."""


class NotReachable(ClusterUnusable):
    """No nats-server has answered, or this one has not; that may change."""

    def __init__(self, text: str, detail: str) -> None:
        super().__init__(text)
        self.detail = detail  # the servers, with the reasons


def not_installed() -> ClusterUnusable:
    """nats-py is not installed."""
    return ClusterUnusable(
        _("a cluster needs the Python package nats-py: pip install tertulia[cluster]")
    )


def not_reachable(detail: str) -> NotReachable:
    """No server has answered."""
    text = _(
        "cannot reach any nats-server ({detail}): check the addresses in --cluster, and start "
        "nats-server there"
    )
    return NotReachable(text.format(detail=detail), detail)


def not_let_in(server: str) -> ClusterUnusable:
    """The server asks for credentials, or does not accept these."""
    return ClusterUnusable(
        _(
            "the nats-server {server} does not accept the credentials: give it those of the "
            "chat's account with --cluster-credentials FILE"
        ).format(server=server)
    )


def not_permitted(reason: str) -> ClusterUnusable:
    """The account lacks a permission."""
    return ClusterUnusable(
        _(
            "the nats-server does not permit what a node needs ({reason}): add it to the "
            "permissions of the chat's account"
        ).format(reason=reason)
    )


def not_trusted(server: str, reason: str) -> ClusterUnusable:
    """The server's certificate is not trusted."""
    return ClusterUnusable(
        _(
            "the certificate of the nats-server {server} is not trusted ({reason}): name the file "
            "of its authority in the environment variable SSL_CERT_FILE"
        ).format(server=server, reason=reason)
    )


def of_another_name(server: str) -> ClusterUnusable:
    """The server's certificate is valid, but for another name."""
    return ClusterUnusable(
        _(
            "the certificate of the nats-server {server} is not for this name: write in "
            "--cluster a name or an address that the certificate has"
        ).format(server=server)
    )


def without_tls(server: str) -> ClusterUnusable:
    """The operator asked for TLS, and the server has none."""
    return ClusterUnusable(
        _(
            "the nats-server {server} does not speak TLS: give it a certificate, or write "
            "nats:// in --cluster"
        ).format(server=server)
    )


def too_old(server: str, version: str) -> ClusterUnusable:
    """The server's version is too old."""
    return ClusterUnusable(
        _("the nats-server {server} is version {version}: update it to {oldest} or later").format(
            server=server, version=version, oldest=".".join(map(str, OLDEST_SERVER))
        )
    )


def without_jetstream() -> ClusterUnusable:
    """The server has no JetStream, which would keep the log."""
    return ClusterUnusable(
        _(
            "the nats-server has no JetStream for this account: add a jetstream section "
            "to its configuration, as in packaging/nats.conf"
        )
    )


def too_little_storage(needed_mib: int, reason: str) -> ClusterUnusable:
    """There is not enough storage for the log."""
    return ClusterUnusable(
        _(
            "the nats-servers cannot reserve {size} MiB for the chat's log ({reason}): raise "
            "max_file in their jetstream settings, or the account's limit"
        ).format(size=needed_mib, reason=reason)
    )


def too_few_servers(reason: str) -> ClusterUnusable:
    """There are not enough servers for three copies."""
    return ClusterUnusable(
        _(
            "three nats-servers are needed to keep the chat's log, and they are not there yet "
            "({reason}): start all of them"
        ).format(reason=reason)
    )


def not_one_cluster() -> ClusterUnusable:
    """The servers do not form one cluster: each would have a log of its own."""
    return ClusterUnusable(
        _(
            "the nats-servers in --cluster are not one cluster: give each of them the routes to "
            "the others, as in packaging/nats.conf"
        )
    )


def without_leader() -> ClusterUnusable:
    """JetStream has no leader, so it does not answer."""
    return ClusterUnusable(
        _(
            "the nats-servers do not answer questions about the chat's log: start most of them, "
            "and check that they reach each other"
        )
    )


def another_stream(stream: str, field: str, value: str) -> ClusterUnusable:
    """The stream was not made for a chat's log."""
    return ClusterUnusable(
        _(
            "the stream {stream} on the nats-servers is not a chat's log ({field} is {value}): "
            "choose another name with --chat, or remove that stream"
        ).format(stream=stream, field=field, value=value)
    )


def refused(reason: str) -> ClusterUnusable:
    """JetStream gives a reason that has no message of its own here."""
    return ClusterUnusable(
        _("the nats-server refuses to keep the chat's log: {reason}").format(reason=reason)
    )


def credentials_unreadable(path: str, reason: str) -> ClusterUnusable:
    """The file with the credentials cannot be used."""
    return ClusterUnusable(
        _(
            "cannot use the credentials in {path} ({reason}): it has to be a .creds file of NATS, "
            "or a user's name and a password on two lines, or a token on one"
        ).format(path=path, reason=reason)
    )
