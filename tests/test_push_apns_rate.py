"""All of a crowd is woken through one provider, whatever becomes of its connections."""

from typing import Any

from twisted.internet import reactor as installed_reactor
from twisted.trial.unittest import TestCase

from bench.apns_rate import measured

reactor: Any = installed_reactor


class CrowdTests(TestCase):
    timeout = 300

    async def test_none_is_lost(self) -> None:
        """10,000 wakes; APNs leaves twice with streams that it has not processed, and breaks off once.

        What was under way when it broke off is sent again: some of that was taken before.
        """
        found = await measured(reactor, 10_000, trouble=True)
        self.assertEqual((found["wakes"], found["lost"], found["missing"]), (10_000, 0, 0))
        self.assertGreaterEqual(found["connections"], 4)

    async def test_once(self) -> None:
        """Where nothing happens, each is taken once, and one connection is enough."""
        found = await measured(reactor, 1000, trouble=False)
        self.assertEqual((found["lost"], found["missing"]), (0, 0))
        self.assertEqual((found["connections"], found["twice"]), (1, 0))
