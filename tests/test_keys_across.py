"""Public keys across nodes: asked for at the other one, and changes that everybody hears of there."""

from typing import Any

from twisted.internet.defer import Deferred, fail

from safeum_home.errors import Code, Problem
from safeum_home.keys import asking
from tests.across_case import A, B, befriend_across
from tests.groups_across_case import GroupsAcrossCase
from tests.keys_across_case import FIRST, SECOND, THIRD, KeysAcrossCase
from tests.keys_case import LAUNCHED, changes, hashes, publish, query, told


class AskingTests(KeysAcrossCase):
    """Alice asks for Bob's."""

    def test_identity(self) -> None:
        """She gets what he has published, and nobody is told; the hash is in the log of her node as well."""
        [found] = self.ask()
        expected = {"account": self.bob.account, "hash": FIRST.hash, "since": self.since}
        self.assertEqual(found, expected | {"identity": FIRST.identity(self.bob.account)})
        self.assertEqual(self.alice.take(), [])
        log = self.alice.call("keys.log", account=self.bob.account)["entries"]
        self.assertEqual(log, [{"number": 0, "hash": FIRST.hash, "at": self.since}])

    def test_together(self) -> None:
        """Those of her node and of others in one query, in order."""
        publish(self.alice, SECOND)
        nobody = self.nodes[B].register("nobody")
        found = self.ask(self.alice, self.bob, nobody)
        self.assertEqual([each.get("hash") for each in found], [SECOND.hash, FIRST.hash, None])
        self.assertEqual(found[2], {"account": nobody.account})

    def test_strangers(self) -> None:
        """Who is in no chat with an account gets nothing, and the other node is not even asked."""
        carol = self.nodes[A].register("carol")
        asked = self.answers()
        self.assertEqual(query(carol, self.bob), [{"account": self.bob.account}])
        self.assertEqual(asked, [])

    def test_cached(self) -> None:
        """An answer is good for some seconds; a change is known at once."""
        self.ask()
        asked = self.answers(self.said(THIRD, self.since + 1))
        self.assertEqual(query(self.alice, self.bob)[0]["hash"], FIRST.hash)
        self.assertEqual(asked, [])
        self.says(FIRST.hash, SECOND.hash, self.since + 5)
        self.alice.take()
        query(self.alice, self.bob)
        self.assertEqual(len(asked), 1)

    def test_away(self) -> None:
        """While the other node is away the hash is there that is known, and all else as ever."""
        self.nodes.away.add(B)
        publish(self.alice, SECOND)
        found = self.ask(self.bob, self.alice)
        self.assertEqual(found[0], {"account": self.bob.account, "unavailable": True})
        self.nodes.away.clear()
        self.ask()
        self.nodes.away.add(B)
        found = self.ask(self.bob, self.alice)
        self.assertEqual(found[0], self.unknown(FIRST, self.since))
        self.assertEqual(found[1]["identity"]["sign"], SECOND.sign)

    def test_silent(self) -> None:
        """A node that does not answer is waited for three seconds, and then not asked for a while."""
        count: list[int] = []

        def ask(*_: object) -> "Deferred[Any]":
            count.append(1)
            return Deferred()

        self.patch(self.nodes.peers[A], "ask", ask)
        number = self.alice.ask("keys.query", accounts=[self.bob.account])
        self.nodes[A].clock.advance(asking.PATIENCE - 0.1)
        self.assertIsNone(self.alice.answer(number))
        self.nodes[A].clock.advance(0.2)
        answer = self.alice.answer(number)
        assert answer is not None
        self.assertEqual(answer["keys"], [{"account": self.bob.account, "unavailable": True}])
        query(self.alice, self.bob)
        self.assertEqual(len(count), 1)
        self.nodes[A].clock.advance(asking.FRESH)
        self.alice.ask("keys.query", accounts=[self.bob.account])
        self.assertEqual(len(count), 2)

    def test_refused(self) -> None:
        """A question that a node refuses keeps it from answering nobody else."""
        ask = self.nodes.peers[A].ask
        for code in (Code.RATE_LIMITED, Code.NOT_FOUND, Code.INVALID_PARAMS):
            self.patch(self.nodes.peers[A], "ask", lambda *_, code=code: fail(Problem(code)))
            self.assertEqual(self.ask()[0]["unavailable"], True)
            self.patch(self.nodes.peers[A], "ask", ask)
            self.assertEqual(query(self.alice, self.bob)[0]["hash"], FIRST.hash)

    def test_many_at_once(self) -> None:
        """What is heard of many accounts in one answer is one commit; what is refused refuses no other."""
        others = [self.nodes[B].register(f"other{number}") for number in range(20)]
        for other in others:
            befriend_across(self.alice, other)
            publish(other, FIRST)
        commits: list[object] = []
        database = self.nodes[A].database
        transact = database.transact

        def counted(store: Any) -> Any:
            commits.append(store)
            return transact(store)

        self.patch(database, "transact", counted)
        found = self.ask(*others)
        self.assertEqual([each["hash"] for each in found], [FIRST.hash] * 20)
        self.assertEqual(len(commits), 1)
        self.ask(*others)
        self.assertEqual(len(commits), 1)
        self.answers(
            *(
                self.said(SECOND, self.now + (10**9 if place % 2 else 1), other.account)
                for place, other in enumerate(others)
            )
        )
        found = self.ask(*others)
        self.assertEqual([each["hash"] for each in found], [SECOND.hash, FIRST.hash] * 10)
        self.assertEqual(len(commits), 2)
        expected = [each for one in others[::2] for each in changes(one, FIRST, SECOND)]
        self.assertCountEqual(told(self.alice), expected)

    def test_restarted(self) -> None:
        """After a restart of his node the hash is there, and the keys when he has published them again."""
        self.nodes.restart(B)
        self.assertEqual(self.ask(), [self.unknown(FIRST, self.since)])
        self.bob = self.back(self.bob)
        publish(self.bob, FIRST)
        self.assertEqual(query(self.alice, self.bob)[0]["identity"]["sign"], FIRST.sign)
        self.assertEqual(told(self.alice), [])

    def test_launches(self) -> None:
        """Launch keys go to contacts at other nodes, and are asked for each time."""
        for pair in (SECOND, THIRD):
            self.bob.call("keys.launch", sign=pair.sign, box=pair.box, at=LAUNCHED)
            [found] = query(self.alice, self.bob, launches=True)
            expected = [{"device": self.bob.device, "sign": pair.sign, "box": pair.box, "at": LAUNCHED}]
            self.assertEqual(found["launches"], expected)
        signature = FIRST.bind(self.bob.account, self.bob.device, SECOND)
        self.bob.call("keys.launch", sign=SECOND.sign, box=SECOND.box, at=LAUNCHED, signature=signature)
        [found] = query(self.alice, self.bob, launches=True)
        self.assertEqual(found["launches"][0]["bound"], signature)
        self.assertNotIn("launches", query(self.alice, self.bob)[0])

    def test_not_a_contact_any_more(self) -> None:
        """Who was removed still gets keys, as the chat is there, and launch keys no more."""
        self.bob.call("keys.launch", sign=SECOND.sign, box=SECOND.box, at=LAUNCHED)
        self.bob.call("contact.remove", account=self.alice.account)
        self.settle()
        [found] = query(self.alice, self.bob, launches=True)
        self.assertEqual((found["hash"], found.get("launches")), (FIRST.hash, None))


