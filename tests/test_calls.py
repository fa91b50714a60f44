"""Calls within a node: who is told what, from the invitation to the end."""

from safeum_home.protocol.call_types import RING_SECONDS
from tests.calls_case import (
    CALL,
    FIRST,
    OTHER,
    SECOND,
    CallsCase,
    answer,
    call_id,
    hang_up,
    hello,
    invite,
    ring,
    say,
    told,
)


class CallTests(CallsCase):
    def test_a_call(self) -> None:
        """All devices of the callee ring; the first that answers has it; both hear that it is over."""
        self.assertEqual(invite(self.alice, self.bob), RING_SECONDS)
        [event] = self.bob.take("call.invited")
        self.assertEqual(
            event["params"],
            {
                "call": CALL,
                "account": self.alice.account,
                "device": self.alice.device,
                "media": "audio",
                "hello": hello(self.alice),
                "seconds": RING_SECONDS,
            },
        )
        self.assertEqual(told(self.phone), [("invited", self.alice.device)])
        self.quiet(self.alice, self.carol)
        ring(self.bob)
        ring(self.phone)
        ring(self.phone)  # once is enough
        [first, second] = self.alice.take("call.ringing")
        self.assertEqual(first["params"], {"call": CALL, "device": self.bob.device, "hello": hello(self.bob)})
        self.assertEqual(second["params"]["device"], self.phone.device)
        answer(self.phone)
        answer(self.phone)  # it is the same answer
        self.assertEqual(told(self.alice), [("answered", self.phone.device)])
        self.assertEqual(told(self.bob), [("ended", "answered_elsewhere")])
        self.quiet(self.phone)
        self.denied("call_over", self.bob, "call.answer", call=CALL)
        self.advance(10)
        hang_up(self.alice)
        self.assertEqual(told(self.phone), [("ended", "hangup")])
        self.quiet(self.alice, self.bob)
        self.assertEqual([self.times.seconds(each) for each in (self.alice, self.bob)], [10, 10])
        hang_up(self.phone)
        for client in (self.alice, self.phone):
            self.denied("call_over", client, "call.answer", call=CALL)

    def test_signals(self) -> None:
        """Before the answer among those that ring, then between the two, in order, and to nobody else."""
        self.ringing()
        say(self.alice, self.bob, "offer")
        say(self.alice, self.phone, "another")
        say(self.phone, self.alice, "yes")
        self.assertEqual(told(self.bob), [("signal", self.alice.device, "offer")])
        self.assertEqual(told(self.phone), [("signal", self.alice.device, "another")])
        self.assertEqual(told(self.alice), [("signal", self.phone.device, "yes")])
        say(self.bob, self.phone, "to_ones_own")
        answer(self.bob)
        self.forget_told()
        self.denied("call_over", self.phone, "call.signal", call=CALL, device=self.alice.device, data="late")
        say(self.alice, self.phone, "nobody")
        for number in range(3):
            say(self.bob, self.alice, f"b{number}")
            say(self.alice, self.bob, f"a{number}")
        self.assertEqual(told(self.alice), [("signal", self.bob.device, data) for data in ("b0", "b1", "b2")])
        self.assertEqual(told(self.bob), [("signal", self.alice.device, data) for data in ("a0", "a1", "a2")])
        self.quiet(self.phone, self.carol)
        hang_up(self.bob)

    def test_before_anybody_rings(self) -> None:
        """Who speaks to a device that does not ring speaks to nobody; and it has to ring to speak."""
        invite(self.alice, self.bob)
        self.forget_told()
        say(self.alice, self.bob, "early")
        self.quiet(self.bob)
        about = {"call": CALL, "device": self.alice.device, "data": "x"}
        self.denied("wrong_call_state", self.bob, "call.signal", **about)
        self.denied("wrong_call_state", self.bob, "call.answer", call=CALL)
        hang_up(self.alice)

    def test_declined(self) -> None:
        for reason in ("declined", "busy"):
            call = call_id(reason)
            invite(self.alice, self.bob, call)
            ring(self.phone, call)
            self.forget_told()
            self.bob.call("call.decline", call=call, reason=reason)
            self.assertEqual(told(self.alice), [("ended", reason)])
            self.assertEqual(told(self.phone), [("ended", "declined_elsewhere")])
            self.quiet(self.bob)

    def test_given_up(self) -> None:
        """Who has called hangs up before the answer; a device that is called and hangs up declines."""
        self.ringing()
        hang_up(self.alice)
        for device in (self.bob, self.phone):
            self.assertEqual(told(device), [("ended", "hangup")])
            self.denied("call_over", device, "call.answer", call=CALL)
        invite(self.alice, self.bob, OTHER)
        self.forget_told()
        hang_up(self.phone, OTHER)
        self.assertEqual(told(self.alice), [("ended", "declined")])
        self.assertEqual(self.times.begins, {})

    def test_no_answer(self) -> None:
        self.ringing()
        self.advance(RING_SECONDS - 0.1)
        self.quiet(self.alice)
        self.advance(0.2)
        for device in (self.alice, self.bob, self.phone):
            self.assertEqual(told(device), [("ended", "no_answer")])

    def test_wrong_states(self) -> None:
        """One's own call is not taken, nothing alive before the answer, and nothing declined after it."""
        invite(self.alice, self.bob)
        for method, more in (("answer", {}), ("decline", {}), ("ringing", {"hello": "h"})):
            self.denied("wrong_call_state", self.alice, f"call.{method}", call=CALL, **more)
        ring(self.bob)
        about = {"call": CALL, "since": 0}
        self.denied("wrong_call_state", self.alice, "call.alive", account=self.bob.account, **about)
        self.denied("wrong_call_state", self.bob, "call.alive", account=self.alice.account, **about)
        answer(self.bob)
        self.denied("wrong_call_state", self.alice, "call.answer", call=CALL)
        self.denied("wrong_call_state", self.bob, "call.decline", call=CALL)
        self.denied("call_over", self.phone, "call.decline", call=CALL)
        self.denied("call_over", self.phone, "call.ringing", call=CALL, hello="h")
        self.denied("call_over", self.phone, "call.alive", account=self.alice.account, **about)
        self.denied("not_found", self.alice, "call.alive", account=self.carol.account, **about)
        hang_up(self.phone)  # it is not in it: nothing happens
        self.forget_told()
        hang_up(self.bob)
        self.assertEqual(told(self.alice), [("ended", "hangup")])

    def test_unknown(self) -> None:
        """Of a call that is not known nothing is told; hanging it up does nothing."""
        for method, more in (
            ("answer", {}),
            ("decline", {}),
            ("ringing", {"hello": "h"}),
            ("signal", {"device": self.bob.device, "data": "x"}),
            ("alive", {"since": 0}),
        ):
            self.denied("not_found", self.carol, f"call.{method}", call=CALL, **more)
        hang_up(self.carol)

    def test_the_same_again(self) -> None:
        """The same invitation is the same call; another one with that id is refused."""
        invite(self.alice, self.bob)
        self.forget_told()
        self.advance(5)
        self.assertEqual(invite(self.alice, self.bob), RING_SECONDS - 5)
        self.quiet(self.bob)
        about = {"call": CALL, "to": self.bob.account, "media": "audio", "hello": hello(self.alice)}
        for changed in ({"media": "video"}, {"hello": "other"}, {"to": self.carol.account}):
            self.denied("call_exists", self.alice, "call.invite", **(about | changed))
        tablet = self.world.login("alice")
        self.denied("call_exists", tablet, "call.invite", **about)
        self.denied("call_exists", self.bob, "call.invite", **(about | {"to": self.alice.account}))
        hang_up(self.alice)
        self.denied("call_over", self.alice, "call.invite", **about)

    def test_strangers(self) -> None:
        """Whether there is such an account nobody learns."""
        about = {"call": CALL, "media": "audio", "hello": "h"}
        nobody = "@" + "a" * 26 + ":home.example"
        away = "@" + "a" * 26 + ":away.example"
        for to in (self.carol.account, nobody, away, self.alice.account):
            self.denied("not_a_contact", self.alice, "call.invite", to=to, **about)
        self.bob.call("contact.block", account=self.alice.account)
        self.denied("not_a_contact", self.alice, "call.invite", to=self.bob.account, **about)
        self.denied("not_a_contact", self.bob, "call.invite", to=self.alice.account, **about)


