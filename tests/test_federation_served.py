"""Where a node says that it is served to others."""

from types import SimpleNamespace
from typing import Any, cast

from treq.testing import StubTreq
from twisted.internet.testing import MemoryReactorClock
from twisted.trial.unittest import SynchronousTestCase

from safeum_home.config import parse
from safeum_home.gateway.tls import ServerTls, self_signed
from safeum_home.node.edge import Edge


class ServedTests(SynchronousTestCase):
    def ask(self, section: str) -> tuple[int, bytes, str]:
        """What a node with this configuration answers: status, body, and how long it may be kept."""
        config = parse(f'[node]\nname = "home.example"\nstate_dir = "/nowhere"\n[federation]\n{section}')
        services = cast(Any, SimpleNamespace(node_key="key", transfers=None))
        edge = Edge(MemoryReactorClock(), config, services, ServerTls(*self_signed(["home.example"])), dict)
        treq: Any = StubTreq(edge.factory.site.resource)
        response = self.successResultOf(treq.get("https://home.example/.well-known/safeum/node"))
        body = self.successResultOf(treq.content(response))
        return response.code, body, (response.headers.getRawHeaders("Cache-Control") or [""])[0]

    def test_delegated(self) -> None:
        """What the configuration says, for a day."""
        answer = self.ask('server = "node.example:8448"')
        self.assertEqual(answer, (200, b'{"server":"node.example:8448"}', "public, max-age=86400"))

    def test_not_delegated(self) -> None:
        """Nothing, where it is served at its name, or to nobody."""
        for section in ("", 'mode = "off"\nserver = "node.example"'):
            self.assertEqual(self.ask(section)[0], 404)
