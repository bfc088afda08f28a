"""Who is at the other end, when a proxy stands between.

Whoever sends a request can write any header into it. So nothing is believed but `X-Forwarded-For`
and `X-Forwarded-Proto`, and these only from a peer that the operator has named (TRUSTED_PROXIES).
`Forwarded` (RFC 7239), `X-Real-IP` and `X-Forwarded-Host` are not read at all: a proxy that sets
one of the two above may hand on a stranger's version of those.
"""

from collections.abc import Sequence
from ipaddress import (
    IPv4Address,
    IPv4Network,
    IPv6Address,
    IPv6Network,
    ip_address,
    ip_network,
)
from typing import Any, Final, TypeAlias

Address: TypeAlias = IPv4Address | IPv6Address
Networks: TypeAlias = Sequence[IPv4Network | IPv6Network]

_FOR: Final = "HTTP_X_FORWARDED_FOR"
_PROTO: Final = "HTTP_X_FORWARDED_PROTO"
_ONE_CUSTOMER: Final = 64


def believe_trusted_proxies(headers: dict[str, Any], trusted: Networks) -> None:
    """Before anything reads them: in a request's META, REMOTE_ADDR becomes the client's address,
    and `X-Forwarded-Proto` stays only where it says `https` and comes from a trusted proxy."""
    peer = read_address(headers.get("REMOTE_ADDR") or "")
    forwarded_for, scheme = headers.pop(_FOR, ""), headers.pop(_PROTO, "")
    if peer is None or not _is_in(peer, trusted):
        return
    headers["REMOTE_ADDR"] = str(_client(peer, forwarded_for, trusted))
    if scheme == "https":
        headers[_PROTO] = scheme


def read_address(text: str) -> Address | None:
    """None over a Unix socket, where the peer has no address, and for what is none. An IPv4 client
    of a socket for both is the same client as over IPv4."""
    try:
        address = ip_address(text.strip())
    except ValueError:
        return None
    if isinstance(address, IPv4Address):
        return address
    # A zone may be any text.
    return None if address.scope_id else address.ipv4_mapped or address


def source_of(address: str | None) -> str:
    """Whom a limit by source counts together."""
    known = read_address(address or "")
    if isinstance(known, IPv6Address):
        return str(ip_network((known, _ONE_CUSTOMER), strict=False))
    return str(known or "unknown")


def _client(peer: Address, forwarded_for: str, trusted: Networks) -> Address:
    """From the right, for each proxy adds what it saw at the end: the first address that is not
    one of our own. What stands left of it, its sender may have made up."""
    for entry in reversed(forwarded_for.split(",")):
        address = read_address(entry)
        if address is None:
            return peer
        if not _is_in(address, trusted):
            return address
    return peer


def _is_in(address: Address, networks: Networks) -> bool:
    return any(address in network for network in networks)
