"""Public keys at one node: published, asked for, and changed, which everybody hears of who is concerned."""

from safeum_home.keys import log as key_log
from safeum_home.protocol.signing import decode_octets, encode_octets
from tests.keys_case import (
    FIRST,
    LAUNCHED,
    SECOND,
    THIRD,
    KeysCase,
    Pair,
    changes,
    hashes,
    publish,
    query,
    told,
)
from tests.world import Client, Refused, World


class PublishingTests(KeysCase):
    """What is published is in memory, and its hash in the log."""

    def test_first(self) -> None:
        """Who is in a chat with the account gets what it has published; nobody is told."""
        published = publish(self.alice, FIRST)
        [found] = query(self.bob, self.alice)
        self.assertEqual(found["identity"], FIRST.identity(self.alice.account))
        self.assertEqual((found["hash"], found["since"]), (FIRST.hash, published["since"]))
        self.assertEqual(told(self.bob), [])

    def test_again(self) -> None:
        """The same keys are published by each device and after each reconnection: nothing changes."""
        publish(self.alice, FIRST)
        rows = self.world.database.now(lambda c: c.exec_driver_sql("SELECT * FROM key_log").all())
        publish(self.world.login("alice"), FIRST, at=5)
        [found] = query(self.bob, self.alice)
        self.assertEqual(found["identity"]["at"], 1)
        self.assertEqual(
            self.world.database.now(lambda c: c.exec_driver_sql("SELECT * FROM key_log").all()), rows
        )

    def test_after_a_restart(self) -> None:
        """Until they are published again the hash alone is there; then all is as before, nobody is told."""
        since = publish(self.alice, FIRST)["since"]
        self.restart()
        [found] = query(self.bob, self.alice)
        self.assertEqual(
            found,
            {"account": self.alice.account, "hash": FIRST.hash, "since": since, "unavailable": True},
        )
        self.assertEqual(publish(self.alice, FIRST), {"hash": FIRST.hash, "since": since})
        self.assertEqual(query(self.bob, self.alice)[0]["identity"]["sign"], FIRST.sign)
        self.assertEqual(told(self.bob), [])

    def test_nothing_is_written_again(self) -> None:
        """After a restart the log is read, and not written: all who come back then publish."""
        publish(self.alice, FIRST)
        self.restart()
        self.patch(self.world.database, "transact", lambda *_: self.fail("written"))
        publish(self.alice, FIRST)

    def test_replaced_while_it_was_read(self) -> None:
        """What was in force when it was looked at may be so no more, be that known or doubted."""
        publish(self.alice, FIRST)
        for twin in (False, True):
            self.restart()
            database, other = self.world.database, Client(World(self.world.database, self.world.vault))
            device = other.login("alice") if twin else self.world.login("alice")
            database.hold_reads = True
            asked = self.alice.ask("keys.publish", identity=FIRST.identity(self.alice.account))
            database.hold_reads = False
            publish(device, SECOND, replaces=FIRST.hash)
            if twin:
                self.world.domain.forget()
            database.answer_reads()
            self.assertEqual(self.assertRaises(Refused, self.alice.answer, asked).code, "key_mismatch")
            self.assertEqual(query(self.bob, self.alice)[0]["hash"], SECOND.hash)
            publish(device, FIRST, replaces=SECOND.hash)

    def test_others_are_refused(self) -> None:
        """Other keys are refused, with what is in force, be it after a restart or in between."""
        since = publish(self.alice, FIRST)["since"]
        for begin in (lambda: None, self.restart):
            begin()
            for replaces in (None, SECOND.hash):
                identity = SECOND.identity(self.alice.account)
                refused = self.refused(
                    "key_mismatch", self.alice, "keys.publish", identity=identity, replaces=replaces
                )
                self.assertEqual(refused.error["data"]["detail"], f"{FIRST.hash} since {since}")
        self.assertEqual(told(self.bob), [])
        self.assertEqual(query(self.bob, self.alice)[0]["hash"], FIRST.hash)

    def test_signatures(self) -> None:
        """Keys that are not signed by their owner, for this account and this time, are not taken."""
        good = FIRST.identity(self.alice.account)
        bad = [
            FIRST.identity(self.bob.account),
            {**good, "at": 2},
            {**good, "box": SECOND.box},
            {**good, "sign": SECOND.sign},
            {**good, "signature": SECOND.identity(self.alice.account)["signature"]},
            {**good, "signature": good["signature"][:-1] + "_"},
        ]
        for identity in bad:
            self.refused("bad_keys", self.alice, "keys.publish", identity=identity)
        self.refused("invalid_params", self.alice, "keys.publish", identity={**good, "box": good["box"][1:]})
        self.assertEqual(query(self.bob, self.alice), [{"account": self.alice.account}])

    def test_points(self) -> None:
        """No secret can be agreed on with a point of small order, and there is one form of each key."""
        order = 2**255 - 19
        eight = 0xB8495F16056286FDB1329CEB8D09DA6AC49FF1FAE35616AEB8413B7C7AEBE0
        high = int.from_bytes(decode_octets(FIRST.box, 32) or b"", "little") + 2**255
        for point in (0, 1, eight, order - 1, order, order + 1, high):
            pair = Pair(7)
            pair.box = encode_octets(point.to_bytes(32, "little"))
            self.refused("bad_keys", self.alice, "keys.publish", identity=pair.identity(self.alice.account))
            self.refused("bad_keys", self.alice, "keys.launch", sign=pair.sign, box=pair.box, at=LAUNCHED)

    def test_too_often(self) -> None:
        """How often an account publishes, and how often others than before, is limited."""
        self.limits = {"key_changes_per_account": 0.001, "key_changes_per_account_burst": 2}
        self.setUp()
        publish(self.alice, Pair(1))
        for _ in range(2):  # these change nothing
            self.restart()
            publish(self.alice, Pair(1), replaces=Pair(1).hash)
        for number in (1, 2):
            publish(self.alice, Pair(number + 1), replaces=Pair(number).hash)
        identity = Pair(4).identity(self.alice.account)
        self.refused("rate_limited", self.alice, "keys.publish", identity=identity, replaces=Pair(3).hash)
        publish(self.alice, Pair(3))


