"""The log of calls: when an account has spoken, and for how long; that, and nothing else."""

from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from safeum_home.calls import log as call_log
from safeum_home.calls import times as call_times
from safeum_home.calls.log import DAY
from safeum_home.calls.log_sweep import EVERY, PAUSE, SOON
from safeum_home.calls.times import KeptTimes
from safeum_home.ids import AccountId
from safeum_home.storage import calls as rows
from safeum_home.storage.calls import FIRST, CallRow, put_calls
from tests.keys_case import LAUNCHED as NOW
from tests.world import PASSWORD, Client, World

ONE, TWO, THREE = ("A" * 22, "B" * 22, "C" * 22)
MINUTE = 60_000


class LogCase(SynchronousTestCase):
    def setUp(self) -> None:
        self.world = World()
        self.alice = self.world.register("alice")
        self.bob = self.world.register("bob")
        self.times._since = 0  # tests tell of the past, too

    @property
    def times(self) -> KeptTimes:
        return self.world.domain.call_log.times

    def who(self, client: Client) -> AccountId:
        return AccountId(client.account)

    def now(self) -> int:
        return int(self.world.clock.seconds() * 1000)

    def spoken(self, client: Client, call: str, at: int, until: int) -> None:
        """A call that is over, and stored."""
        self.times.begun(self.who(client), call, at)
        self.times.over(self.who(client), call, until)
        self.world.settle()

    def put(self, account: bytes) -> None:
        """A row that nobody can open."""
        row = CallRow(account, b"c" * 16, b"s" * 60)
        self.world.database.transact(lambda c: put_calls(c, [row]))

    def entries(self, client: Client, **params: Any) -> list[tuple[int, int]]:
        found = client.call("call.log", **params)["calls"]
        return [(entry["at"], entry["seconds"]) for entry in found]

    def restart(self) -> None:
        """The node is killed, and started on what was committed."""
        before = self.world
        self.world = World(before.database, before.vault, clock=before.clock)
        for client in (self.alice, self.bob):
            client.world = self.world
            client.connect()
            client.call("session.resume", token=client.token, since=None)


class LogTests(LogCase):
    def test_both(self) -> None:
        """Each of the two has an entry of its own, from the answer to the end, and nobody else has one."""
        for client in (self.alice, self.bob):
            self.spoken(client, ONE, NOW, NOW + 65_900)
            self.assertEqual(self.entries(client), [(NOW, 65)])
        self.assertEqual(self.entries(self.world.register("carol")), [])

    def test_begun(self) -> None:
        """An entry is there as soon as a call is answered."""
        self.times.begun(self.who(self.alice), ONE, NOW)
        self.world.settle()
        self.assertEqual(self.entries(self.alice), [(NOW, 0)])

    def test_signs_of_life(self) -> None:
        """They are stored every 30 seconds, those of all calls in one commit, and between that not at all."""
        called = [(self.who(client), call) for client in (self.alice, self.bob) for call in (ONE, TWO)]
        for account, call in called:
            self.times.begun(account, call, self.now())
        self.world.settle()
        self.world.clock.advance(7)
        before = self.world.database.transactions
        for second in range(30):
            self.world.clock.advance(1 if second else 0)
            for account, call in called:
                self.times.alive(account, call, self.now())
        self.assertEqual(self.world.database.transactions, before)
        self.world.database.hold = True
        self.world.clock.pump([1.0] * 2)
        self.assertEqual(self.world.database.held, len(called))
        self.world.database.release()
        self.assertEqual(self.world.database.transactions, before + 1)
        self.assertEqual([seconds for _, seconds in self.entries(self.alice)], [36, 36])

    def test_killed(self) -> None:
        """What was open is closed as of the last sign of life that was stored: nothing has to be done."""
        self.times.begun(self.who(self.alice), ONE, self.now())
        self.world.settle()
        for _ in range(5):
            self.world.clock.advance(20)
            self.times.alive(self.who(self.alice), ONE, self.now())
        self.restart()
        [(_, seconds)] = self.entries(self.alice)
        self.assertIn(seconds, range(60, 101))

    def test_goes_on(self) -> None:
        """A call that goes on with the next node goes on with its entry, from when it really began."""
        account, began = self.who(self.alice), self.now()
        self.times.begun(account, ONE, began)
        self.world.settle()
        self.restart()
        self.world.clock.advance(100)
        self.times.begun(account, ONE, began + 5_000)  # a device remembers it otherwise
        self.times.over(account, ONE, began + 120_000)
        self.world.settle()
        self.assertEqual(self.entries(self.alice), [(began, 120)])

    def test_said_again(self) -> None:
        """It is begun once; what is over may begin again; of what is not known nothing follows."""
        account = self.who(self.alice)
        self.times.alive(account, ONE, NOW)
        self.times.over(account, ONE, NOW)
        for at in (NOW, NOW + 1000):
            self.times.begun(account, ONE, at)
        self.times.over(account, ONE, NOW + 2000)
        self.world.settle()
        self.times.begun(account, ONE, NOW + 3000)
        self.times.over(account, ONE, NOW + 9000)
        self.world.settle()
        self.assertEqual(self.entries(self.alice), [(NOW, 9)])

    def test_stopped(self) -> None:
        """What is known when the node stops is stored."""
        account = self.who(self.alice)
        self.times.begun(account, ONE, NOW)
        self.world.settle()
        self.times.alive(account, ONE, NOW + 15_000)
        self.times.begun(account, TWO, NOW - MINUTE)
        self.world.domain.call_log.stop()
        self.restart()
        self.assertEqual(self.entries(self.alice), [(NOW, 15), (NOW - MINUTE, 0)])


