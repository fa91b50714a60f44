"""Messages of a chat across nodes while its history is off: how long they live at either node."""

from tests.across_case import A, B
from tests.history_across_case import HistoryCase
from tests.world import Client

HOUR = 3600.0


class FleetingCase(HistoryCase):
    def setUp(self) -> None:
        super().setUp()
        for world in self.nodes.worlds.values():
            world.domain.fleeting.start()
            self.addCleanup(self.stop, world.config.node.name)
        self.switch(self.alice)
        self.settle()
        self.hold_all()

    def stop(self, name: str) -> None:
        """Whatever world has the name by then."""
        self.nodes[name].domain.fleeting.stop()

    def hold_all(self) -> None:
        """The devices of both hold all that there is; what waits for nobody is dropped."""
        for client in (self.alice, self.bob):
            self.acknowledge(client)
        self.settle()
        for client in (self.alice, self.bob):
            self.assertEqual([self.rows_of(client.world, table) for table in ("events", "spool")], [0, 0])
            client.take()

    def acknowledge(self, client: Client) -> None:
        client.call("session.ack", cursor=client.world.cursor)
        client.world.settle(1)

    def hours(self, number: float) -> None:
        for world in self.nodes.worlds.values():
            for _ in range(int(number * 4)):
                world.settle(HOUR / 4)


class LifeTests(FleetingCase):
    def test_delivered(self) -> None:
        """It lives at its sender's node until the other one has it, there until its devices do."""
        self.nodes.away.add(B)
        self.write(self.alice, "hi")
        self.acknowledge(self.alice)
        self.hours(1)
        self.assertEqual(self.rows_of(self.nodes[A], "spool"), 1, "the other node has not taken it")
        self.nodes.away.clear()
        self.nodes.settle()
        self.assertEqual(self.rows_of(self.nodes[B], "spool"), 1)
        self.hours(1)
        self.assertEqual(self.rows_of(self.nodes[A]), 0)
        self.assertEqual(self.said(self.alice), [])
        self.assertEqual([message["body"]["text"] for message in self.bob.messages()], ["hi"])
        self.assertEqual(self.said(self.bob), ["hi"], "his device has not said that it holds it")
        self.acknowledge(self.bob)
        self.settle()
        self.assertEqual(self.rows_of(self.nodes[B]), 0)

    def test_own_devices(self) -> None:
        """Other devices of the sender are waited for at the sender's node."""
        tablet = self.nodes[A].login("alice")
        self.acknowledge(tablet)
        self.write(self.alice, "hi")
        self.settle()
        self.acknowledge(self.alice)
        self.hours(1)
        self.assertEqual(self.rows_of(self.nodes[A], "spool"), 1)
        self.acknowledge(tablet)
        self.settle()
        self.assertEqual(self.rows_of(self.nodes[A], "spool"), 0)

    def test_edited(self) -> None:
        """What has become of it while the other node was away is told as well, once."""
        self.nodes.away.add(B)
        sent = self.write(self.alice, "hi")
        gone = self.write(self.alice, "not this")
        self.edit(self.alice, sent, "hello")
        self.delete(self.alice, gone)
        self.acknowledge(self.alice)
        self.hours(1)
        self.nodes.away.clear()
        self.settle()
        self.assertEqual([words for _, words in self.shown(self.bob)], ["hello", "deleted"])
        self.edit(self.alice, self.write(self.alice, "again"), "and again")
        self.settle()
        self.assertEqual(self.said(self.bob), ["hello", "and again"])

    def test_a_week(self) -> None:
        """Seven days after it was sent it is gone at both, whoever has not got it, and is not told."""
        self.nodes.away.add(B)
        self.write(self.alice, "never")
        self.hours(7 * 24 + 1)
        self.assertEqual(self.rows_of(self.nodes[A]), 0)
        self.nodes.away.clear()
        self.settle()
        self.assertEqual(self.rows_of(self.nodes[B]), 0)
        self.assertEqual(self.bob.messages(), [])

    def test_a_week_in_all(self) -> None:
        """The days that it has waited at its sender's node count at the other one."""
        self.nodes.away.add(B)
        self.write(self.alice, "late")
        self.hours(5 * 24)
        self.nodes.away.clear()
        self.settle()
        self.assertEqual(self.said(self.bob), ["late"])
        self.hours(2 * 24 + 2)
        self.assertEqual(self.said(self.bob), [])
        self.assertEqual(self.rows_of(self.nodes[B], "passed"), 1)
        self.hours(8 * 24)
        database = self.nodes[B].database
        self.assertEqual(self.rows_of(self.nodes[B], "passed"), 0)
        gone = "SELECT count(*) FROM dedupe WHERE gone IS NOT NULL"
        self.assertEqual(database.now(lambda c: c.exec_driver_sql(gone).scalar_one()), 0)

    def test_keys(self) -> None:
        """Each has a key of its own at both nodes, which goes with it."""
        self.write(self.alice, "one")
        self.write(self.bob, "two")
        self.settle()
        for world in self.nodes.worlds.values():
            self.assertGreaterEqual(world.database.count("fleeting_keys"), 1)
            self.assertEqual(self.rows_of(world, "spool"), world.database.count("fleeting_keys"))
        self.hold_all()
        for world in self.nodes.worlds.values():
            self.assertEqual(world.database.count("fleeting_keys"), 0)

    def test_switched_on(self) -> None:
        """What waits when the history is switched on waits on, and goes as it would have, at both."""
        self.nodes.away.add(B)
        self.write(self.alice, "goes")
        self.switch(self.alice, True)
        self.write(self.alice, "stays")
        self.nodes.away.clear()
        self.settle()
        self.assertEqual(self.said(self.bob), ["goes", "stays"])
        for client in (self.alice, self.bob):
            self.acknowledge(client)
        self.settle()
        for client in (self.alice, self.bob):
            self.assertEqual(self.said(client), ["stays"])


