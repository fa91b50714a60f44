"""Addresses that a name of somebody else's may lead to, and those it may not, however they are written."""

from ipaddress import IPv4Address, IPv6Address, ip_network

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from safeum_home.outgoing.addresses import Addresses, embedded

PUBLIC = Addresses()

FORBIDDEN_4 = (
    "0.0.0.0/8",
    "10.0.0.0/8",
    "100.64.0.0/10",
    "127.0.0.0/8",
    "169.254.0.0/16",
    "172.16.0.0/12",
    "192.0.0.0/24",
    "192.0.2.0/24",
    "192.88.99.0/24",
    "192.168.0.0/16",
    "198.18.0.0/15",
    "198.51.100.0/24",
    "203.0.113.0/24",
    "224.0.0.0/4",
    "240.0.0.0/4",
)
FORBIDDEN_6 = (
    "::/128",
    "::1/128",
    "100::/64",
    "100:0:0:1::/64",
    "2001::/23",
    "2001:2::/48",
    "2001:db8::/32",
    "3fff::/20",
    "5f00::/16",
    "fc00::/7",
    "fe80::/10",
    "fec0::/10",
    "ff00::/8",
)


def wrapped(inside: IPv4Address) -> dict[str, IPv6Address]:
    """Every way to write an IPv4 address as an IPv6 address."""
    number = int(inside)
    ways = {
        "compatible": number,
        "mapped": 0xFFFF << 32 | number,
        "translated": 0xFFFF << 48 | number,
        "NAT64": 0x64FF9B << 96 | number,
        "local NAT64": 0x64FF9B0001 << 80 | number,
        "local NAT64, /48": 0x64FF9B0001 << 80 | number >> 16 << 64 | (number & 0xFFFF) << 40,
        "6to4": 0x2002 << 112 | number << 80 | 1,
        "Teredo client": 0x20010000 << 96 | 0x08080808 << 64 | (number ^ 0xFFFFFFFF),
        "Teredo server": 0x20010000 << 96 | number << 64 | (0x08080808 ^ 0xFFFFFFFF),
        "ISATAP": 0x2A000001 << 96 | 0x5EFE << 32 | number,
        "ISATAP, universal": 0x2A000001 << 96 | 0x02005EFE << 32 | number,
    }
    return {way: IPv6Address(number) for way, number in ways.items()}


def of(networks: tuple[str, ...]) -> st.SearchStrategy[IPv4Address]:
    """Addresses in one of the networks."""
    return st.one_of([st.ip_addresses(v=4, network=each).map(IPv4Address) for each in networks])


class AddressTests(SynchronousTestCase):
    def test_public(self) -> None:
        """What anybody may reach."""
        for text in (
            "1.1.1.1",
            "9.255.255.255",
            "11.0.0.0",
            "100.63.255.255",
            "100.128.0.0",
            "172.15.255.255",
            "172.32.0.0",
            "223.255.255.255",
            "2001:200::1",
            "2606:4700:4700::1111",
            "2a00:1450:4001:82a::200e",
            "3ffe:ffff::1",
        ):
            self.assertTrue(PUBLIC.allows(text), text)

    def test_forbidden(self) -> None:
        """The first and the last address of each network."""
        for text in FORBIDDEN_4 + FORBIDDEN_6:
            network = ip_network(text)
            for address in (network[0], network[-1]):
                self.assertFalse(PUBLIC.allows(str(address)), str(address))

    def test_written_otherwise(self) -> None:
        """Only the text of an address is one: not what other programs would read as one."""
        for text in (
            "",
            "0",
            "127.1",
            "2130706433",
            "0x7f.0.0.1",
            "0177.0.0.1",
            "1.1.1.1 ",
            "1.1.1.1/32",
            "[::1]",
            "fe80::1%eth0",
            "2606:4700:4700::1111%eth0",
            "\u0661.1.1.1",
            "home.example",
        ):
            self.assertFalse(PUBLIC.allows(text), text)
        for text in ("::ffff:127.0.0.1", "::ffff:7f00:1", "0:0:0:0:0:FFFF:127.0.0.1", "64:ff9b::127.0.0.1"):
            self.assertFalse(PUBLIC.allows(text), text)

    @given(of(FORBIDDEN_4))
    def test_no_wrapping_helps(self, inside: IPv4Address) -> None:
        """A forbidden IPv4 address stays forbidden inside IPv6, in every way of writing it."""
        self.assertFalse(PUBLIC.allows(str(inside)))
        for way, address in wrapped(inside).items():
            self.assertFalse(PUBLIC.allows(str(address)), way)
            self.assertFalse(PUBLIC.allows(address.exploded), way)

    @given(st.ip_addresses(v=4))
    def test_public_inside(self, inside: IPv4Address) -> None:
        """Nor is a public one reached that way: nobody needs to write it so."""
        for way, address in wrapped(inside).items():
            self.assertFalse(PUBLIC.allows(str(address)), way)

    @given(st.ip_addresses(v=4))
    def test_embedded(self, inside: IPv4Address) -> None:
        """What is inside is found where its standard says that it is."""
        for way, address in wrapped(inside).items():
            if way != "local NAT64, /48":
                self.assertIn(inside, embedded(address), way)

    @given(st.ip_addresses())
    def test_against_the_library(self, address: IPv4Address | IPv6Address) -> None:
        """Whatever Python's own tables call not global is refused."""
        if not address.is_global or address.is_multicast:
            self.assertFalse(PUBLIC.allows(str(address)))


