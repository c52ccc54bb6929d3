"""Which IP addresses network tools never reach unless allow-listed. Used by the guarded connections."""

from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address, ip_network

Address = IPv4Address | IPv6Address

# What `is_global` calls global, or did in some supported Python, though it leads inside or nowhere (IANA's
# special-purpose address registries, RFC 6890 and later; 168.63.129.16 is the host agent of Azure's machines).
_DENIED = {
    ip_network(network): what
    for network, what in {
        "0.0.0.0/8": "an unspecified",
        "100.64.0.0/10": "a carrier-internal",
        "168.63.129.16/32": "a cloud metadata",
        "169.254.0.0/16": "a link-local or cloud metadata",
        "192.0.0.0/24": "a protocol-internal",
        "192.88.99.0/24": "a 6to4 relay",
        "198.18.0.0/15": "a benchmarking",
        "224.0.0.0/4": "a multicast",
        "240.0.0.0/4": "a reserved",
        "2001::/23": "a Teredo or protocol-internal",
        "2001:db8::/32": "a documentation",
        "2002::/16": "a 6to4",
        "3fff::/20": "a documentation",
        "64:ff9b::/96": "a NAT64",
        "64:ff9b:1::/48": "a NAT64",
    }.items()
}
_GLOBAL_UNICAST = IPv6Network("2000::/3")


def parse(text: str) -> Address:
    """The address in `text`, an IPv4-mapped one (`::ffff:127.0.0.1`) unwrapped. Raises ValueError."""
    address = ip_address(text)
    return (isinstance(address, IPv6Address) and address.ipv4_mapped) or address


def denied(address: Address) -> str | None:
    """What kind of address this is if tools may not reach it ("a private", "a loopback", …), else None."""
    for network, what in _DENIED.items():
        if address in network:
            return what
    if address.is_unspecified:
        return "an unspecified"
    if address.is_loopback:
        return "a loopback"
    if address.is_link_local:
        return "a link-local"
    if address.is_multicast:
        return "a multicast"
    if isinstance(address, IPv6Address) and address not in _GLOBAL_UNICAST and not address.is_private:
        return "a non-global"
    return None if address.is_global else "a private"
