"""Devices in calls that come, go and say nothing any more; and how many calls there may be."""

from typing import Any

from twisted.logger import globalLogPublisher

from safeum_home.calls.leg import AWAY_SECONDS
from safeum_home.protocol.call_types import LOST_SECONDS, RING_SECONDS, Ended
from safeum_home.storage import schema
from tests.calls_case import (
    CALL,
    OTHER,
    CallsCase,
    alive,
    answer,
    call_id,
    hang_up,
    hello,
    invite,
    ring,
    say,
    told,
)
from tests.world import Refused


class DeviceTests(CallsCase):
    """Devices that come and go."""

    def test_one_that_comes_while_it_rings(self) -> None:
        invite(self.alice, self.bob)
        self.advance(5)
        tablet = self.world.login("bob")
        self.advance(0)
        [event] = tablet.take("call.invited")
        self.assertEqual(event["params"]["seconds"], RING_SECONDS - 5)
        ring(tablet)
        answer(tablet)
        late = self.world.login("bob")
        self.advance(0)
        self.quiet(late)
        self.denied("call_over", late, "call.answer", call=CALL)
        hang_up(tablet)

    def test_the_caller_is_away(self) -> None:
        """It may come back for a while, and is told how it is; else it is over."""
        self.ringing()
        self.alice.drop()
        self.advance(AWAY_SECONDS - 1)
        answer(self.phone)
        self.alice.resume()
        self.advance(0)
        expected = [
            ("ringing", self.bob.device),
            ("ringing", self.phone.device),
            ("answered", self.phone.device),
        ]
        self.assertEqual(told(self.alice), expected)
        hang_up(self.alice)
        invite(self.alice, self.bob, OTHER)
        self.alice.drop()
        self.advance(AWAY_SECONDS - 1)
        self.alice.resume()
        self.advance(AWAY_SECONDS)
        self.forget_told()
        self.alice.drop()
        self.advance(AWAY_SECONDS)
        for device in (self.bob, self.phone):
            self.assertEqual(told(device), [("ended", "lost")])
        self.alice.resume()
        self.advance(0)
        self.assertEqual(told(self.alice), [("ended", "lost")])

    def test_told_that_it_is_over(self) -> None:
        """A device that was in a call and is away when it ends hears of it when it comes, once."""
        self.active()
        self.bob.drop()
        hang_up(self.alice)
        for expected in ([("ended", "hangup")], []):
            self.bob.resume()
            self.advance(0)
            self.assertEqual(told(self.bob), expected)

    def test_gone_before_it_was_invited(self) -> None:
        """The connection breaks while it is looked up who is a contact."""
        self.world.database.hold_reads = True
        about = {"call": CALL, "to": self.bob.account, "media": "audio", "hello": "h"}
        self.alice.ask("call.invite", **about)
        self.alice.drop()
        self.world.database.answer_reads(1)
        self.world.database.hold_reads = False
        self.assertEqual(told(self.bob), [("invited", self.alice.device)])
        self.advance(AWAY_SECONDS)
        self.assertEqual(told(self.bob), [("ended", "lost")])

    def test_held_awake(self) -> None:
        """Devices in a call are not put to sleep: the caller's, those that ring, then those two."""
        last = self.world.services.busy.last
        devices = (self.alice, self.bob, self.phone)

        def held() -> list[bool]:
            return [last(device.device) == float("inf") for device in devices]  # type: ignore[arg-type]

        invite(self.alice, self.bob)
        self.assertEqual(held(), [True, False, False])
        ring(self.bob)
        ring(self.phone)
        self.assertEqual(held(), [True, True, True])
        answer(self.phone)
        self.assertEqual(held(), [True, False, True])
        hang_up(self.phone)
        self.assertEqual(held(), [False, False, False])

    def test_revoked(self) -> None:
        """A device in the call is logged out, or revoked: it is over. Another one rings no more."""
        self.active()
        self.alice.call("session.logout")
        self.assertEqual(told(self.bob), [("ended", "hangup")])
        self.alice = self.world.login("alice")
        invite(self.alice, self.bob, OTHER)
        ring(self.bob, OTHER)
        ring(self.phone, OTHER)
        self.forget_told()
        self.bob.call("device.revoke", device=self.phone.device)
        self.quiet(self.alice)
        say(self.alice, self.phone, "gone", OTHER)
        answer(self.bob, OTHER)
        self.alice.take()
        self.phone = self.world.login("bob")
        self.phone.call("device.revoke", device=self.bob.device)
        self.assertEqual(told(self.alice), [("ended", "hangup")])

    def test_not_in_contact_any_more(self) -> None:
        """Who is blocked, or removed, is in no call with whoever did that."""
        for method, who, other in (
            ("contact.block", self.alice, self.bob),
            ("contact.remove", self.bob, self.alice),
        ):
            invite(self.alice, self.bob, call_id(method))
            ring(self.bob, call_id(method))
            answer(self.bob, call_id(method))
            self.forget_told()
            who.call(method, account=other.account)
            for client in (self.alice, self.bob):
                self.assertEqual(told(client), [("ended", "hangup")], method)
            if method == "contact.block":
                self.alice.call("contact.unblock", account=self.bob.account)
                self.world.befriend(self.alice, self.bob)