class ChangeTests(KeysCase):
    """Keys that replace others."""

    def setUp(self) -> None:
        super().setUp()
        publish(self.alice, FIRST)

    def test_told(self) -> None:
        """Contacts hear of it, and the account's own devices; strangers do not."""
        tablet = self.world.login("alice")
        tablet.take()
        since = publish(self.alice, SECOND, replaces=FIRST.hash)["since"]
        for client in (self.alice, tablet, self.bob):
            [event] = client.take("keys.changed")
            about = {"account": self.alice.account, "before": FIRST.hash, "after": SECOND.hash, "at": since}
            self.assertEqual(event["params"], about | {"cursor": event["params"]["cursor"]})
        self.assertEqual(told(self.carol), [])
        self.assertEqual(query(self.bob, self.alice)[0]["identity"]["sign"], SECOND.sign)

    def test_members_of_groups(self) -> None:
        """Who is in a group with the account hears of it, once however many chats they share."""
        dave = self.world.register("dave")
        for other in (self.bob, self.carol, dave):
            if other is not self.bob:
                self.world.befriend(self.alice, other)
        group = self.alice.call("group.create", client_id="g", name="us")["chat"]["chat"]
        for other in (self.bob, self.carol):
            self.alice.call("group.invite", chat=group, accounts=[other.account])
            other.call("group.accept", chat=group)
        self.world.settle()
        publish(self.carol, FIRST)
        publish(self.carol, SECOND, replaces=FIRST.hash)
        for other in (self.alice, self.bob):
            self.assertEqual(told(other), changes(self.carol, FIRST, SECOND))
        self.assertEqual(told(dave), [])

    def test_damaged_chat(self) -> None:
        """Who is in a chat with the account that cannot be opened any more hears of it all the same."""
        self.world.database.execute("UPDATE chats SET sealed = ?", b"\x01" + bytes(60))
        self.restart()
        publish(self.alice, SECOND, replaces=FIRST.hash)
        self.assertEqual(told(self.bob), changes(self.alice, FIRST, SECOND))
        self.assertEqual(told(self.carol), [])
        self.flushLoggedErrors()

    def test_away(self) -> None:
        """A device that was away hears of each change once, in order."""
        self.bob.resume(self.bob.cursor)
        self.world.settle()
        self.bob.take()
        since = self.world.cursor
        self.bob.drop()
        publish(self.alice, SECOND, replaces=FIRST.hash)
        publish(self.alice, THIRD, replaces=SECOND.hash)
        for _ in range(2):
            self.bob.resume(since)
            self.world.settle()
            self.assertEqual(told(self.bob), changes(self.alice, FIRST, SECOND, THIRD))
        self.carol.resume(since)
        self.world.settle()
        self.assertEqual(told(self.carol), [])

    def test_two_at_once(self) -> None:
        """Of two that replace the same keys one is taken."""
        publish(self.alice, SECOND, replaces=FIRST.hash)
        identity = THIRD.identity(self.alice.account)
        self.refused("key_mismatch", self.alice, "keys.publish", identity=identity, replaces=FIRST.hash)
        self.assertEqual(told(self.bob), changes(self.alice, FIRST, SECOND))

    def test_log(self) -> None:
        """Which keys there were is shown to who is in a chat with the account, page by page."""
        publish(self.alice, SECOND, replaces=FIRST.hash)
        publish(self.alice, FIRST, replaces=SECOND.hash)
        page = self.bob.call("keys.log", account=self.alice.account, limit=2)
        self.assertEqual([entry["hash"] for entry in page["entries"]], hashes((FIRST, SECOND)))
        self.assertTrue(page["more"])
        rest = self.bob.call("keys.log", account=self.alice.account, before=page["entries"][-1]["number"])
        self.assertEqual([entry["number"] for entry in rest["entries"]], [0])
        times = [entry["at"] for entry in page["entries"] + rest["entries"]]
        self.assertEqual(len(set(times)), 3)
        self.assertEqual(sorted(times, reverse=True), times)
        for other in (self.carol, self.bob):
            stranger = self.alice.account if other is self.carol else self.carol.account
            self.assertEqual(other.call("keys.log", account=stranger), {"entries": [], "more": False})

    def test_old_entries(self) -> None:
        """The log of an account has a bound."""
        self.patch(key_log, "MOST_KEPT", 3)
        for number in range(1, 8):
            publish(self.alice, Pair(number + 1), replaces=Pair(number).hash)
        entries = self.bob.call("keys.log", account=self.alice.account)["entries"]
        self.assertEqual([entry["hash"] for entry in entries], hashes(map(Pair, (8, 7, 6))))

    def test_stored_and_not_told(self) -> None:
        """Where a change is on disk though its answer was lost, what is in memory is in force no more."""
        publish(self.bob, THIRD)
        twin = World(self.world.database, self.world.vault)
        device = Client(twin).login("alice")
        publish(device, SECOND, replaces=FIRST.hash)
        self.world.domain.forget()
        [shown, other] = query(self.bob, self.alice, self.bob)
        self.assertEqual((shown["hash"], shown["unavailable"]), (SECOND.hash, True))
        self.assertEqual(other["identity"]["sign"], THIRD.sign)
        identity = FIRST.identity(self.alice.account)
        self.refused("key_mismatch", self.alice, "keys.publish", identity=identity)
        publish(self.alice, SECOND)
        self.assertEqual(query(self.bob, self.alice)[0]["identity"]["sign"], SECOND.sign)
        publish(self.bob, THIRD)

    def test_damaged(self) -> None:
        """Where an entry cannot be opened any more it is not shown, as of keys that are not there."""
        self.world.database.execute("UPDATE key_log SET sealed = ?", b"\x01" + bytes(60))
        self.restart()
        self.assertEqual(query(self.bob, self.alice), [{"account": self.alice.account, "unavailable": True}])
        self.flushLoggedErrors()


