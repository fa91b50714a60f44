"""Receipts: gathered, never going back, told to those in the chat."""

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from safeum_home.chats import receipts
from safeum_home.ids import AccountId
from safeum_home.jobs import AGAIN
from tests.world import Client, Refused, World


class ReceiptCase(SynchronousTestCase):
    def setUp(self) -> None:
        self.world = World()
        self.alice, self.bob = self.world.register("alice"), self.world.register("bob")
        self.chat = self.world.befriend(self.alice, self.bob)
        # The alert of the sign-up is a message too.
        self.bob.call("session.ack", cursor=self.world.cursor)
        self.world.settle()

    def told(self, client: Client) -> list[tuple[str | None, str | None]]:
        """What `client` was told since the last time: delivered and read."""
        events = [event["params"] for event in client.take("chat.receipt")]
        return [(receipt["delivered"], receipt["read"]) for receipt in events]

    def send(self, count: int) -> list[str]:
        return [self.alice.write(self.chat, str(number))["id"] for number in range(count)]

    def read(self, upto: str, client: Client | None = None) -> None:
        self.assertEqual((client or self.bob).call("chat.read", chat=self.chat, upto=upto), {})


class DeliveredTests(ReceiptCase):
    def test_coalesced(self) -> None:
        """Many acknowledgements within a moment are one receipt, of the furthest."""
        ids = self.send(5)
        transactions = self.world.database.transactions
        for upto in ids:
            self.bob.notify("session.ack", cursor=upto)
        self.assertEqual(self.told(self.alice), [])
        self.world.settle()
        self.assertEqual(self.told(self.alice), [(ids[-1], None)])
        self.assertEqual(self.world.database.transactions, transactions + 1)
        self.assertEqual(self.told(self.bob), [])

    def test_upto(self) -> None:
        """A cursor acknowledges what lies up to it, whatever it is the cursor of, and once."""
        ids = self.send(2)
        self.alice.call("profile.set", profile={"display_name": "Alice"})
        [changed] = self.bob.take("profile.changed")
        self.send(1)
        self.bob.call("session.ack", cursor=ids[0])
        self.world.settle()
        self.assertEqual(self.told(self.alice), [(ids[0], None)])
        self.bob.call("session.ack", cursor=changed["params"]["cursor"])
        self.world.settle()
        self.assertEqual(self.told(self.alice), [(ids[1], None)])
        for upto in ids:
            self.bob.call("session.ack", cursor=upto)
        self.world.settle()
        self.assertEqual(self.told(self.alice), [])

    def test_several_chats(self) -> None:
        """One acknowledgement is told to each sender of his own messages."""
        carol = self.world.register("carol")
        other = self.world.befriend(carol, self.bob)
        [mine] = self.send(1)
        hers = carol.write(other, "hi")["id"]
        self.bob.call("session.ack", cursor=hers)
        self.world.settle()
        self.assertEqual((self.told(self.alice), self.told(carol)), ([(mine, None)], [(hers, None)]))

    def test_ones_own_messages(self) -> None:
        """They are delivered to nobody by one's other devices."""
        tablet = self.world.login("alice")
        [upto] = self.send(1)
        tablet.call("session.ack", cursor=upto)
        self.world.settle()
        self.assertEqual((self.told(self.bob), self.told(self.alice)), ([], []))

    def test_lost_with_the_connection(self) -> None:
        """What was held when the connection broke is acknowledged by coming back with its cursor."""
        ids = self.send(3)
        self.bob.resume(ids[1])
        self.world.settle()
        self.assertEqual(self.told(self.alice), [(ids[1], None)])
        self.bob.call("session.ack", cursor=ids[2])
        self.world.settle()
        self.assertEqual(self.told(self.alice), [(ids[2], None)])

    def test_cannot_be_read(self) -> None:
        """What a device that comes back holds is looked up once it can be: its senders are told then."""
        ids = self.send(3)
        self.world.database.reading_fails = True
        for held in (ids[1], ids[0]):
            position = self.world.vault.cursors.decode(held)
            self.world.domain.receipts.resumed(AccountId(self.bob.account), position)
        self.world.settle(60)
        self.assertEqual(self.told(self.alice), [])
        self.world.database.reading_fails = False
        self.world.settle(2 * AGAIN)
        self.assertEqual(self.told(self.alice), [(ids[1], None)])

    def test_history_delivers(self) -> None:
        """A device that fetches the newest messages holds them; nothing is written where it did before."""
        for fetch in (("chat.list", {}), ("chat.history", {"chat": self.chat})):
            ids = self.send(2)
            phone = self.world.login("bob")
            phone.call(fetch[0], **fetch[1])
            self.world.settle()
            self.assertEqual(self.told(self.alice), [(ids[-1], None)])
            transactions = self.world.database.transactions
            phone.call(fetch[0], **fetch[1])
            self.world.settle()
            self.assertEqual(self.world.database.transactions, transactions)

    def test_a_commit_that_fails(self) -> None:
        """A receipt that could not be stored is tried again, and told when it is stored."""
        ids = self.send(2)
        self.world.database.failing = True
        self.bob.call("session.ack", cursor=ids[0])
        self.world.settle(receipts.RETRY_SECONDS / 2)
        self.assertEqual(self.told(self.alice), [])
        self.world.database.failing = False
        self.bob.call("session.ack", cursor=ids[1])
        self.world.settle(receipts.RETRY_SECONDS * 2)
        self.assertEqual(self.told(self.alice), [(ids[1], None)])
        self.assertEqual(self.world.timers, [])

    def test_one_at_a_time(self) -> None:
        """While a receipt is being committed later ones of its chat are gathered, however slow the disk."""
        ids = self.send(30)
        self.world.database.hold = True
        for upto in ids:
            self.bob.call("session.ack", cursor=upto)
            self.world.settle()
        self.assertEqual(self.world.database.held, 1)
        self.world.database.release()
        self.world.settle()
        self.world.database.release()
        self.assertEqual(self.told(self.alice), [(ids[0], None), (ids[-1], None)])
        self.world.settle()
        self.assertEqual((self.world.database.held, self.world.timers), (0, []))

    def test_bounded(self) -> None:
        """Beyond a number of accounts and chats nothing more is remembered."""
        self.patch(receipts, "MOST_WAITING", 2)
        waiting = self.world.domain.receipts
        for number in range(5):
            waiting.delivered(f"@{number}", self.chat, 1)  # type: ignore[arg-type]
        waiting.delivered("@0", self.chat, 7)  # type: ignore[arg-type]
        self.assertEqual(list(waiting._waiting.values()), [7, 1])
        self.world.settle()
        self.assertEqual(self.told(self.alice), [])

    def test_forgotten_chats(self) -> None:
        """A chat that is not in memory any more is opened again for its receipts."""
        [upto] = self.send(1)
        self.world.domain.registry._open.clear()
        self.bob.call("session.ack", cursor=upto)
        self.world.settle()
        self.assertEqual(self.told(self.alice), [(upto, None)])


