"""Whoever floods, guesses and lies: his own device, or another node. Coded errors, and nothing that grows."""

from typing import Any

from msgspec import to_builtins

from safeum_home.calls import across, leg
from safeum_home.calls.queue import Room
from safeum_home.ids import AccountId
from safeum_home.protocol.call_types import MOST_HELLO, MOST_SIGNAL, RING_SECONDS, Ended, Media
from safeum_home.protocol.federation.calls import (
    CALL as KIND,
)
from safeum_home.protocol.federation.calls import (
    CALL_SIGNAL,
    Answer,
    End,
    GoesOn,
    Invite,
    Ringing,
    Said,
    Spoken,
)
from safeum_home.protocol.federation.events import new_event
from tests.across_case import A, B, befriend_across
from tests.calls_case import (
    CALL,
    OTHER,
    CallsCase,
    alive,
    answer,
    call_id,
    hang_up,
    invite,
    ring,
    say,
    told,
)
from tests.foreign_calls import ForeignCalls
from tests.nodes import say_now
from tests.world import Client, Refused

STRANGE = "D" + "z" * 16


def codes(count: int, client: Client, method: str, **params: Any) -> set[str]:
    """How that many commands of a kind are refused; "" for those that are not. `{}` is the number of each."""
    found = set()
    for number in range(count):
        each = {name: value(number) if callable(value) else value for name, value in params.items()}
        try:
            client.call(method, **each)
            found.add("")
        except Refused as refused:
            found.add(refused.code)
    return found


class DeviceTests(CallsCase):
    """Devices of this node's own accounts."""

    limits = {
        "call_invites_per_account": 0.01,
        "call_invites_per_account_burst": 10,
        "call_signals": 0.01,
        "call_signals_burst": 20,
    }

    def test_invites(self) -> None:
        """Who calls all the time is stopped, though each call is over at once."""
        for number in range(10):
            invite(self.alice, self.bob, call_id(number))
            hang_up(self.alice, call_id(number))
        about = {"to": self.bob.account, "media": "audio", "hello": "h"}
        self.denied("rate_limited", self.alice, "call.invite", call=CALL, **about)
        self.denied("rate_limited", self.alice, "call.alive", call=OTHER, account=self.bob.account, since=0)
        invite(self.bob, self.alice)

    def test_a_hundred_at_once(self) -> None:
        """A hundred contacts call one account: eight ring, the others hear that it is busy."""
        friends = [self.world.register(f"friend{number}") for number in range(100)]
        for friend in friends:
            friend.call("contact.request", account=self.carol.account, address=self.carol.address)
            self.carol.call("contact.accept", account=friend.account)
            friend.take()
        self.carol.take()
        for number, friend in enumerate(friends):
            invite(friend, self.carol, call_id(number))
        self.assertEqual(len(told(self.carol)), 8)
        ends = [told(friend) for friend in friends]
        self.assertEqual([ends.count([]), ends.count([("ended", "busy")])], [8, 92])
        self.assertEqual(self.world.domain.calls.legs.count, 16)

    def test_signals(self) -> None:
        """Each direction of a call for itself, and each call."""
        self.active()
        flood = codes(30, self.alice, "call.signal", call=CALL, device=self.bob.device, data="x")
        self.assertEqual(flood, {"", "rate_limited"})
        self.assertEqual(len(told(self.bob)), 20)
        say(self.bob, self.alice, "here")

    def test_oversized(self) -> None:
        """What is too long, or no identifier, is refused before anything is looked up."""
        self.active()
        about = {"call": CALL, "device": self.bob.device}
        for data in ("x" * (MOST_SIGNAL + 1), "", "not base64!", "x\n"):
            self.denied("invalid_params", self.alice, "call.signal", **about, data=data)
        for hello in ("x" * (MOST_HELLO + 1), "", "="):
            self.denied("invalid_params", self.bob, "call.ringing", call=CALL, hello=hello)
        for call in ("", "x" * 21, "x" * 23, "x" * 21 + "\n"):
            self.denied("invalid_params", self.alice, "call.answer", call=call)
        self.quiet(self.bob)
        self.alice.call("call.signal", **about, data="x" * MOST_SIGNAL)
        self.assertEqual(len(self.bob.take("call.signal")[0]["params"]["data"]), MOST_SIGNAL)

    def test_calls_of_others(self) -> None:
        """Who knows the id of somebody's call, and is a contact, can do nothing with it."""
        self.world.befriend(self.carol, self.alice)
        self.ringing()
        self.touch(self.carol)
        answer(self.bob)
        self.forget_told()
        self.touch(self.carol)
        about = {"call": CALL, "media": "audio", "hello": "h"}
        self.denied("call_exists", self.carol, "call.invite", to=self.alice.account, **about)
        self.denied("not_a_contact", self.carol, "call.invite", to=self.bob.account, **about)
        alive(self.carol, self.alice, 0)  # its own call, which nobody else knows of
        hang_up(self.carol)
        self.quiet(self.alice, self.bob, self.phone)

    def touch(self, client: Client) -> None:
        """Do all that can be done to a call, in vain."""
        for method, more in (
            ("answer", {}),
            ("decline", {}),
            ("ringing", {"hello": "h"}),
            ("signal", {"device": self.alice.device, "data": "x"}),
            ("signal", {"device": self.bob.device, "data": "x"}),
        ):
            self.denied("not_found", client, f"call.{method}", call=CALL, **more)
        hang_up(client)
        self.quiet(self.alice, self.bob, self.phone)

    def test_other_devices_of_ones_own(self) -> None:
        """Neither of the two accounts can have another device speak in it, or end it."""
        tablet = self.world.login("alice")
        self.active()
        for device, other in ((self.phone, self.alice), (tablet, self.bob)):
            about = {"call": CALL, "device": other.device, "data": "x"}
            self.denied("call_over", device, "call.signal", **about)
            self.denied("call_over", device, "call.alive", call=CALL, account=other.account, since=0)
            hang_up(device)
        self.quiet(self.alice, self.bob)
        self.assertEqual(self.world.domain.calls.legs.count, 2)

    def test_devices_that_are_not_in_it(self) -> None:
        """What is for others is told to nobody, at whichever account they are."""
        self.ringing()
        for device in (self.carol.device, STRANGE, self.alice.device):
            self.alice.call("call.signal", call=CALL, device=device, data="x")
            self.bob.call("call.signal", call=CALL, device=self.phone.device, data="x")
        answer(self.bob)
        self.forget_told()
        say(self.alice, self.phone, "x")
        say(self.bob, self.phone, "x")
        self.quiet(self.alice, self.bob, self.phone, self.carol)