class QueryTests(KeysCase):
    """Who is shown what."""

    def test_strangers(self) -> None:
        """A stranger, nobody, and somebody without keys are answered alike."""
        publish(self.alice, FIRST)
        nobody = "@aaaaaaaaaaaaaaaaaaaaaaaaaa:home.example"
        asked = [self.alice.account, nobody, self.bob.account]
        answer = self.carol.call("keys.query", accounts=asked)["keys"]
        self.assertEqual(answer, [{"account": account} for account in asked])

    def test_order(self) -> None:
        """Answers come in the order of the question, also where one is asked for twice."""
        for client, pair in ((self.alice, FIRST), (self.bob, SECOND)):
            publish(client, pair)
        found = query(self.alice, self.bob, self.alice, self.carol, self.bob)
        self.assertEqual([each.get("hash") for each in found], [SECOND.hash, FIRST.hash, None, SECOND.hash])

    def test_bounds(self) -> None:
        """A query has a bound, and so has how much is asked for."""
        self.refused("invalid_params", self.alice, "keys.query", accounts=[])
        self.refused("invalid_params", self.alice, "keys.query", accounts=[self.bob.account] * 101)
        self.limits = {"key_queries_per_account": 1, "key_queries_per_account_burst": 100}
        self.setUp()
        self.alice.call("keys.query", accounts=[self.bob.account] * 90)
        self.refused("rate_limited", self.alice, "keys.query", accounts=[self.bob.account] * 20)

    def test_closed(self) -> None:
        """Nothing is left of an account that was closed."""
        publish(self.alice, FIRST)
        self.alice.call("account.pin.set", pin="480216", password="correct horse battery")
        self.alice.call("session.block", pin="480216")
        self.world.settle()
        self.assertEqual(query(self.bob, self.alice), [{"account": self.alice.account}])
        self.assertEqual(self.world.database.count("key_log"), 0)