class PageTests(LogCase):
    def test_pages(self) -> None:
        """The newest first, page by page; what began in the same millisecond is on the same page."""
        for number, at in enumerate((3, 1, 2, 2, 5, 4)):
            self.spoken(self.alice, f"{number:022}", NOW + at * 1000, NOW + at * 2000)
        expected = [(NOW + at * 1000, at) for at in (5, 4, 3, 2, 2, 1)]
        self.assertEqual(self.entries(self.alice), expected)
        pages, before = [], None
        while True:
            answer = self.alice.call("call.log", limit=2, before=before)
            pages.append([entry["seconds"] for entry in answer["calls"]])
            before = answer["calls"][-1]["at"]
            if not answer["more"]:
                break
        self.assertEqual(pages, [[5, 4], [3, 2, 2], [1]])

    def test_most(self) -> None:
        """The newest are kept."""
        self.patch(call_log, "MOST_KEPT", 10)
        self.patch(call_log, "SLACK", 3)
        for number in range(30):
            self.spoken(self.alice, f"{number:022}", NOW + number, NOW + number)
        self.spoken(self.bob, ONE, NOW, NOW)
        self.assertLessEqual(self.world.database.count("calls"), 10 + 3 + 1)
        newest = [at - NOW for at, _ in self.entries(self.alice)]
        self.assertEqual(newest[:10], list(range(29, 19, -1)))

    def test_forget(self) -> None:
        """An account erases its log; what goes on then is not logged either, what comes later is."""
        for client in (self.alice, self.bob):
            self.spoken(client, ONE, NOW, NOW)
        account = self.who(self.alice)
        self.times.begun(account, TWO, NOW)
        self.alice.call("call.forget")
        self.assertEqual((self.entries(self.alice), self.entries(self.bob)), ([], [(NOW, 0)]))
        self.times.alive(account, TWO, NOW + MINUTE)
        self.times.over(account, TWO, NOW + MINUTE)
        self.world.settle(40)
        self.assertEqual(self.entries(self.alice), [])
        now = self.now()
        self.spoken(self.alice, THREE, now, now + 1000)
        self.assertEqual(self.entries(self.alice), [(now, 1)])

    def test_forgotten_and_heard_of_again(self) -> None:
        """What went on then is not known from before that, should it be logged again."""
        account, began = self.who(self.alice), self.now()
        self.times.begun(account, ONE, began)
        self.world.settle()
        self.world.clock.advance(100)
        forgotten = self.now()
        self.alice.call("call.forget")
        self.world.clock.advance(100)
        self.times.begun(account, ONE, began)
        self.times.over(account, ONE, self.now())
        self.world.settle()
        self.assertEqual(self.entries(self.alice), [(forgotten, 100)])
        self.spoken(self.bob, ONE, began, began + 1000)
        self.assertEqual(self.entries(self.bob), [(began, 1)])

    def test_forgotten_before_the_start(self) -> None:
        """So it is where the node was started anew: of what it has no entry it knows nothing of before."""
        account, began = self.who(self.alice), self.now()
        self.times.begun(account, ONE, began)
        self.times.begun(account, TWO, began)
        self.world.settle()
        self.alice.call("call.forget")
        self.world.clock.advance(100)
        self.restart()
        started = self.now()
        for call in (ONE, TWO):
            self.times.begun(account, call, began)
            self.times.over(account, call, started + 5_000)
        self.world.settle()
        for at, seconds in self.entries(self.alice):
            self.assertIn((at - started) // 1000, (-1, 0))
            self.assertIn(seconds, (5, 6))

    def test_many_forget(self) -> None:
        """Of more accounts than are remembered nothing is known from before one of them forgot."""
        self.patch(call_times, "MOST_FORGOTTEN", 1)
        began = self.now()
        self.world.clock.advance(10)
        forgotten = self.now()
        for client in (self.alice, self.bob):
            client.call("call.forget")
            self.world.clock.advance(10)
        self.spoken(self.alice, ONE, began, began + 60_000)
        self.assertEqual(self.entries(self.alice), [(forgotten, 50)])
        self.assertEqual(len(self.times._forgotten), 1)

    def test_forget_on_the_way(self) -> None:
        """What was on its way to the disk goes as well, also where it has to be tried again."""
        for failing in (False, True):
            self.world.database.hold, self.world.database.failing = True, failing
            self.times.begun(self.who(self.alice), ONE, NOW)
            self.world.settle()
            self.times.forget_account(self.who(self.alice))
            self.world.database.release()
            self.world.database.hold = self.world.database.failing = False
            self.alice.call("call.forget")
            self.world.settle(40)
            self.assertEqual(self.entries(self.alice), [])

    def test_closed(self) -> None:
        """It goes with the account, and what is told of it later finds none."""
        self.spoken(self.alice, ONE, NOW, NOW)
        account = self.who(self.alice)
        self.times.begun(account, TWO, NOW)
        self.world.settle()
        self.alice.call("account.pin.set", password=PASSWORD, pin="480216")
        self.alice.call("session.block", pin="480216")
        self.times.over(account, TWO, NOW)
        self.times.begun(account, THREE, NOW)
        self.world.settle(40)
        self.assertEqual(self.world.database.count("calls"), 0)


class SweepTests(LogCase):
    def setUp(self) -> None:
        super().setUp()
        self.sweep = self.world.domain.call_log.sweep
        self.addCleanup(self.sweep.stop)

    def test_old(self) -> None:
        """What is older than 90 days is not shown, and goes; so does what is of nobody."""
        for client in (self.alice, self.bob):
            self.spoken(client, ONE, NOW - 91 * DAY, NOW - 90 * DAY - MINUTE)
            self.spoken(client, TWO, NOW - 91 * DAY, NOW - 90 * DAY + 2 * MINUTE)
        self.assertEqual(len(self.entries(self.alice)), 1)
        self.put(b"n" * 16)
        self.sweep.start()
        self.assertEqual(self.world.database.count("calls"), 5)
        self.world.clock.advance(SOON)
        self.assertEqual(self.world.database.count("calls"), 2)
        self.world.clock.advance(PAUSE)
        self.assertEqual(self.world.database.count("calls"), 2)
        self.world.clock.advance(EVERY)
        self.assertEqual(self.world.database.count("calls"), 0)

    def test_many(self) -> None:
        """It goes on where it was, also where the database is away for a while."""
        for number in range(1_100):
            self.times.begun(self.who((self.alice, self.bob)[number % 2]), f"{number:022}", NOW - 91 * DAY)
        self.world.settle(1)
        self.world.clock.pump([0.1] * 10)
        self.assertEqual(self.world.database.count("calls"), 1_100)
        self.sweep.start()
        self.world.clock.advance(SOON)
        self.assertEqual(self.world.database.count("calls"), 600)
        self.world.database.failing = True
        self.world.clock.advance(PAUSE)
        self.world.database.failing = False
        self.world.clock.pump([PAUSE] * 2)
        self.assertEqual(self.world.database.count("calls"), 0)

    def test_mixed(self) -> None:
        """All rows are written anew, those that go left out; again and again."""
        for number in range(600):
            self.times.begun(self.who((self.alice, self.bob)[number % 2]), f"{number:022}", NOW)
        self.world.settle(1)
        self.world.clock.pump([0.1] * 10)
        mixed: list[Any] = []
        self.patch(rows, "mix_calls", lambda c, place, last: mixed.append((place, last)))
        self.sweep.start()
        self.world.clock.advance(SOON)
        self.world.clock.advance(PAUSE)
        self.world.clock.advance(EVERY)
        (first, some), rest, again = mixed
        self.assertEqual((first, rest), (FIRST, (some, None)))
        self.assertEqual(again, (first, some))

    def test_damaged(self) -> None:
        """Rows that cannot be opened hold up nothing."""
        self.spoken(self.alice, ONE, NOW - 91 * DAY, NOW - 91 * DAY)
        self.spoken(self.alice, TWO, NOW, NOW + 1000)
        blind = self.world.vault.blinder.account(self.who(self.alice))
        self.put(blind)
        self.assertEqual(self.entries(self.alice), [(NOW, 1)])
        self.sweep.start()
        self.world.clock.advance(SOON)
        self.assertEqual(self.world.database.count("calls"), 2)


class TroubleTests(LogCase):
    def test_database_away(self) -> None:
        """Calls go on without it; what could not be stored is stored later."""
        account = self.who(self.alice)
        self.world.database.failing = True
        self.times.begun(account, ONE, NOW)
        self.times.begun(account, TWO, NOW - MINUTE)
        self.world.settle()
        self.times.over(account, ONE, NOW + 30_000)
        self.world.settle(100)
        self.assertEqual(self.entries(self.alice), [])
        self.world.database.failing = False
        self.times.alive(account, TWO, NOW)
        self.world.settle(62)
        self.assertEqual(self.entries(self.alice), [(NOW, 30), (NOW - MINUTE, 60)])
        self.assertEqual([call for _, call in self.times._held], [TWO])

    def test_bounds(self) -> None:
        """No more than so many are held; further ones are not logged, which is said once."""
        self.patch(call_times, "MOST_HELD", 3)
        self.world.database.failing = True
        for number in range(10):
            self.times.begun(self.who(self.alice), f"{number:022}", NOW)
            self.times.over(self.who(self.alice), f"{number:022}", NOW)
            self.world.settle()
        self.assertEqual(len(self.times._held), 3)
        self.world.database.failing = False
        self.world.settle(62)
        self.assertEqual(len(self.entries(self.alice)), 3)
        self.spoken(self.alice, ONE, NOW, NOW)
        self.assertEqual(len(self.entries(self.alice)), 4)

    def test_nothing_is_left(self) -> None:
        """What is over and stored is in memory no more, and no timer waits for anything."""
        self.spoken(self.alice, ONE, NOW, NOW)
        self.world.settle(62)
        self.assertEqual(self.times._held, {})
        self.assertEqual(
            [call for call in self.world.timers if call.func.__module__ == call_times.__name__], []
        )

    def test_disk(self) -> None:
        """Neither times nor ids are on the disk; rows of the two that have spoken have nothing in common."""
        began, ended = 1_699_999_123_456, 1_700_000_234_567
        for client in (self.alice, self.bob):
            self.spoken(client, ONE, began, ended)
            self.spoken(client, TWO, began, began + 1)
        found = self.world.database.now(lambda c: c.exec_driver_sql("SELECT * FROM calls").fetchall())
        everything = b"".join(value for row in found for value in row)
        for canary in (began, ended, ended - began, began // 1000, (ended - began) // 1000):
            self.assertNotIn(str(canary).encode(), everything)
            for octets in (canary.to_bytes(8, "big")[-6:], canary.to_bytes(8, "little")[:6]):
                self.assertNotIn(octets, everything)
        for text in (ONE, self.alice.account, self.bob.account):
            self.assertNotIn(text.encode(), everything)
        accounts, calls, sealed = zip(*found, strict=True)
        self.assertEqual((len(set(accounts)), len(set(calls)), len(set(sealed))), (2, 4, 4))
        self.assertEqual(len({len(each) for each in sealed}), 1)  # however long the call was
