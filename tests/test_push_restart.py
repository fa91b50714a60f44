"""What was on its way when a node died, and what was too much for it: nobody sleeps through it."""

from typing import Any

from twisted.internet.defer import Deferred, fail

from safeum_home.errors import Code, Problem
from safeum_home.ids import AccountId, DeviceId
from safeum_home.ports.push import Accepted, Gone, Outcome, Refused, Tested
from safeum_home.push import lookout
from tests.push_case import PushCase, RecordedPushes
from tests.world import Client, World

START = 60.0
MESSAGE = ("bob's", "msg")


class RestartCase(PushCase):
    """Bob sleeps, and holds all that there is."""

    def setUp(self) -> None:
        super().setUp()
        self.alice.write(self.chat, "to begin with")
        self.sleep(self.bob)
        self.assertEqual(self.pushes.take(), [])

    def sleep(self, client: Client) -> None:
        client.call("session.ack", cursor=self.world.cursor)
        client.cursor = self.world.cursor
        client.drop()
        self.pass_time(5)

    def pass_time(self, seconds: float) -> None:
        self.world.clock.pump([0.1] * int(seconds * 10))

    def restart(self) -> None:
        """The node dies, and starts again."""
        self.world.database.drop()
        clock = self.world.clock
        self.pushes = RecordedPushes()
        self.world = World(self.world.database, self.world.vault, pushes=self.pushes)
        self.world.clock.advance(clock.seconds() - self.world.clock.seconds())
        self.alice.world = self.bob.world = self.world
        self.world.domain.waking.start()


class RestartTests(RestartCase):
    def test_not_handed_over(self) -> None:
        """A wake that was not handed over is handed over by the next node, once, after who comes back has."""
        self.pushes.held = True
        self.alice.write(self.chat, "1")
        self.alice.write(self.chat, "2")
        self.restart()
        self.pass_time(START / 4)
        self.assertEqual(self.pushes.take(), [])
        self.pass_time(START)
        self.assertEqual(self.woken(), [MESSAGE])
        self.restart()
        self.pass_time(START)
        self.assertEqual(self.woken(), [])

    def test_not_held(self) -> None:
        """The same where the device had come for another wake, and left without taking what there was."""
        self.alice.write(self.chat, "1")
        self.assertEqual(self.woken(), [MESSAGE])
        self.bob.resume(self.bob.cursor)
        self.bob.drop()
        self.pushes.held = True
        self.pass_time(5)
        self.assertEqual(self.woken(), [MESSAGE])
        self.restart()
        self.pass_time(START)
        self.assertEqual(self.woken(), [MESSAGE])

    def test_not_looked_at(self) -> None:
        """The same where the message was committed, and nothing more."""
        self.world.database.hold = True
        self.alice.ask("chat.send", **self.alice.message(self.chat, "1"))
        self.world.database.commit()
        self.world.database.drop()
        self.world.database.hold = False
        self.assertEqual(self.pushes.take(), [])
        self.restart()
        self.pass_time(START)
        self.assertEqual(self.woken(), [MESSAGE])

    def test_handed_over(self) -> None:
        """Whoever was woken is not woken once more for the same."""
        self.alice.write(self.chat, "1")
        self.assertEqual(self.woken(), [MESSAGE])
        self.restart()
        self.pass_time(START)
        self.assertEqual(self.woken(), [])
        self.alice.resume()
        self.alice.write(self.chat, "2")
        self.assertEqual(self.woken(), [MESSAGE])

    def test_nothing_waits(self) -> None:
        """Nobody is woken for what wakes nobody: his own messages, changes, muted chats."""
        laptop = self.world.login("bob")
        self.assertEqual(self.woken(), [MESSAGE])  # the alert
        self.bob.resume(self.bob.cursor)
        self.sleep(self.bob)
        self.assertEqual(self.woken(), [])
        laptop.write(self.chat, "mine")
        laptop.call("chat.settings.set", chat=self.chat, muted_until=2**53 - 1)
        self.alice.write(self.chat, "muted")
        self.alice.call("profile.set", profile={"display_name": "Alice", "status": ""})
        self.restart()
        self.pass_time(START)
        self.assertEqual(self.woken(), [])

    def test_mentioned(self) -> None:
        """A muted chat does not hide that somebody is mentioned in it."""
        laptop = self.world.login("bob")
        laptop.call("chat.settings.set", chat=self.chat, muted_until=2**53 - 1)
        self.woken()
        self.alice.write(self.chat, "muted")
        mention = self.alice.message(self.chat, "you")
        self.pushes.held = True
        self.alice.call("chat.send", **mention, mentions=[self.bob.account])
        self.restart()
        self.pass_time(START)
        self.assertEqual(self.woken(), [MESSAGE])

    def test_connected(self) -> None:
        """Who is back by then is not woken."""
        self.pushes.held = True
        self.alice.write(self.chat, "1")
        self.restart()
        self.bob.resume(self.bob.cursor)
        self.pass_time(START)
        self.assertEqual(self.woken(), [])

    def test_many(self) -> None:
        """There may be many: page by page all of them are looked at, whatever cannot be opened among them."""
        carols = [self.world.register(f"carol{number}") for number in range(130)]
        for number, carol in enumerate(carols):
            carol.call("push.set", provider="apple", token=f"carol{number}")
            carol.drop()
        self.pass_time(20)
        self.pushes.take()
        self.pushes.held = True
        for carol in carols[::2]:
            self.alice.call("contact.request", account=carol.account, address=carol.address)
        first = "(SELECT min(device) FROM pushes)"
        broken = self.world.database.now(lambda c: c.exec_driver_sql(f"SELECT {first}").scalar_one())
        self.world.database.execute(f"UPDATE pushes SET sealed = x'00' WHERE device = {first}")
        self.restart()
        self.pass_time(START)
        blinder = self.world.vault.blinder
        wanted = [
            f"carol{number}"
            for number, carol in enumerate(carols)
            if not number % 2 and blinder.device(DeviceId(carol.device)) != broken
        ]
        self.assertEqual(sorted(token for token, _ in self.woken()), sorted(wanted))

    def test_outage(self) -> None:
        """While the database cannot be read it is tried again."""
        self.pushes.held = True
        self.alice.write(self.chat, "1")
        self.restart()
        self.world.database.reading_fails = True
        self.pass_time(START)
        self.assertEqual(self.woken(), [])
        self.world.database.reading_fails = False
        self.pass_time(START)
        self.assertEqual(self.woken(), [MESSAGE])


