"""What PERDURE_ALLOW_HOSTS admits beyond the public web: hosts, addresses and networks, each on any port or on one.

Entries: `intranet`, `intranet:8080`, `10.1.2.3`, `10.1.2.3:8080`, `10.0.0.0/8`, `::1`, `[::1]:8080`, `fd00::/8`.
"""

import re
from dataclasses import dataclass, field
from functools import lru_cache
from ipaddress import IPv4Network, IPv6Network, ip_network

from services.errors import Misconfigured
from services.network import addresses
from services.network.addresses import Address

_HOST_AND_PORT = re.compile(r"(?P<host>\[[0-9a-fA-F:.]+\]|[\w.-]+)(?::(?P<port>\d{1,5}))?")
_Network = IPv4Network | IPv6Network


@dataclass(frozen=True)
class AllowList:
    """Admitted (name, port) and (network, port) pairs; a port of None stands for every port."""

    names: frozenset[tuple[str, int | None]] = frozenset()
    networks: tuple[tuple[_Network, int | None], ...] = field(default=())

    def admits_name(self, host: str, port: int) -> bool:
        """Whether this host is admitted by name, wherever it resolves to."""
        name = host.lower().rstrip(".")
        return (name, None) in self.names or (name, port) in self.names

    def admits_address(self, address: Address, port: int) -> bool:
        """Whether this address is admitted on this port."""
        return any(address in network and only in {None, port} for network, only in self.networks)


@lru_cache(maxsize=8)
def parse(entries: tuple[str, ...]) -> AllowList:
    """The allow list of these entries. Raises Misconfigured that names the entry that makes no sense."""
    names: set[tuple[str, int | None]] = set()
    networks: list[tuple[_Network, int | None]] = []
    for entry in entries:
        network = _network(entry)
        match = _HOST_AND_PORT.fullmatch(entry)
        if network:
            networks.append((network, None))
        elif match:
            host, port = match["host"], int(match["port"]) if match["port"] else None
            network = _network(host.strip("[]"))
            if network:
                networks.append((network, port))
            else:
                names.add((host.lower().rstrip("."), port))
        else:
            raise Misconfigured(
                f"PERDURE_ALLOW_HOSTS has the entry {entry!r}; write a host, host:port, IP address or network in CIDR."
            )
    return AllowList(frozenset(names), tuple(networks))


def _network(text: str) -> _Network | None:
    try:
        return ip_network(addresses.parse(text)) if "/" not in text else ip_network(text, strict=False)
    except ValueError:
        return None
