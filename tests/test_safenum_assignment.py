"""Who has which SafeNUM: given at sign-up while there are any, kept, told, and given anew long after."""

from typing import Any

from twisted.internet.defer import Deferred

from safeum_home.client.errors import RemoteProblem
from safeum_home.config_safenum import SafenumSection
from safeum_home.errors import Code, Problem
from safeum_home.ids import AccountId
from safeum_home.jobs import AGAIN
from safeum_home.storage.numbers import without
from tests.closing_case import PIN
from tests.safenum_case import DAY, HOUR, SafenumCase, file
from tests.sdk_world import SdkDevice
from tests.world import PASSWORD, Client, Refused, World

ONE = file("+3544900001")
TWO = file("+3544900001", "+3544900002")


class GivingTests(SafenumCase):
    def test_while_there_are_any(self) -> None:
        """Each who signs up has one, of the range, and its own; when they are out, people sign up without."""
        world = self.start(TWO)
        alice, bob, carol = map(world.register, ("alice", "bob", "carol"))
        self.assertEqual({self.number(alice), self.number(bob)}, {"+3544900001", "+3544900002"})
        self.assertIsNone(self.number(carol))
        self.assertEqual(self.left(), 0)
        for client in (alice, bob):
            number = self.number(client)
            assert number is not None
            self.assertEqual(self.owner(number), client.account)
        self.assertIsNone(self.owner("+3544900003"))

    def test_the_last_one(self) -> None:
        """Two sign up in one group of commits, and one number is left: one of them has it."""
        world = self.start(ONE)
        world.database.hold = True
        both = Client(world), Client(world)
        asked = [
            client.ask(
                "account.register",
                username=name,
                password=PASSWORD,
                device={"name": "laptop", "system": "Debian 12"},
                consent=world.domain.control.policy.now.version,
            )
            for client, name in zip(both, ("alice", "bob"), strict=True)
        ]
        world.settle()
        self.assertEqual(world.database.held, 2)
        world.database.hold = False
        world.database.release()
        world.settle()
        for client, number in zip(both, asked, strict=True):
            answer = client.answer(number)
            assert answer is not None
            client.opened(answer)
        self.assertEqual(sorted(map(str, map(self.number, both))), ["+3544900001", "None"])

    def test_in_the_commit_of_the_sign_up(self) -> None:
        """A sign-up that is not stored takes no number."""
        world = self.start(ONE)
        world.database.failing = True
        self.assertRaises(Refused, world.register, "alice")
        world.database.failing = False
        self.assertEqual(self.left(), 1)
        self.assertEqual(self.number(world.register("alice")), "+3544900001")

    def test_at_the_next_login(self) -> None:
        """Who came before there were numbers has one when a device logs in; devices and contacts learn."""
        world = self.start()
        alice, bob = world.register("alice"), world.register("bob")
        world.befriend(alice, bob)
        bob.call("profile.set", profile={"show_safenum": True})
        away = bob.cursor
        self.load(ONE)
        alice.take()
        bob.take()
        tablet = world.login("bob")
        for client in (alice, bob, tablet):
            [event] = client.take("profile.changed")
            self.assertEqual(event["params"]["profile"]["safenum"], "+3544900001")
        bob.resume(away)
        self.assertEqual(
            [each["params"]["profile"]["safenum"] for each in bob.take("profile.changed")][-1:],
            ["+3544900001"],
        )
        world.login("bob")
        self.assertEqual(alice.take("profile.changed"), [])

    def test_when_it_can_be_stored(self) -> None:
        """Where the database goes away behind a login there need not be another one."""
        world = self.start()
        alice = world.register("alice")
        self.load(ONE)
        world.database.failing = True
        world.domain.numbers.giving.logged_in(AccountId(alice.account))
        world.settle(60)
        self.assertIsNone(self.number(alice))
        world.database.failing = False
        world.settle(AGAIN)
        self.assertEqual(self.number(alice), "+3544900001")

    def test_hidden(self) -> None:
        """Its owner sees it; contacts only once it is shown."""
        world = self.start(TWO)
        alice, bob = world.register("alice"), world.register("bob")
        world.befriend(alice, bob)
        self.assertIsNone(self.seen(alice, bob))
        bob.call("profile.set", profile={"show_safenum": True})
        self.assertEqual(self.seen(alice, bob), self.number(bob))
        bob.call("profile.set", profile={"show_safenum": False})
        self.assertIsNone(self.seen(alice, bob))

    def test_on_request(self) -> None:
        """Nothing is given unasked; asked twice, it is the same one. With none left it is refused."""
        world = self.start(ONE, assign="request")
        alice, bob = world.register("alice"), world.register("bob")
        world.login("alice")
        self.assertIsNone(self.number(alice))
        alice.take()
        for _ in range(2):
            self.assertEqual(alice.call("safenum.request"), {"safenum": "+3544900001"})
        self.assertEqual(len(alice.take("profile.changed")), 1)
        error = self.assertRaises(Refused, bob.call, "safenum.request")
        self.assertEqual(error.code, "limit_reached")

    def test_by_the_sdk(self) -> None:
        world = self.start(ONE, assign="request")
        alice, bob = SdkDevice(world).register("alice"), SdkDevice(world).register("bob")
        self.assertEqual(alice.do(alice.client.request_safenum()).safenum, "+3544900001")
        self.assertEqual(alice.do(alice.client.profile()).profile.safenum, "+3544900001")
        error = self.assertRaises(RemoteProblem, bob.do, bob.client.request_safenum())
        self.assertTrue(error.of(Code.LIMIT_REACHED))

    def test_by_the_operator_alone(self) -> None:
        world = self.start(ONE, assign="never")
        alice = world.register("alice")
        world.login("alice")
        self.assertRaises(Refused, alice.call, "safenum.request")
        self.assertEqual(self.left(), 1)
        self.give(alice)
        self.assertEqual(alice.call("safenum.request"), {"safenum": "+3544900001"})

    def test_to_all_without(self) -> None:
        """Who has none gets one, until none is left; who has one keeps it. They are found by pages."""
        world = self.start(assign="never")
        people = [world.register(name) for name in ("alice", "bob", "carol", "dave")]
        self.load(file("+3544900000", "+3544900002"))
        self.give(people[0])
        number, blinder = self.number(people[0]), world.domain.numbers.giving
        pages = [world.database.now(lambda c: without(c, b"", 2))]
        pages.append(world.database.now(lambda c: without(c, pages[0][-1], 2)))
        self.assertEqual([len(page) for page in pages], [2, 1])
        accounts = [AccountId(each.account) for each in people]
        done = self.successResultOf(Deferred.fromCoroutine(blinder.give_some(accounts)))
        self.assertEqual((done, self.left(), self.number(people[0])), (2, 0, number))
        self.assertEqual(len(world.database.now(lambda c: without(c, b"", 9))), 1)

    def test_to_all_while_the_storage_is_away(self) -> None:
        """Who gives them learns that not all have one. One that was closed meanwhile is passed over."""
        world = self.start(assign="never")
        account, closed = AccountId(world.register("alice").account), AccountId("@nobody")
        self.load(file("+3544900000", "+3544900002"))
        giving = world.domain.numbers.giving
        world.database.failing = True
        asked = Deferred.fromCoroutine(giving.give_some([closed, account]))
        self.assertIs(self.failureResultOf(asked, Problem).value.code, Code.STORAGE_UNAVAILABLE)
        world.database.failing = False
        asked = Deferred.fromCoroutine(giving.give_some([closed, account]))
        self.assertEqual(self.successResultOf(asked), 1)

    def test_damaged(self) -> None:
        """A range that cannot be opened keeps nobody from signing up, nor from the next range."""
        world = self.start(ONE)
        self.load(file("+3544900002"))
        world.database.execute("UPDATE stock SET sealed = x'00' WHERE stock = 1")
        self.assertEqual(self.number(world.register("alice")), "+3544900002")
        self.assertIsNone(self.number(world.register("bob")))


