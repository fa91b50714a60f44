"""Waking by calls, and after a connection that broke; which accounts are known."""

from twisted.trial.unittest import SynchronousTestCase

from safeum_home.ids import AccountId, DeviceId
from safeum_home.ports import Published, Waking
from safeum_home.ports.push import Wake, Woken
from safeum_home.push.known import NOBODY, Known
from tests.push_case import CALL, MESSAGE, MINUTE, WakingCase


class CallTests(WakingCase):
    """Calls are a class of their own."""

    def test_beside(self) -> None:
        """A call wakes whoever was woken for a message, once."""
        self.write()
        self.assertEqual(self.woken(), [MESSAGE])
        self.call()
        self.call()
        self.assertEqual(self.woken(), [CALL])

    def test_counts(self) -> None:
        """A call wakes for messages, too, for as long as it is of use; then what came meanwhile does."""
        self.call()
        self.write("1")
        self.write("2")
        self.assertEqual(self.woken(), [CALL])
        self.wait(MINUTE)
        self.assertEqual(self.woken(), [MESSAGE])
        self.call()
        self.assertEqual(self.woken(), [CALL])

    def test_alone(self) -> None:
        """A call that nobody has taken leaves nothing to be woken for."""
        self.call()
        self.assertEqual(self.woken(), [CALL])
        self.wait(MINUTE)
        self.assertEqual(self.woken(), [])

    def test_given_up(self) -> None:
        """Where it was given up it stands for its time; then what came meanwhile wakes by itself."""
        self.pushes.held = True
        self.call()
        self.world.settle()
        self.write()
        [handed] = self.pushes.handed
        handed.become(Woken.GIVEN_UP)
        self.call()
        self.assertEqual(self.woken(), [CALL])
        self.wait(MINUTE)
        self.assertEqual(self.woken(), [MESSAGE])


class BrokenConnectionTests(WakingCase):
    """What was written into a connection that was dead already is told by a wake."""

    def test_not_acknowledged(self) -> None:
        self.come()
        self.write()
        self.assertEqual(self.woken(), [])
        self.bob.drop()
        self.wait(5)
        self.assertEqual(self.woken(), [MESSAGE])

    def test_acknowledged(self) -> None:
        """Not what the device holds."""
        self.come()
        self.write()
        message = self.bob.messages()[-1]
        self.bob.call("session.ack", cursor=message["id"])
        self.bob.drop()
        self.wait(5)
        self.assertEqual(self.woken(), [])

    def test_back_at_once(self) -> None:
        """Nor where it is back at once."""
        self.come()
        self.write()
        self.bob.drop()
        self.world.clock.advance(0.5)
        self.come()
        self.wait(5)
        self.assertEqual(self.woken(), [])

    def test_unknown(self) -> None:
        """Also where nothing was known of the account yet."""
        self.come()
        self.world.domain.forget()
        self.write()
        self.world.domain.forget()
        self.bob.drop()
        self.wait(5)
        self.assertEqual(self.woken(), [MESSAGE])

    def test_not_known_before(self) -> None:
        """Nor is what made the account known forgotten."""
        self.come()
        self.world.domain.waking.waker.forget()
        self.write()
        self.bob.drop()
        self.wait(5)
        self.assertEqual(self.woken(), [MESSAGE])

    def test_no_reason(self) -> None:
        """What lets people sleep wakes nobody in this way either."""
        self.come()
        self.alice.call("profile.set", profile={"display_name": "Alice", "status": ""})
        self.bob.drop()
        self.wait(5)
        self.assertEqual(self.woken(), [])


class KnownTests(SynchronousTestCase):
    def test_bound(self) -> None:
        """A bounded number of accounts is known: those that were not asked for for longest make room."""
        known = Known(lambda account: frozenset(), lambda: 7, most=2)
        names = [AccountId(name) for name in "abc"]
        for name in names:
            known.learn(name, [DeviceId("d")] if name == "c" else [])
        self.assertEqual([known.get(name) is None for name in names], [True, False, False])
        self.assertIs(known.get(names[1]), NOBODY)
        account = known.get(names[2])
        assert account is not None
        self.assertEqual((account.due, account.newest, list(account.devices)), (True, 7, ["d"]))

    def test_used(self) -> None:
        """One that is asked for again stays."""
        known = Known(lambda account: frozenset(), lambda: 7, most=2)
        for name in "abac":
            known.learn(AccountId(name), [])
        self.assertEqual([known.get(AccountId(name)) is None for name in "abc"], [False, True, False])


class ManyTests(WakingCase):
    """There are more accounts than are known at once."""

    def test_under_way(self) -> None:
        """Strangers do not make an account be forgotten whose device was woken: it is woken once."""
        self.patch(self.known, "_most", 3)
        self.write()
        for number in range(6):
            stranger = self.world.register(f"stranger{number}")
            self.alice.call("contact.request", account=stranger.account, address=stranger.address)
            self.world.settle()
        self.write()
        self.assertEqual(self.woken(), [MESSAGE])
        self.assertEqual(len(self.known), 3)

    @property
    def known(self) -> Known:
        return self.world.domain.waking.waker._known

    def test_taken(self) -> None:
        """Of wakes that were taken so many are kept: of others it is looked early whether more has come."""
        errands = self.world.domain.waking.waker._errands
        self.patch(errands, "_most", 0)
        self.write("1")
        self.assertEqual(self.woken(), [MESSAGE])
        self.assertEqual(len(errands._taken[Wake.MESSAGE]), 0)
        self.write("2")
        self.assertEqual(self.woken(), [MESSAGE])

    def test_foreign(self) -> None:
        """Accounts of other nodes are woken by those, and take no room."""
        account = AccountId("@" + "a" * 26 + ":other.example")
        before = len(self.known)
        self.world.services.bus.publish(account, Published(b"", wake=Waking()))
        self.world.settle()
        self.assertEqual(len(self.known), before)