class ReadTests(ReceiptCase):
    def test_read(self) -> None:
        """Reading is told to the other side and one's own devices, and means delivered."""
        phone, tablet = self.world.login("bob"), self.world.login("alice")
        ids = self.send(3)
        self.read(ids[1])
        for client in (self.alice, tablet, phone, self.bob):
            self.assertEqual(self.told(client), [(ids[1], ids[1])])
        self.assertEqual([c["unread"] for c in self.bob.call("chat.list")["chats"]], [1, 2])

    def test_never_back(self) -> None:
        """What is told is where the marker stands: an older message, or an ack, takes nothing back."""
        ids = self.send(4)
        self.bob.call("session.ack", cursor=ids[2])
        self.world.settle()
        self.read(ids[1])
        self.read(ids[0])
        self.bob.call("session.ack", cursor=ids[3])
        self.world.settle()
        expected = [(ids[2], None), (ids[2], ids[1]), (ids[3], ids[1])]
        self.assertEqual(self.told(self.alice), expected)
        chats = [c for c in self.alice.call("chat.list")["chats"] if c["kind"] == "direct"]
        self.assertEqual([(c["peer_delivered"], c["peer_read"]) for c in chats], [(ids[3], ids[1])])

    def test_on_disk_when_acknowledged(self) -> None:
        """It is answered after the commit, told after the answer, and refused where the commit fails."""
        [upto] = self.send(1)
        self.world.database.hold = True
        asked = self.bob.ask("chat.read", chat=self.chat, upto=upto)
        self.assertIsNone(self.bob.answer(asked))
        self.world.database.release()
        self.assertEqual(self.bob.answer(asked), {})
        self.world.database.hold = False
        [upto] = self.send(1)
        self.world.database.failing = True
        error = self.assertRaises(Refused, self.read, upto)
        self.assertEqual((error.code, len(self.told(self.alice))), ("storage_unavailable", 1))

    def test_only_messages_of_the_chat(self) -> None:
        """Only a message of this chat can be read in it, and only by those who are in it."""
        carol = self.world.register("carol")
        other = self.world.befriend(carol, self.bob)
        [mine] = self.send(1)
        hers = carol.write(other, "hi")["id"]
        for client, chat, upto in (
            (carol, self.chat, mine),
            (self.bob, self.chat, hers),
            (self.bob, other, mine),
            (self.bob, self.chat, self.bob.cursor),
            (self.bob, "!" + "a" * 26, mine),
        ):
            error = self.assertRaises(Refused, client.call, "chat.read", chat=chat, upto=upto)
            self.assertEqual(error.code, "not_found")
        error = self.assertRaises(Refused, self.read, "A" * 22)
        self.assertEqual(error.code, "invalid_cursor")
        self.assertEqual((self.told(self.alice), self.told(carol)), ([], []))

    def test_the_system_chat(self) -> None:
        """Alerts can be read; only one's own devices are told."""
        phone = self.world.login("bob")
        [chat] = [c for c in phone.call("chat.list")["chats"] if c["kind"] == "system"]
        upto = chat["last"]["id"]
        self.bob.take()
        phone.call("chat.read", chat=chat["chat"], upto=upto)
        self.assertEqual((self.told(self.bob), self.told(self.alice)), ([(upto, upto)], []))