class GlareTests(CallsCase):
    """Both call each other."""

    def test_the_lower_one_came_first(self) -> None:
        invite(self.alice, self.bob, FIRST)
        self.forget_told()
        self.assertEqual(invite(self.bob, self.alice, SECOND), RING_SECONDS)
        self.assertEqual(told(self.bob), [("ended", "replaced")])
        self.quiet(self.alice, self.phone)
        self.denied("call_over", self.bob, "call.answer", call=SECOND)
        ring(self.bob, FIRST)
        answer(self.bob, FIRST)
        self.assertEqual(told(self.alice), [("ringing", self.bob.device), ("answered", self.bob.device)])
        hang_up(self.bob, FIRST)

    def test_the_lower_one_came_last(self) -> None:
        invite(self.alice, self.bob, SECOND)
        self.forget_told()
        invite(self.bob, self.alice, FIRST)
        self.assertEqual(told(self.alice), [("ended", "replaced"), ("invited", self.bob.device)])
        for device in (self.bob, self.phone):
            self.assertEqual(told(device), [("ended", "replaced")])
        ring(self.alice, FIRST)
        answer(self.alice, FIRST)
        self.forget_told()
        hang_up(self.alice, FIRST)
        self.assertEqual(told(self.bob), [("ended", "hangup")])

    def test_not_once_answered(self) -> None:
        """Who speaks may be called by the other nevertheless."""
        self.active()
        invite(self.bob, self.alice, FIRST)
        self.assertEqual(told(self.alice), [("invited", self.bob.device)])
        hang_up(self.alice)
        hang_up(self.bob, FIRST)