class QuarantineTests(SafenumCase):
    def block(self, client: Client) -> None:
        client.call("account.pin.set", password=PASSWORD, pin=PIN)
        Client(self.world).call("account.block", username="alice", pin=PIN)
        self.world.settle()

    def test_after_a_block(self) -> None:
        """Nobody is called by it, and nobody has it, until the days are over: not an hour before."""
        world = self.start(ONE, quarantine_days=180)
        self.block(world.register("alice"))
        self.assertIsNone(self.owner("+3544900001"))
        world.clock.advance(180 * DAY - 1)
        self.assertIsNone(self.number(world.register("bob")))
        world.clock.advance(HOUR + 1)
        self.assertEqual(self.number(world.register("carol")), "+3544900001")

    def test_released(self) -> None:
        """The same where it was taken back. Its owner waits as anybody else, and learns at once."""
        world = self.start(ONE, quarantine_days=1)
        alice = world.register("alice")
        alice.take()
        self.take_back(alice)
        [event] = alice.take("profile.changed")
        self.assertIsNone(event["params"]["profile"]["safenum"])
        self.assertRaises(Refused, alice.call, "safenum.request")
        world.clock.advance(DAY + HOUR)
        self.assertEqual(alice.call("safenum.request"), {"safenum": "+3544900001"})

    def test_another_process(self) -> None:
        """It waits on across a restart, also where the setting says less by then."""
        world = self.start(ONE, quarantine_days=10)
        self.block(world.register("alice"))
        section = SafenumSection(quarantine_days=0)
        self.world = World(world.database, world.vault, clock=world.clock, safenum=section)
        self.world.clock.advance(10 * DAY - 1)
        self.assertIsNone(self.number(self.world.register("bob")))

    def test_what_is_new_comes_first(self) -> None:
        """A number that somebody has had is given when there is no other one."""
        world = self.start(TWO, quarantine_days=0)
        alice = world.register("alice")
        had = self.number(alice)
        self.block(alice)
        world.clock.advance(2 * HOUR)
        self.assertNotEqual(self.number(world.register("bob")), had)
        self.assertEqual(self.number(world.register("carol")), had)

    def test_nothing_leads_back(self) -> None:
        """No row of a closed account's number has its blind index."""
        world = self.start(ONE)
        alice = world.register("alice")
        blind = world.vault.blinder.account(AccountId(alice.account))
        asked = "SELECT count(*) FROM numbers WHERE account = ?"

        def count() -> int:
            return int(world.database.now(lambda c: c.exec_driver_sql(asked, (blind,)).scalar_one()))

        self.assertEqual(count(), 1)
        self.block(alice)
        self.assertEqual((count(), world.database.count("numbers")), (0, 1))


class DiskTests(SafenumCase):
    def test_no_number(self) -> None:
        """Neither a number, nor the beginning of one, nor a country lies in the database."""
        world = self.start(file("+3544987654", "+3544987659"))
        numbers = [self.number(world.register(name)) for name in ("alice", "bob")]
        driver: Any = world.database.connection.connection.driver_connection
        dump = "\n".join(driver.iterdump()).lower()
        self.assertIn("insert into", dump)
        for number in (*numbers, "+3544987654", "+3544987659"):
            assert number is not None
            for text in (number, number[1:], number[:9], "voice-in"):
                self.assertNotIn(text, dump)
                self.assertNotIn(text.encode().hex(), dump)
            self.assertNotIn(f"{int(number[1:]):x}", dump)
