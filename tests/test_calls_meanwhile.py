"""What happens while a call waits for the database: hanging up, and being contacts no more."""

from collections.abc import Callable
from typing import Any

from twisted.internet.defer import Deferred

from safeum_home.protocol.call_types import Ended
from tests.calls_case import CALL, CallsCase, hang_up, hello, told
from tests.foreign_calls import ForeignCalls
from tests.world import Refused, World


class Slow:
    """A database that reads at once, or when it goes on, and answers when it goes on."""

    def __init__(self, case: Any, world: World, reads_first: bool = False) -> None:
        self._database = world.database
        self._read = world.database.read
        self._held: list[Callable[[], None]] = []
        self._reads_first = reads_first
        case.patch(world.database, "read", self._hold)

    def _hold(self, do: Callable[[Any], Any]) -> "Deferred[Any]":
        done: Deferred[Any] = Deferred()
        found = self._database.now(do) if self._reads_first else None
        self._held.append(lambda: done.callback(found if self._reads_first else self._database.now(do)))
        return done

    def goes_on(self) -> None:
        self._database.read = self._read  # type: ignore[method-assign]
        held, self._held = self._held, []
        for go_on in held:
            go_on()


class HereTests(CallsCase):
    def ask(self) -> int:
        about = {"call": CALL, "to": self.bob.account, "media": "audio", "hello": hello(self.alice)}
        return self.alice.ask("call.invite", **about)

    def refused(self, code: str, request: int) -> None:
        error: Refused = self.assertRaises(Refused, self.alice.answer, request)
        self.assertEqual(error.code, code)

    def test_hung_up(self) -> None:
        """Nothing rings, and the call is over."""
        slow = Slow(self, self.world)
        requests = [self.ask(), self.ask()]
        hang_up(self.alice)
        slow.goes_on()
        for request in requests:
            self.refused("call_over", request)
        self.quiet(self.alice, self.bob, self.phone)
        self.no_legs(self.world)
        does: Any = self.world.domain.calls.routes
        self.assertEqual(len({handler.__self__ for handler in does.values()}), 1)
        for handler in does.values():
            self.assertEqual(handler.__self__._asked, {})

    def test_by_another_device(self) -> None:
        """It is not its call."""
        tablet = self.world.login("alice")
        slow = Slow(self, self.world)
        request = self.ask()
        hang_up(tablet)
        slow.goes_on()
        self.alice.answer(request)
        self.assertEqual(told(self.bob), [("invited", self.alice.device)])

    def test_one_that_went_on(self) -> None:
        """Said to go on, and hung up in the same moment: the other hears that."""
        self.active()
        legs = self.world.domain.calls.legs
        leg = legs.find(self.alice.account, CALL)  # type: ignore[arg-type]
        assert leg is not None
        leg.stop()
        legs.over(leg, Ended.LOST)  # as the node forgets it
        slow = Slow(self, self.world)
        request = self.alice.ask("call.alive", call=CALL, account=self.bob.account, since=0)
        hang_up(self.alice)
        slow.goes_on()
        self.refused("call_over", request)
        self.assertEqual(told(self.bob), [("ended", "hangup")])
        for hold in leg._holds.values():
            hold.end()

    def test_no_contacts_any_more(self) -> None:
        """What was read before is read again."""
        for part in (
            lambda: self.bob.call("contact.remove", account=self.alice.account),
            lambda: self.bob.call("contact.block", account=self.alice.account),
        ):
            slow = Slow(self, self.world, reads_first=True)
            request = self.ask()
            self.patch(self.world.database, "read", slow._read)
            part()
            slow.goes_on()
            self.refused("not_a_contact", request)
            self.assertEqual(told(self.phone), [])
            self.setUp()

    def test_others_part(self) -> None:
        """That is no matter of theirs."""
        self.world.befriend(self.carol, self.alice)
        slow = Slow(self, self.world, reads_first=True)
        request = self.ask()
        self.patch(self.world.database, "read", slow._read)
        self.carol.call("contact.remove", account=self.alice.account)
        slow.goes_on()
        self.alice.answer(request)
        self.assertEqual(told(self.bob), [("invited", self.alice.device)])


class ThereTests(ForeignCalls):
    def test_no_contacts_any_more(self) -> None:
        """Who calls from another node is a stranger by then."""
        world = self.nodes["a.example"]
        slow = Slow(self, world, reads_first=True)
        done: list[Any] = []
        kind = world.domain.calls.kinds[0]
        Deferred.fromCoroutine(kind.apply("b.example", self.spoken(self.invited()))).addBoth(done.append)
        self.assertEqual(done, [])
        self.patch(world.database, "read", slow._read)
        self.alice.call("contact.remove", account=self.bob.account)
        slow.goes_on()
        self.assertEqual(done, [None])
        self.assertEqual(told(self.alice), [])
        self.assertEqual(self.heard(), ["unreachable"])