class TooMuchTests(RestartCase):
    """What cannot be noted, or read, is looked for later."""

    def test_outage(self) -> None:
        """A message that comes when nothing can be read wakes when it can."""
        self.alice.write(self.chat, "0")
        self.woken()
        self.bob.resume(self.bob.cursor)
        self.sleep(self.bob)
        self.world.database.reading_fails = True
        self.alice.write(self.chat, "1")
        self.pass_time(1)
        self.assertEqual(self.woken(), [])
        self.world.database.reading_fails = False
        self.pass_time(START)
        self.assertEqual(self.woken(), [MESSAGE])

    def test_full(self) -> None:
        """More accounts with news than are noted: those that are not are found."""
        self.patch(lookout, "MOST", 1)
        carol = self.world.register("carol")
        carol.call("push.set", provider="apple", token="carol's")
        chat = self.world.befriend(self.alice, carol)
        self.alice.write(chat, "0")
        self.sleep(carol)
        self.woken()
        self.world.database.hold_reads = True
        self.alice.write(self.chat, "1")
        self.alice.write(chat, "2")
        self.world.database.hold_reads = False
        self.world.settle()
        self.assertEqual(self.pushes.take(), [MESSAGE])
        self.pass_time(START)
        self.assertEqual(self.woken(), [("carol's", "msg")])

    def test_known_no_more(self) -> None:
        """An account that others have pushed out of memory is read anew."""
        self.world.domain.waking.waker.forget()
        self.alice.write(self.chat, "1")
        self.assertEqual(self.woken(), [MESSAGE])


class ForgottenTests(RestartCase):
    """The database was away, and what was stored meanwhile, or waits, is found out anew."""

    def test_waits(self) -> None:
        """A wake that waits for its provider is called off, and handed in once more."""
        self.pushes.held = True
        self.alice.write(self.chat, "1")
        self.world.settle()
        [handed] = self.pushes.handed
        self.world.domain.forget()
        self.assertTrue(handed.cancelled)
        self.pushes.take()
        self.pass_time(START)
        self.assertEqual(self.woken(), [MESSAGE])

    def test_taken(self) -> None:
        """One that was taken is not."""
        self.alice.write(self.chat, "1")
        self.assertEqual(self.woken(), [MESSAGE])
        self.world.domain.forget()
        self.pass_time(START)
        self.assertEqual(self.woken(), [])

    def test_stored_late(self) -> None:
        """What was stored though its sender was told that it is not wakes, whether or not he tries again."""
        database = self.world.database
        database.hold = True
        self.alice.ask("chat.send", **self.alice.message(self.chat, "1"))
        database.commit()
        database.hold = False
        database.lose_report()
        self.world.domain.forget()
        self.pass_time(START)
        self.assertEqual(self.woken(), [MESSAGE])