class ConvergenceTests(SynchronousTestCase):
    STEPS = st.one_of(
        st.tuples(st.sampled_from(["ack", "read"]), st.integers(0, 7), st.sampled_from(["bob", "phone"])),
        st.tuples(st.sampled_from(["commit", "report", "settle", "fail", "heal"])),
    )

    @settings(max_examples=25)
    @given(st.lists(STEPS, max_size=30))
    def test_markers(self, steps: list[Any]) -> None:
        """Whatever comes in which order, what was told last is what is stored, and nothing went back."""
        world = World()
        alice, bob = world.register("alice"), world.register("bob")
        chat = world.befriend(alice, bob)
        clients = {"bob": bob, "phone": world.login("bob")}
        ids = [alice.write(chat, str(number))["id"] for number in range(8)]
        place = {upto: number for number, upto in enumerate(ids)} | {None: -1}
        told = [(-1, -1)]

        def check() -> None:
            for event in alice.take("chat.receipt"):
                now = (place[event["params"]["delivered"]], place[event["params"]["read"]])
                self.assertTrue(now[0] >= told[-1][0] and now[1] >= told[-1][1] and now != told[-1])
                told.append(now)

        world.database.hold = True
        for step in steps:
            match step:
                case ("ack", number, who):
                    clients[who].notify("session.ack", cursor=ids[number])
                case ("read", number, who):
                    clients[who].notify("chat.read", chat=chat, upto=ids[number])
                case ("settle",):
                    world.settle()
                case ("fail",) | ("heal",):
                    world.database.failing = step[0] == "fail"
                case _:
                    getattr(world.database, step[0])()
            check()
        world.database.hold = world.database.failing = False
        world.database.release()
        for _ in range(5):
            world.settle(receipts.RETRY_SECONDS * 2)
            world.database.release()
        check()
        [stored] = [c for c in alice.call("chat.list")["chats"] if c["kind"] == "direct"]
        self.assertEqual((place[stored["peer_delivered"]], place[stored["peer_read"]]), told[-1])
        missed = alice.resume(alice.cursor).take("chat.receipt")
        final = [(place[e["params"]["delivered"]], place[e["params"]["read"]]) for e in missed]
        self.assertEqual(final, [told[-1]] if told[-1] != (-1, -1) else [])
        self.assertEqual(world.late, [])