class ChangeTests(KeysAcrossCase):
    """Bob's keys change."""

    def test_told(self) -> None:
        """Alice hears of it, whether or not she has asked before, also a device that was away."""
        since = self.alice.cursor
        self.swap(SECOND, FIRST)
        self.settle()
        self.assertEqual(told(self.alice), changes(self.bob, FIRST, SECOND))
        self.ask()
        self.swap(THIRD, SECOND)
        self.settle()
        self.assertEqual(told(self.alice), changes(self.bob, SECOND, THIRD))
        self.assertEqual(self.ask()[0]["identity"]["sign"], THIRD.sign)
        self.alice.resume(since)
        self.settle()
        self.assertEqual(told(self.alice), changes(self.bob, FIRST, SECOND, THIRD))
        log = self.alice.call("keys.log", account=self.bob.account)["entries"]
        self.assertEqual([entry["hash"] for entry in log], hashes((THIRD, SECOND)))

    def test_damaged_chat(self) -> None:
        """Also where the chat cannot be opened any more, at one node or the other."""
        for node in (A, B):
            self.nodes[node].database.execute("UPDATE chats SET sealed = ?", b"\x01" + bytes(60))
        self.swap(SECOND, FIRST)
        self.settle()
        self.assertEqual(told(self.alice), changes(self.bob, FIRST, SECOND))
        self.flushLoggedErrors()

    def test_before_messages(self) -> None:
        """What changed while the other node was away is told in order, and before the messages."""
        self.nodes.away.add(A)
        self.write(self.bob, "hello")
        self.swap(SECOND, FIRST)
        self.swap(THIRD, SECOND)
        self.nodes.away.clear()
        self.settle()
        seen = [event["method"] for event in self.alice.take("keys.changed", "chat.message")]
        self.assertEqual(seen, ["keys.changed", "keys.changed", "chat.message"])

    def test_asked_before_it_was_told(self) -> None:
        """An answer with another hash is a change that is told; the event behind it says nothing new."""
        self.ask()
        self.nodes.peers[B].held.add(A)
        self.swap(SECOND, FIRST)
        self.assertEqual(self.ask()[0]["hash"], SECOND.hash)
        self.assertEqual(told(self.alice), changes(self.bob, FIRST, SECOND))
        self.nodes.peers[B].held.clear()
        self.settle()
        self.assertEqual(told(self.alice), [])

    def test_first_seen_after_a_change(self) -> None:
        """Where the first thing that is seen is an answer from after a change, that is told all the same."""
        self.nodes.peers[B].held.add(A)
        self.swap(SECOND, FIRST)
        self.ask()
        self.assertEqual(told(self.alice), [])
        self.nodes.peers[B].held.clear()
        self.settle()
        self.assertEqual(told(self.alice), changes(self.bob, FIRST, SECOND))

    def test_and_back(self) -> None:
        """Keys that come back are two changes, in whatever order they are heard of."""
        self.ask()
        at = self.since
        self.assertIsNone(self.says(SECOND.hash, FIRST.hash, at + 2))
        self.assertIsNone(self.says(FIRST.hash, SECOND.hash, at + 1))
        self.assertEqual(told(self.alice), [])
        self.assertEqual(self.ask()[0]["hash"], FIRST.hash)
        self.assertEqual(told(self.alice), [])

    def test_and_back_while_somebody_asks(self) -> None:
        """Keys that came back before they were asked for: what they were in between is told all the same."""
        self.ask()
        self.nodes.peers[B].held.add(A)
        self.swap(SECOND, FIRST)
        self.swap(FIRST, SECOND)
        self.assertEqual(self.ask()[0]["hash"], FIRST.hash)
        self.assertEqual(told(self.alice), [])
        self.nodes.peers[B].held.clear()
        self.settle()
        self.assertEqual(told(self.alice), changes(self.bob, FIRST, SECOND, FIRST))
        log = self.alice.call("keys.log", account=self.bob.account)["entries"]
        self.assertEqual([entry["hash"] for entry in log], hashes((FIRST, SECOND, FIRST)))

    def test_an_answer_of_before(self) -> None:
        """An answer that was on its way while keys changed is not handed out, and is no change."""
        self.ask()
        stale = self.said(FIRST, self.since)
        self.swap(SECOND, FIRST)
        self.settle()
        self.assertEqual(told(self.alice), changes(self.bob, FIRST, SECOND))
        self.answers(stale)
        found = self.ask()[0]
        self.assertEqual((found["hash"], found.get("identity")), (SECOND.hash, None))
        self.assertEqual(told(self.alice), [])

    def test_restarts(self) -> None:
        """The node that hears of changes may be started anew: its log tells what is known."""
        self.ask()
        self.nodes.restart(A)
        self.alice = self.back(self.alice)
        self.ask()
        self.settle()
        self.assertEqual(told(self.alice), [])
        self.swap(SECOND, FIRST)
        self.settle()
        self.assertEqual(told(self.alice), changes(self.bob, FIRST, SECOND))

    def test_closed(self) -> None:
        """Nothing is shown of the keys of an account elsewhere that was closed; its last hash is kept."""
        self.ask()
        self.bob.call("account.pin.set", pin="480216", password="correct horse battery")
        self.bob.call("session.block", pin="480216")
        self.settle()
        self.assertEqual(self.nodes[A].database.count("key_log"), 1)
        self.assertEqual(self.ask(), [{"account": self.bob.account}])