class TrialTests(RestartCase):
    """An operator wakes a device."""

    def trial(self, device: str) -> Any:
        return self.world.domain.waking.trial.test(device)

    def test_woken(self) -> None:
        """Whether or not it was woken before, or is connected: with what its provider says."""
        self.alice.write(self.chat, "1")
        self.woken()
        for outcome in (Accepted(), Refused("not you")):
            self.pushes.answer = outcome
            self.assertEqual(self.successResultOf(self.trial(self.bob.device)), Tested("apple", outcome))
        self.assertEqual(self.pushes.tested, [("apple", "bob's")] * 2)
        self.assertEqual(self.woken(), [])

    def test_dead(self) -> None:
        """An address that turns out to be dead is forgotten."""
        self.pushes.answer = Gone("unregistered")
        self.assertEqual(self.successResultOf(self.trial(self.bob.device)).outcome, self.pushes.answer)
        self.assertEqual(self.world.database.count("pushes"), 0)
        self.failureResultOf(self.trial(self.bob.device))
        self.alice.write(self.chat, "1")
        self.assertEqual(self.woken(), [])

    def test_dead_before(self) -> None:
        """Not the address that the device has given meanwhile."""
        answer: Deferred[Outcome] = Deferred()
        self.pushes.answer = answer
        trial = self.trial(self.bob.device)
        self.bob.resume(self.bob.cursor)
        self.can_be_woken(self.bob, "new")
        answer.callback(Gone("unregistered"))
        self.assertEqual(self.successResultOf(trial).provider, "apple")
        self.assertEqual(self.bob.call("push.get")["provider"], "apple")

    def test_refused(self) -> None:
        """A device that there is not, that cannot be woken, or whose row is damaged."""
        for device, code in (
            ("nothing", Code.DEVICE_NOT_FOUND),
            ("", Code.DEVICE_NOT_FOUND),
            (self.alice.device, Code.PUSH_UNAVAILABLE),
        ):
            self.assertIs(self.failureResultOf(self.trial(device), Problem).value.code, code)
        self.world.database.execute("UPDATE pushes SET sealed = x'00'")
        self.assertIs(
            self.failureResultOf(self.trial(self.bob.device), Problem).value.code, Code.PUSH_UNAVAILABLE
        )


class BadProviderTests(RestartCase):
    """A provider that breaks its promise breaks nothing else."""

    def test_fails(self) -> None:
        """What fails is given up, and logged."""
        self.pushes.wake = lambda *about: fail(ValueError("broken"))  # type: ignore[method-assign]
        self.alice.write(self.chat, "1")
        self.world.settle()
        self.assertEqual(len(self.flushLoggedErrors(ValueError)), 1)
        del self.pushes.wake
        self.pass_time(START + 1)
        self.assertEqual(self.woken(), [MESSAGE])

    def test_names(self) -> None:
        """One that cannot be asked what it offers is an error; afterwards devices are woken as before."""
        offered, self.pushes.offered = self.pushes.offered, None  # type: ignore[assignment]
        self.alice.write(self.chat, "1")
        self.world.settle()
        self.assertEqual(len(self.flushLoggedErrors(TypeError)), 1)
        self.pushes.offered = offered
        self.alice.write(self.chat, "2")
        self.assertEqual(self.woken(), [MESSAGE])

    def test_others(self) -> None:
        """Where one account cannot be read the others of the same moment are woken all the same."""
        carol = self.world.register("carol")
        chat = self.world.befriend(self.alice, carol)
        carol.call("push.set", provider="apple", token="carol's")
        self.alice.write(chat, "0")
        self.sleep(carol)
        self.woken()
        waker = self.world.domain.waking.waker
        waker.forget()
        look = waker._lookout._one

        def broken(c: Any, asked: lookout.Asked, *about: Any) -> Any:
            if asked.account == carol.account:
                raise ZeroDivisionError
            return look(c, asked, *about)

        self.patch(waker._lookout, "_one", broken)
        self.world.database.hold_reads = True
        self.alice.write(self.chat, "1")
        self.alice.write(chat, "2")
        self.world.database.hold_reads = False
        self.assertEqual(self.woken(), [MESSAGE])
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 2)
        self.patch(waker._lookout, "_one", look)
        self.pass_time(2 * START)
        self.assertEqual(self.woken(), [("carol's", "msg")])

    def test_closed(self) -> None:
        """What is under way for an account that is closed is taken back."""
        self.pushes.held = True
        self.alice.write(self.chat, "1")
        self.world.settle()
        [handed] = self.pushes.handed
        self.world.domain.waking.waker.forget_account(AccountId(self.bob.account))
        self.assertTrue(handed.cancelled)
        self.assertEqual(self.woken(), [MESSAGE])