class AliveTests(CallsCase):
    """Calls that go on, and that a node has heard nothing of for too long."""

    def test_lost(self) -> None:
        """A half of which its device says nothing is over as of then; the other one goes on."""
        self.active()
        since = self.now
        for _ in range(4):
            self.advance(20)
            alive(self.alice, self.bob, since)
            if self.now - since <= 20_000:
                alive(self.bob, self.alice, since)
        self.assertEqual(self.times.seconds(self.bob), 20)
        self.assertEqual(self.times.seconds(self.alice), None)
        self.quiet(self.alice, self.bob)
        alive(self.bob, self.alice, since)  # it was only away
        self.assertEqual(self.times.seconds(self.bob), None)
        say(self.bob, self.alice, "here")
        say(self.alice, self.bob, "there")
        self.assertEqual(told(self.alice), [("signal", self.bob.device, "here")])
        self.assertEqual(told(self.bob), [("signal", self.alice.device, "there")])
        hang_up(self.alice)
        self.assertEqual(told(self.bob), [("ended", "hangup")])
        self.assertEqual([self.times.seconds(each) for each in (self.alice, self.bob)], [80, 80])
        self.denied("call_over", self.bob, "call.alive", call=CALL, account=self.alice.account, since=since)

    def test_both_lost(self) -> None:
        self.active()
        self.advance(LOST_SECONDS)
        self.quiet(self.alice, self.bob)
        self.assertEqual([self.times.seconds(each) for each in (self.alice, self.bob)], [0, 0])
        self.no_legs(self.world)

    def test_the_node_stops(self) -> None:
        """Nothing is waited for any more, and nobody is told: they speak on."""
        self.active()
        invite(self.bob, self.alice, OTHER)
        self.forget_told()
        legs = self.world.domain.calls.legs
        legs.stop()
        self.assertEqual([call for call in self.world.timers if "Leg" in str(call.func)], [])
        self.advance(LOST_SECONDS)
        self.quiet(self.alice, self.bob)
        self.assertEqual(legs.count, 4)
        hang_up(self.alice)
        hang_up(self.bob, OTHER)

    def test_since(self) -> None:
        """Since when it has gone on is not in the future, and within a day; it is with a contact."""
        for since, at in ((self.now + 60_000, self.now), (0, self.now - 86_400_000), (self.now - 5, None)):
            call = call_id(since)
            alive(self.alice, self.bob, since, call)
            self.assertEqual(self.times.begins[self.alice.account, call], since if at is None else at)
            hang_up(self.alice, call)
        about = {"call": CALL, "since": self.now}
        self.denied("not_a_contact", self.alice, "call.alive", account=self.carol.account, **about)
        self.denied("not_found", self.alice, "call.alive", **about)
        for number in range(2):
            alive(self.alice, self.bob, self.now, call_id(f"again {number}"))
        self.denied("limit_reached", self.alice, "call.alive", account=self.bob.account, **about)


