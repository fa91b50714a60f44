"""A device that sleeps, whole: a node in production, the SDK, and a push service over TLS that wakes it."""

from collections.abc import Callable
from typing import Any

from twisted.internet import reactor as _reactor
from twisted.internet.task import deferLater
from twisted.protocols.portforward import ProxyFactory
from twisted.trial.unittest import TestCase
from twisted.web.server import Site

from safeum_home.client import Client, Link, LinkChanged, connect
from safeum_home.protocol.push import Wake
from safeum_home.protocol.types import Message, Text
from tests.certificates import Authority
from tests.doubles.webpush import PushService, Subscriber, base64url
from tests.e2e.node_process import PATIENCE, NodeProcess
from tests.e2e.people import PASSWORD
from tests.test_client_node import guide_block

reactor: Any = _reactor
IDLE = 1.5
_PROVIDER = """
[[push.providers]]
name = "web"
kind = "webpush"
[push.providers.settings]
contact = "mailto:operator@node.example"
networks = ["127.0.0.0/8"]
ca = "{ca}"
"""


class Relay(ProxyFactory):
    """A network between a client and a node, which can come to carry nothing in either direction."""

    def __init__(self, port: int) -> None:
        super().__init__("127.0.0.1", port)
        self._carried: list[Any] = []

    def buildProtocol(self, addr: Any) -> Any:
        carried = super().buildProtocol(addr)
        self._carried.append(carried)
        return carried

    @property
    def left(self) -> bool:
        """Whether the client has left its first connection."""
        return not self._carried[0].transport.connected

    def die(self) -> None:
        """The node sees that its connections are over, and the client nothing."""
        for carried in self._carried:
            carried.dataReceived = lambda data: None
            onwards = carried.peer
            for end in (carried, onwards):
                end.transport.unregisterProducer()  # neither ends with the other
            onwards.peer = None
            onwards.transport.abortConnection()


class Phone:
    """An SDK client that writes down what it hears."""

    def __init__(self, client: Client) -> None:
        self.client = client
        self.texts: list[str] = []
        self.links: list[Link] = []
        self.reasons: list[str] = []
        client.listen(self._hear)

    def _hear(self, event: Any) -> None:
        if isinstance(event, LinkChanged):
            self.links.append(event.link)
            self.reasons += [event.reason] * (event.link is Link.OFFLINE)
        elif isinstance(event, Message) and isinstance(event.body, Text):
            self.texts.append(event.body.text)

    @property
    def asleep(self) -> bool:
        return self.links[-1:] == [Link.ASLEEP]


async def until(true: Callable[[], object], what: str) -> None:
    """Fails where it does not become so."""
    for _ in range(int(PATIENCE / 0.05)):
        if true():
            return
        await deferLater(reactor, 0.05)
    raise AssertionError(what)