class NodeTests(ForeignCalls):
    """What node B says to Alice's."""

    options = {
        "call_invites_per_node": 0.01,
        "call_invites_per_node_burst": 10,
        "call_signals": 0.01,
        "call_signals_burst": 20,
    }

    def setUp(self) -> None:
        super().setUp()
        self.bea, self.phone = self.nodes[B].register("bea"), self.nodes[B].login("bob")
        befriend_across(self.alice, self.bea)
        self.alice.take()

    @property
    def to(self) -> tuple[str, str]:
        return CALL, self.alice.account

    def test_for_others(self) -> None:
        """It speaks for its own accounts, and to ours alone."""
        amy = self.nodes[A].register("amy")
        self.nodes[A].befriend(self.alice, amy)
        for account in (amy.account, self.bob.account.replace(B, "c.example")):
            self.assertFalse(self.says(self.invited(), account=account))
        self.assertFalse(self.says(Invite(CALL, self.bob.account, self.bob.device, Media.AUDIO, "h")))
        self.assertEqual(self.heard(), [])
        self.quiet(self.alice, amy)

    def test_strangers(self) -> None:
        """No stranger rings, and cannot tell that from an account that there is not."""
        carl = self.nodes[B].register("carl")
        nobody = Invite(OTHER, "@" + "a" * 26 + ":" + A, STRANGE, Media.AUDIO, "h")
        for word in (self.invited(), nobody):
            self.says(word, carl)
            self.assertEqual(self.heard(), ["unreachable"])
        self.quiet(self.alice)

    def test_answer_without_invite(self) -> None:
        """Of a call that nobody has begun nothing is told; it is said that there is none."""
        for word in (Answer(*self.to, STRANGE), Ringing(*self.to, STRANGE, "h")):
            self.says(word)
            self.assertEqual(self.heard(), ["lost"])
        for other in (
            Said(*self.to, STRANGE, self.alice.device, "x"),
            GoesOn(*self.to, STRANGE),
            End(*self.to, Ended.HANGUP),
        ):
            self.says(other)
            self.assertEqual(self.heard(), [])
        self.quiet(self.alice)
        self.no_legs(self.nodes[A])

    def test_an_answer_of_none_that_rings(self) -> None:
        invite(self.alice, self.bob)
        self.says(Answer(*self.to, self.bob.device))
        self.says(Ringing(*self.to, self.phone.device, "h"))
        self.says(Answer(*self.to, self.bob.device))
        self.assertEqual(told(self.alice), [("ringing", self.phone.device)])
        self.says(Answer(*self.to, self.phone.device))
        self.says(Answer(*self.to, self.bob.device))  # it is taken
        self.assertEqual(told(self.alice), [("answered", self.phone.device)])

    def test_others_of_the_node(self) -> None:
        """Another account of the same node, a contact too, has nothing to say in it."""
        invite(self.alice, self.bob)
        device = self.bea.device
        self.says(Ringing(*self.to, device, "h"), self.bea)
        self.says(Ringing(*self.to, self.bob.device, "h"))
        self.alice.take()
        for word in (
            Answer(*self.to, self.bob.device),
            Said(*self.to, self.bob.device, self.alice.device, "x"),
            End(*self.to, Ended.HANGUP),
            self.invited(),
        ):
            self.says(word, self.bea)
        self.quiet(self.alice)
        self.says(Answer(*self.to, self.bob.device))
        self.assertEqual(told(self.alice), [("answered", self.bob.device)])
        self.says(End(*self.to, Ended.HANGUP), self.bea)
        self.says(GoesOn(*self.to, device, self.alice.device), self.bea)
        self.quiet(self.alice)

    def test_other_devices(self) -> None:
        """Who speaks is a device that rings, and once it is answered that one; to the one that has called."""
        tablet = self.nodes[A].login("alice")
        invite(self.alice, self.bob)
        self.says(Ringing(*self.to, self.bob.device, "h"))
        self.alice.take()
        lies = (
            Said(*self.to, STRANGE, self.alice.device, "x"),
            Said(*self.to, self.bob.device, tablet.device, "x"),
        )
        for word in lies:
            self.says(word)
        self.quiet(self.alice, tablet)
        self.says(Ringing(*self.to, self.phone.device, "h"))
        self.says(Answer(*self.to, self.bob.device))
        self.alice.take()
        late = Said(*self.to, self.phone.device, self.alice.device, "x")
        for again in (*lies, late, GoesOn(*self.to, STRANGE), late):
            self.says(again)
        self.assertEqual(self.heard(), ["invite", "goes_on"])
        self.quiet(self.alice, tablet)

    def test_the_caller_is_pinned(self) -> None:
        """It speaks with the device that it has invited with."""
        self.says(self.invited())
        ring(self.alice)
        self.alice.take()
        self.says(Said(*self.to, self.phone.device, self.alice.device, "x"))
        self.says(Said(*self.to, self.bob.device, STRANGE, "x"))
        self.quiet(self.alice)
        answer(self.alice)
        self.says(Said(*self.to, self.phone.device, self.alice.device, "x"))
        self.quiet(self.alice)
        self.says(Said(*self.to, self.bob.device, self.alice.device, "x"))
        self.assertEqual(told(self.alice), [("signal", self.bob.device, "x")])

    def test_reasons(self) -> None:
        """What devices of one account hear of each other no node says."""
        self.says(self.invited())
        self.alice.take()
        for reason in (Ended.ANSWERED_ELSEWHERE, Ended.DECLINED_ELSEWHERE):
            self.assertFalse(self.says(End(*self.to, reason)))
        self.quiet(self.alice)

    def test_devices_without_end(self) -> None:
        """As many as an account may have are told to ring."""
        invite(self.alice, self.bob)
        for number in range(200):
            device = f"D{'a' * 13}{number:03}".translate(str.maketrans("0189", "wxyz"))
            self.says(Ringing(*self.to, device, "h"))
        self.assertEqual(len(told(self.alice)), leg.MOST_RINGING)

    def test_invites(self) -> None:
        """A node that calls all the time is told that they are busy, before anything is looked up."""
        for number in range(12):
            self.says(self.invited(call_id(number)))
            self.says(End(call_id(number), self.alice.account, Ended.HANGUP))
        self.assertEqual(self.heard(), ["busy", "busy"])
        self.assertEqual(len(told(self.alice)), 20)

    def test_signals(self) -> None:
        self.says(self.invited())
        ring(self.alice)
        self.alice.take()
        for _ in range(30):
            self.says(Said(*self.to, self.bob.device, self.alice.device, "x"))
        self.assertEqual(len(told(self.alice)), 20)

    def test_told_again(self) -> None:
        """An invitation that is told again rings no second time, while it rings and once it is over."""
        self.says(self.invited())
        self.says(self.invited())
        self.says(self.invited(hello="other"))
        self.assertEqual(told(self.alice), [("invited", self.bob.device)])
        self.says(End(*self.to, Ended.HANGUP))
        self.assertEqual(told(self.alice), [("ended", "hangup")])
        self.says(self.invited())
        self.assertEqual(self.heard(), ["hangup"])
        self.nodes[A].clock.advance(RING_SECONDS)
        self.quiet(self.alice)

    def test_an_id_in_use(self) -> None:
        """It may know the id of one of Alice's calls: it goes on."""
        invite(self.alice, self.bob)
        self.says(self.invited())
        self.says(self.invited(), self.bea)
        self.assertEqual(self.heard(), ["invite", "unreachable", "unreachable"])
        self.quiet(self.alice)

    def test_malformed(self) -> None:
        for content in (
            {},
            {"word": {"says": "invite"}},
            {"word": {"says": "nothing", "call": CALL, "to": self.alice.account}},
            {"word": to_builtins(self.invited()) | {"more": 1}},
            {"word": to_builtins(self.invited()) | {"hello": "x" * (MOST_HELLO + 1)}},
            {"word": to_builtins(End(*self.to, Ended.HANGUP)) | {"reason": "whatever"}},
        ):
            event = new_event(KIND, AccountId(self.bob.account), self.now, content)
            self.assertFalse(say_now(self.nodes, B, A, event), content)
        self.quiet(self.alice)

    def test_kinds_of_others(self) -> None:
        """A signal goes behind all else, and nothing else goes as one."""
        self.says(self.invited())
        ring(self.alice)
        self.alice.take()
        for kind, word in (
            (KIND, Said(*self.to, self.bob.device, self.alice.device, "x")),
            (CALL_SIGNAL, End(*self.to, Ended.HANGUP)),
        ):
            event = new_event(kind, AccountId(self.bob.account), self.now, to_builtins(Spoken(word)))
            self.assertFalse(say_now(self.nodes, B, A, event))
        self.quiet(self.alice)

    def test_a_node_that_takes_nothing(self) -> None:
        """What is to be said to it waits for a while, and no more of it than that."""
        line = self.nodes[A].domain.calls.kinds[0]._line  # type: ignore[attr-defined]
        self.patch(line.bounds, "_room", Room(100_000, 30_000, 5_000))
        invite(self.alice, self.bob)
        self.says(Ringing(*self.to, self.bob.device, "h"))
        self.alice.take()
        for number in range(200):
            invite(self.alice, self.bea, call_id(number))
            hang_up(self.alice, call_id(number))
        self.assertEqual(set(told(self.alice)), {("ended", "unreachable")})
        self.assertLess(line.bounds.octets, 5_000)
        self.nodes[A].clock.advance(across.LIVES)
        invite(self.alice, self.bea, OTHER)
        self.quiet(self.alice)
        self.assertEqual(line.bounds.nodes, [B])
        self.assertLess(line.bounds.octets, 2_000)