class GroupTests(GroupsAcrossCase):
    """Members of groups of several nodes."""

    def test_members(self) -> None:
        """All members hear of it, at the hub and at nodes that hold copies, and can ask."""
        self.group(self.bob, self.ben, self.carol)
        inside = [self.alice, self.bob, self.ben, self.carol]
        for client in inside:
            publish(client, FIRST)
            publish(client, SECOND, replaces=FIRST.hash)
            self.settle()
            for other in inside:
                self.assertEqual(told(other), changes(client, FIRST, SECOND), client.address)
                [found] = query(other, client)
                self.assertEqual(found["identity"]["sign"], SECOND.sign)
            contact = changes(client, FIRST, SECOND) if client is self.alice else []
            self.assertEqual(told(self.amy), contact)

    def test_afterwards(self) -> None:
        """Who has left hears nothing any more, and gets nothing."""
        chat = self.group(self.bob, self.carol)
        publish(self.bob, FIRST)
        self.assertEqual(query(self.carol, self.bob)[0]["hash"], FIRST.hash)
        self.come(self.carol, "group.leave", chat=chat)
        publish(self.bob, SECOND, replaces=FIRST.hash)
        self.settle()
        self.assertEqual(told(self.alice), changes(self.bob, FIRST, SECOND))
        self.assertEqual(told(self.carol), [])
        self.assertEqual(query(self.carol, self.bob), [{"account": self.bob.account}])