class ReceiptTests(FleetingCase):
    """How far the other one is, in what is gone."""

    def receipts(self, client: Client) -> list[tuple[str | None, str | None]]:
        told = [event["params"] for event in client.take("chat.receipt")]
        return [(each["delivered"], each["read"]) for each in told if each["account"] != client.account]

    def test_gone(self) -> None:
        """Receipts are told of what is gone at both nodes, also after the sender's was away."""
        sent = self.write(self.alice, "hi")
        self.settle()
        [copy] = self.bob.messages()
        self.acknowledge(self.alice)
        self.nodes.away.add(A)
        self.acknowledge(self.bob)
        self.settle()
        self.hours(1)
        self.assertEqual([self.rows_of(world) for world in self.nodes.worlds.values()], [0, 0])
        self.nodes.away.clear()
        self.settle()
        self.assertEqual(self.receipts(self.alice), [(sent, None)])
        self.bob.call("chat.read", chat=self.chat, upto=copy["id"])
        self.settle()
        self.assertEqual(self.receipts(self.alice), [(sent, sent)])

    def test_the_last_one(self) -> None:
        """Of some that are gone and one that is not, each as far as it goes."""
        first, second = self.write(self.alice, "1"), self.write(self.alice, "2")
        self.settle()
        one, two = (message["id"] for message in self.bob.messages())
        self.bob.call("session.ack", cursor=one)
        self.bob.world.settle(1)
        self.settle()
        self.assertEqual(self.receipts(self.alice)[-1], (first, None))
        self.acknowledge(self.bob)
        self.settle()
        self.bob.call("chat.read", chat=self.chat, upto=two)
        self.settle()
        self.assertEqual(self.receipts(self.alice)[-1], (second, second))

    def test_reaction(self) -> None:
        """Who reacts to what is gone at the other node has reacted to nothing, and nothing is set aside."""
        self.write(self.alice, "hi")
        self.settle()
        [copy] = self.bob.messages()
        self.acknowledge(self.alice)
        self.hours(1)
        self.assertEqual(self.rows_of(self.nodes[A]), 0)
        self.react(self.bob, copy["id"], "👍")
        self.settle()

    def test_many(self) -> None:
        """What is remembered of messages that are gone is bounded."""
        for number in range(40):
            self.write(self.alice, f"{number}")
        self.settle()
        self.assertEqual(self.rows_of(self.nodes[B], "passed"), 32)
        self.switch(self.bob)
        self.settle()
        self.switch(self.bob, True)
        self.settle()
        self.switch(self.bob)
        self.settle()
        self.assertEqual(self.rows_of(self.nodes[B], "passed"), 0)
