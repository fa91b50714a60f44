"""Endpoints: IPv4 and IPv6 on one port, and what is said of those that cannot be had."""

import errno
import socket
from typing import Any

from twisted.internet import reactor as _reactor
from twisted.internet.protocol import Factory, Protocol
from twisted.trial.unittest import SkipTest, TestCase

from safeum_home.node import listening
from safeum_home.node.listening import CannotListen, NoIPv6, check, listen

reactor: Any = _reactor
ALL_IPV6 = r"tcp6:{}:interface=\:\::backlog=16"


class ListeningTests(TestCase):
    def setUp(self) -> None:
        self.factory = Factory.forProtocol(Protocol)
        self.factory.noisy = False

    async def _listen(self, description: str) -> Any:
        port = await listen(reactor, description, self.factory)
        self.addCleanup(port.stopListening)
        return port.getHost()

    async def test_both_on_one_port(self) -> None:
        """IPv6 leaves the IPv4 port to its own endpoint: both take connections."""
        if not socket.has_ipv6:
            raise SkipTest("no IPv6 here")
        port = (await self._listen("tcp:0")).port
        check(ALL_IPV6.format(port))
        try:
            host = await self._listen(ALL_IPV6.format(port))
        except NoIPv6:
            raise SkipTest("no IPv6 here") from None
        self.assertEqual((host.host, host.port), ("::", port))
        for address in ("127.0.0.1", "::1"):
            socket.create_connection((address, port), 10).close()

    async def test_taken(self) -> None:
        """A port that is taken is said so, in trying and in earnest."""
        port = (await self._listen("tcp:0:interface=127.0.0.1")).port
        description = f"tcp:{port}:interface=127.0.0.1"
        expected = f"cannot listen at {description}: Address already in use"
        self.assertEqual(str(self.assertRaises(CannotListen, check, description)), expected)
        with self.assertRaises(CannotListen) as caught:
            await self._listen(description)
        self.assertEqual(str(caught.exception), expected)

    async def test_nonsense(self) -> None:
        """What is no endpoint string is refused as one that cannot be had."""
        self.assertRaises(CannotListen, check, "tcp:many")
        for description in ("tcp:many", "carrier:pigeon", ""):
            with self.assertRaises(CannotListen):
                await self._listen(description)

    def test_no_ipv6(self) -> None:
        """No IPv6 at all is told from one IPv6 address that is not there."""

        def refuse(*_arguments: object) -> None:
            raise OSError(errno.EADDRNOTAVAIL, "no such address")

        self.patch(listening, "_bound", refuse)
        self.assertRaises(NoIPv6, check, ALL_IPV6.format(1))
        error = self.assertRaises(CannotListen, check, r"tcp6:1:interface=\:\:1")
        self.assertNotIsInstance(error, NoIPv6)

    def test_others_are_not_tried(self) -> None:
        """A descriptor that systemd passed would be used up."""
        check("systemd:domain=INET:index=0")