class BoundTests(CallsCase):
    limits = {"calls": 9, "calls_per_account": 2, "calls_ringing": 3}

    def test_of_the_caller(self) -> None:
        for number in range(2):
            invite(self.alice, self.bob, call_id(number))
        about = {"call": CALL, "to": self.bob.account, "media": "audio", "hello": "h"}
        self.denied("limit_reached", self.alice, "call.invite", **about)
        hang_up(self.alice, call_id(0))
        invite(self.alice, self.bob)

    def test_of_the_callee(self) -> None:
        """Who is in two calls already is busy, and cannot take a third one that has begun to ring before."""
        friends = [self.world.register(name) for name in ("dora", "emil", "fritz", "gustav")]
        for friend in friends:
            self.world.befriend(friend, self.bob)
        for number, friend in enumerate(friends):
            invite(friend, self.bob, call_id(number))
        self.assertEqual([told(friend) for friend in friends], [[], [], [], [("ended", Ended.BUSY.value)]])
        for number in range(3):
            ring(self.bob, call_id(number))
        answer(self.bob, call_id(0))
        answer(self.bob, call_id(1))
        self.denied("limit_reached", self.bob, "call.answer", call=call_id(2))
        invite(friends[3], self.bob, call_id(4))
        self.assertEqual(told(friends[3]), [("ended", "busy")])

    def test_of_the_node(self) -> None:
        """Where it is full nobody is called."""
        pairs = []
        for number in range(5):
            pair = [self.world.register(f"{name}{number}") for name in ("dora", "emil")]
            self.world.befriend(*pair)
            pairs.append(pair)
        for number, (dora, emil) in enumerate(pairs[:4]):
            invite(dora, emil, call_id(number))
        self.assertEqual(self.world.domain.calls.legs.count, 8)
        dora, emil = pairs[4]
        about = {"call": CALL, "to": emil.account, "media": "audio", "hello": "h"}
        self.denied("busy", dora, "call.invite", **about)
        self.denied("busy", dora, "call.alive", call=CALL, account=emil.account, since=0)
        self.quiet(emil)
        hang_up(pairs[0][0], call_id(0))
        dora.call("call.invite", **about)
        self.assertEqual(told(emil), [("invited", dora.device)])

    def test_changed_while_the_node_runs(self) -> None:
        """Of the bounds, and of the rates."""
        change = self.world.domain.control.limits.set
        change("calls_per_account", "1")
        invite(self.alice, self.bob)
        about = {"call": OTHER, "to": self.bob.account, "media": "audio", "hello": "h"}
        self.denied("limit_reached", self.alice, "call.invite", **about)
        change("calls_per_account", "2")
        change("calls", "2")
        self.denied("busy", self.alice, "call.invite", **about)
        change("calls", "9")
        change("calls_ringing", "1")
        self.alice.call("call.invite", **about)
        self.assertEqual(told(self.alice), [("ended", "busy")])
        ring(self.bob)
        change("call_signals", "0.001")
        change("call_signals_burst", "1")
        say(self.alice, self.bob, "x")
        self.denied("rate_limited", self.alice, "call.signal", call=CALL, device=self.bob.device, data="x")


class TraceTests(CallsCase):
    def test_nothing_is_left(self) -> None:
        """Neither the database nor the log of the node has a word of a call, whatever becomes of it."""
        logged: list[str] = []
        note: Any = lambda event: logged.append(repr(event))  # noqa: E731  # an observer, for mypy
        globalLogPublisher.addObserver(note)
        self.addCleanup(globalLogPublisher.removeObserver, note)
        before = self.rows()
        self.active()
        say(self.alice, self.bob, "a_signal")
        self.alice.drop()
        self.advance(10)
        hang_up(self.bob)
        self.assertRaises(Refused, answer, self.phone)
        after = self.rows()
        self.assertEqual({name for name in after if after[name] != before[name]}, set())
        for secret in (CALL, "a_signal", hello(self.alice), hello(self.bob)):
            self.assertNotIn(secret, repr(after))
            self.assertNotIn(secret, "".join(logged))

    def rows(self) -> dict[str, list[Any]]:
        """All that is stored, by table; the log of calls is tested elsewhere, and is in memory here."""
        tables = schema.metadata.sorted_tables
        return self.world.database.now(
            lambda c: {table.name: [tuple(row) for row in c.execute(table.select())] for table in tables}
        )