class ExceptionTests(SynchronousTestCase):
    def test_networks(self) -> None:
        """An operator's network is allowed, and nothing beside it."""
        private = Addresses(["10.1.0.0/16", "127.0.0.1/32", "fd00:1::/32", "::1/128"])
        for text in ("10.1.2.3", "127.0.0.1", "fd00:1::5", "::1", "1.1.1.1"):
            self.assertTrue(private.allows(text), text)
        for text in ("10.2.0.1", "127.0.0.2", "fd00:2::5", "::2", "192.168.0.1"):
            self.assertFalse(private.allows(text), text)

    def test_inside(self) -> None:
        """An allowed IPv4 address may be written as IPv6; another one inside may not."""
        private = Addresses(["10.1.0.0/16"])
        for way, address in wrapped(IPv4Address("10.1.2.3")).items():
            # A Teredo address has a public one inside as well, and of this NAT64 nobody knows the prefix.
            allowed = way not in ("Teredo client", "Teredo server", "local NAT64, /48")
            self.assertEqual(private.allows(str(address)), allowed, way)
        for way, address in wrapped(IPv4Address("10.2.2.3")).items():
            self.assertFalse(private.allows(str(address)), way)

    def test_translator(self) -> None:
        """With the prefix of a NAT64 public addresses can be reached through it, and no other ones."""
        for prefix in ("64:ff9b::", "64:ff9b:1:abcd::"):
            translated = Addresses([f"{prefix}/96"])
            self.assertTrue(translated.allows(f"{prefix}1.1.1.1"))
            for inside in ("127.0.0.1", "10.0.0.1", "0.0.0.0", "224.0.0.1"):
                self.assertFalse(translated.allows(prefix + inside), inside)
        self.assertFalse(Addresses(["64:ff9b:1::/48"]).allows("64:ff9b:1:7f00:0:100:1.1.1.1"))
        self.assertFalse(Addresses(["1.1.1.1/32"]).allows("64:ff9b:1:7f00:0:100:1.1.1.1"))

    def test_never(self) -> None:
        """No exception makes an unspecified, multicast or broadcast address a peer."""
        all_of_it = Addresses(["0.0.0.0/0", "::/0"])
        for text in ("0.0.0.0", "0.1.2.3", "224.0.0.1", "255.255.255.255", "::", "ff02::1"):
            self.assertFalse(all_of_it.allows(text), text)
        for text in ("127.0.0.1", "::1", "10.0.0.1", "::ffff:10.0.0.1", "fe80::1"):
            self.assertTrue(all_of_it.allows(text), text)
        for text in ("::ffff:0.0.0.0", "64:ff9b::e000:1", "2002:ffff:ffff::1"):
            self.assertFalse(all_of_it.allows(text), text)

    def test_not_networks(self) -> None:
        """What is no network is refused at the start."""
        for text in ("", "10.0.0.1/8", "home.example", "10.0.0.0/33"):
            self.assertRaises(ValueError, Addresses, [text])
