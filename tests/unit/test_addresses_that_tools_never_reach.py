"""The guard's deny table and allow list: which addresses may be connected to."""

import pytest

from services.errors import Misconfigured
from services.network import addresses, allow_list, connections
from services.network.refusals import AddressRefused, UrlRefused

DENIED = [
    "127.0.0.1", "127.8.8.8", "0.0.0.0", "0.1.2.3", "10.0.0.1", "172.16.0.1", "192.168.1.1", "100.64.0.1",
    "100.100.100.200", "169.254.169.254", "168.63.129.16", "192.0.0.192", "192.88.99.1", "192.0.2.1", "198.18.0.1",
    "198.51.100.7", "203.0.113.9", "224.0.0.1", "239.255.255.250", "240.0.0.1", "255.255.255.255",
    "::", "::1", "::7f00:1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "64:ff9b::7f00:1", "64:ff9b::808:808",
    "64:ff9b:1::1", "2002:7f00:1::", "2002:808:808::1", "2001::1", "2001:db8::1", "3fff::1", "5f00::1", "fc00::1",
    "fd00::1", "fd00:ec2::254", "fe80::1", "fe80::1%eth0", "fec0::1", "ff02::1", "ff0e::1", "100::1",
]  # fmt: skip
PUBLIC = ["8.8.8.8", "1.1.1.1", "172.32.0.1", "100.128.0.1", "2606:4700::1111", "2a00:1450::1", "::ffff:8.8.8.8"]
ODD_SPELLINGS = ["127.1", "2130706433", "0177.0.0.1", "0x7f000001", "0x7f.1", "::1", "::ffff:127.0.0.1", "0"]


@pytest.mark.parametrize("address", DENIED)
def test_special_addresses_are_denied(address: str) -> None:
    assert addresses.denied(addresses.parse(address))


@pytest.mark.parametrize("address", PUBLIC)
def test_public_addresses_are_not_denied(address: str) -> None:
    assert addresses.denied(addresses.parse(address)) is None


@pytest.mark.parametrize("spelling", ODD_SPELLINGS)
def test_odd_spellings_of_loopback_are_refused(spelling: str) -> None:
    found = connections.resolve(spelling, 80)

    with pytest.raises(AddressRefused):
        connections.vet(spelling, 80, found, allow_list.parse(()))


def test_one_bad_address_among_good_ones_refuses_the_host() -> None:
    with pytest.raises(AddressRefused):
        connections.vet("two-faced.example", 443, ["8.8.8.8", "10.0.0.1"], allow_list.parse(()))


def test_a_refusal_names_the_host_and_the_setting_but_not_the_address() -> None:
    with pytest.raises(AddressRefused) as refusal:
        connections.vet("intranet.example", 80, ["10.20.30.40"], allow_list.parse(()))

    assert "intranet.example" in refusal.value.detail
    assert "PERDURE_ALLOW_HOSTS" in refusal.value.detail
    assert "10.20.30.40" not in refusal.value.detail


def test_other_ports_of_public_hosts_are_refused() -> None:
    with pytest.raises(UrlRefused, match="Port 6379"):
        connections.vet("public.example", 6379, ["8.8.8.8"], allow_list.parse(()))


@pytest.mark.parametrize(
    ("entry", "host", "port", "address", "admitted"),
    [
        ("127.0.0.1", "127.0.0.1", 5000, "127.0.0.1", True),
        ("127.0.0.1", "localhost", 5000, "127.0.0.1", True),
        ("127.0.0.1", "mapped.example", 5000, "::ffff:127.0.0.1", True),
        ("127.0.0.1", "127.0.0.2", 80, "127.0.0.2", False),
        ("127.0.0.1:5000", "127.0.0.1", 5000, "127.0.0.1", True),
        ("127.0.0.1:5000", "127.0.0.1", 5001, "127.0.0.1", False),
        ("10.0.0.0/8", "box.example", 8080, "10.9.9.9", True),
        ("10.0.0.0/8", "box.example", 8080, "11.9.9.9", False),
        ("Intranet.Example", "intranet.example.", 8080, "10.0.0.1", True),
        ("intranet.example:8080", "intranet.example", 80, "10.0.0.1", False),
        ("intranet.example", "other.example", 80, "10.0.0.1", False),
        ("[::1]:9000", "::1", 9000, "::1", True),
        ("::1", "::1", 9000, "::1", True),
        ("fd00::/8", "box.example", 443, "fd12::1", True),
        ("8.8.8.8:53", "8.8.8.8", 53, "8.8.8.8", True),
    ],
)
def test_the_allow_list_admits_what_it_names_and_nothing_else(
    entry: str, host: str, port: int, address: str, admitted: bool
) -> None:
    allowed = allow_list.parse((entry,))

    if admitted:
        assert connections.vet(host, port, [address], allowed) == [addresses.parse(address)]
    else:
        with pytest.raises((AddressRefused, UrlRefused)):
            connections.vet(host, port, [address], allowed)


@pytest.mark.parametrize("entry", ["http://intranet", "10.0.0.0/99", "a b", "host:port"])
def test_an_entry_that_makes_no_sense_is_named(entry: str) -> None:
    with pytest.raises(Misconfigured, match="PERDURE_ALLOW_HOSTS"):
        allow_list.parse((entry,))