class SleepingTests(TestCase):
    """Ann has nothing to be woken by; Bob has a browser's push."""

    timeout = 4 * PATIENCE

    def setUp(self) -> None:
        authority = Authority()
        self.service = PushService("", None, reactor.seconds)
        listening = reactor.listenSSL(
            0, Site(self.service), authority.server("localhost"), interface="127.0.0.1"
        )
        self.addCleanup(listening.stopListening)
        self.endpoint = f"https://localhost:{listening.getHost().port}/bob"
        self.service._origin = self.endpoint.removesuffix("/bob")
        self.node = NodeProcess(limits={"idle_seconds": IDLE})
        self.addCleanup(self.node.close)
        ca = self.node.folder / "push.pem"
        ca.write_bytes(authority.pem)
        self.node.add(_PROVIDER.format(ca=ca))
        self.node.start()

    async def phone(self, name: str, port: int | None = None) -> Phone:
        client = await connect(reactor, f"localhost:{port or self.node.port}", ca=self.node.certificate)
        self.addCleanup(client.close)
        policy = await client.policy()
        await client.register(name, PASSWORD, consent=policy.version)
        await client.load()
        return Phone(client)

    async def befriend(self, ann: Phone, bob: Phone) -> str:
        """Their chat."""
        assert ann.client.opened is not None and bob.client.opened is not None
        await ann.client.request(bob.client.opened.account, bob.client.opened.address)
        await until(lambda: bob.client.state.contacts, "nobody asks")
        await bob.client.accept(ann.client.opened.account)
        return bob.client.state.contacts[ann.client.opened.account].chat

    async def test_asleep_and_woken(self) -> None:
        """Put to sleep, woken by one wake that tells nothing, and then exactly where it was."""
        ann, bob = await self.phone("ann"), await self.phone("bob")
        [offered] = (await bob.client.push_providers()).providers
        self.service.application_key = offered.application_key
        subscriber = Subscriber()
        guide: dict[str, Any] = {}
        exec(guide_block("set_push"), guide)
        keys = (base64url(subscriber.public), base64url(subscriber.secret))
        self.assertEqual(await guide["woken_at"](bob.client, self.endpoint, *keys), "web")
        chat = await self.befriend(ann, bob)

        await until(lambda: bob.asleep, "it was not put to sleep")
        await deferLater(reactor, 2 * IDLE)
        self.assertEqual((bob.links, ann.links, self.service.taken), ([Link.ASLEEP], [], []))

        sent = [(await ann.client.send(chat, text)).id for text in ("one", "two", "three")]
        await ann.client.edit(chat, sent[1], "two, again")
        await ann.client.delete(chat, sent[2])
        await until(lambda: self.service.taken, "nothing wakes it")
        [(_, body)] = self.service.taken
        self.assertTrue(bob.asleep)
        self.assertIs(bob.client.on_push(subscriber.open(body)), Wake.MESSAGE)
        await until(lambda: len(bob.texts) == 2, f"only {bob.texts} came")
        self.assertEqual(bob.texts, ["one", "two, again"])

        await until(lambda: bob.asleep, "it was not put to sleep again")
        await bob.client.send(chat, "here I am")
        await until(lambda: ann.texts, "it does not wake by itself")
        await ann.client.send(chat, "four")
        await until(lambda: bob.texts[2:], "it does not go on")
        self.assertEqual((ann.texts, bob.texts[2:]), (["here I am"], ["four"]))
        view = bob.client.state.chat(chat)
        assert view is not None
        shown = [each.body.text for each in view.messages if isinstance(each.body, Text)]
        self.assertEqual(shown, ["one", "two, again", "here I am", "four"])
        self.assertEqual(len(self.service.taken), 1)

    async def test_of_its_own_accord(self) -> None:
        """Without push it can sleep too, and comes back by itself alone."""
        ann = await self.phone("ann")
        await ann.client.sleep()
        self.assertTrue(ann.asleep)
        await deferLater(reactor, IDLE)
        self.assertEqual(ann.links, [Link.ASLEEP])
        self.assertIsNone((await ann.client.push()).provider)
        self.assertEqual(ann.links, [Link.ASLEEP, Link.CONNECTING, Link.ONLINE])

    async def test_half_a_connection(self) -> None:
        """A push to a client whose connection is over without its knowing: it finds that out, and fetches."""
        relay = Relay(self.node.port)
        listening = reactor.listenTCP(0, relay, interface="127.0.0.1")
        self.addCleanup(listening.stopListening)
        ann, bob = await self.phone("ann"), await self.phone("bob", listening.getHost().port)
        chat = await self.befriend(ann, bob)
        await ann.client.send(chat, "one")
        await until(lambda: bob.texts, "nothing comes")
        relay.die()
        await ann.client.send(chat, "two")
        self.assertIs(bob.client.on_push(b'{"wake":"msg"}'), Wake.MESSAGE)
        await until(lambda: bob.texts[1:], "it waits at a dead connection")
        self.assertEqual(bob.texts, ["one", "two"])
        self.assertEqual(bob.links, [Link.OFFLINE, Link.CONNECTING, Link.ONLINE])
        self.assertEqual(bob.reasons, ["the node does not answer"])
        await until(lambda: relay.left, "it does not let go of the dead one")
