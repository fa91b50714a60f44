"""Calls in groups of one node: who is in them, who rings, and who is told what."""

from typing import Any

from safeum_home.ids import DeviceId
from safeum_home.protocol.call_types import LOST_SECONDS, RING_SECONDS
from tests.conference_case import call_id, join, names, start, told
from tests.conferences_case import ConferenceCase
from tests.world import PASSWORD, Client


class ComingTests(ConferenceCase):
    def test_begin(self) -> None:
        """Whoever begins is in it; devices of contacts among the members ring."""
        call = call_id()
        begun = start(self.alice, self.chat, call, media="video")
        self.assertEqual((begun["call"], begun["media"]), (call, "video"))
        self.assertEqual(names(begun, *self.four), ["alice"])
        [ring] = self.bob.take("conference.rings")
        self.assertEqual(
            ring["params"],
            {
                "call": call,
                "chat": self.chat,
                "account": self.alice.account,
                "media": "video",
                "seconds": RING_SECONDS,
            },
        )
        self.assertEqual(
            [told(each) for each in (self.carol, self.dave)], [[("rings", self.alice.account)]] * 2
        )
        self.assertEqual(told(self.alice), [])

    def test_strangers_do_not_ring(self) -> None:
        """Bob knows Alice alone: Carol is not rung by a stranger, and sees it when she looks."""
        call = self.start_of(self.bob)
        self.assertEqual(told(self.alice), [("rings", self.bob.account)])
        self.assertEqual(told(self.carol), [])
        state = self.carol.call("conference.get", chat=self.chat)
        self.assertEqual((state["call"], state["accounts"]), (call, [self.bob.account]))

    def start_of(self, client: Client) -> str:
        return str(start(client, self.chat)["call"])

    def test_join(self) -> None:
        """The younger one learns the hellos of the older ones, and these its own."""
        call = self.start(self.alice)
        joined = join(self.bob, self.chat, call, hello="of-Bob")
        self.assertEqual(names(joined, *self.four), ["alice", "bob"])
        self.assertEqual(joined["participants"][0]["hello"], self.alice.device)
        [event] = self.alice.take("conference.joined")
        since = joined["participants"][1]["since"]
        self.assertGreater(since, joined["participants"][0]["since"])
        self.assertEqual(
            event["params"],
            {
                "call": call,
                "account": self.bob.account,
                "device": self.bob.device,
                "hello": "of-Bob",
                "since": since,
            },
        )
        self.assertEqual([told(self.bob), told(self.carol)], [[], []])
        self.assertEqual(self.inside(self.carol), ["alice", "bob"])

    def test_both_begin(self) -> None:
        """The second one joins what the first one has begun, and nobody rings again."""
        call = self.start(self.alice)
        second = start(self.bob, self.chat)
        self.assertEqual((second["call"], names(second, *self.four)), (call, ["alice", "bob"]))
        self.assertEqual(told(self.carol), [])

    def test_the_same_again(self) -> None:
        """It tells who is in it, and changes nothing; with another hello the device is the youngest."""
        call = self.start(self.alice, self.bob)
        again = start(self.alice, self.chat, call)
        self.assertEqual(names(again, *self.four), ["alice", "bob"])
        self.assertEqual(told(self.bob), [])
        anew = join(self.alice, self.chat, call, hello="anew")
        self.assertEqual(names(anew, *self.four), ["bob", "alice"])
        self.assertEqual(told(self.bob), [("joined", self.alice.account)])

    def test_another_device(self) -> None:
        """It takes the place of the first, which is told."""
        call = self.start(self.alice, self.bob)
        tablet = self.world.login("bob")
        for each in (self.alice, self.bob):
            each.take()
        self.assertEqual(names(join(tablet, self.chat, call), *self.four), ["alice", "bob"])
        self.assertEqual(told(self.bob), [("ended", "answered_elsewhere")])
        self.assertEqual(told(self.alice), [("left", self.bob.account), ("joined", self.bob.account)])
        self.refused("not_found", self.bob, "call.alive", call=call, since=0)
        self.bob.call("call.hangup", call=call)
        self.assertEqual(self.inside(self.alice), ["alice", "bob"])

    def test_others_have_no_such_group(self) -> None:
        call = self.start(self.alice)
        hello = {"hello": "h", "chat": self.chat}
        for method, params in (
            ("conference.start", {"call": call_id(), "media": "audio", **hello}),
            ("conference.join", {"call": call, **hello}),
            ("conference.get", {"chat": self.chat}),
        ):
            self.refused("not_found", self.eve, method, **params)
        direct = self.world.befriend(self.bob, self.carol)
        self.refused("not_found", self.bob, "conference.get", chat=direct)

    def test_what_is_over_is_not_joined(self) -> None:
        call = self.start(self.alice)
        self.refused("call_over", self.bob, "conference.join", call=call_id(), chat=self.chat, hello="h")
        self.alice.call("call.hangup", call=call)
        self.refused("call_over", self.bob, "conference.join", call=call, chat=self.chat, hello="h")
        self.assertEqual(self.carol.call("conference.get", chat=self.chat), self.nothing)

    nothing: dict[str, Any] = {"call": None, "media": None, "accounts": []}

    def test_an_id_of_another_one(self) -> None:
        """An id names one conference of the node."""
        call = self.start(self.alice)
        other = self.group(self.bob, name="Runs")
        self.refused(
            "call_exists", self.bob, "conference.start", call=call, chat=other, media="audio", hello="h"
        )

    def test_two_of_an_account(self) -> None:
        """An account is in two at once at the most."""
        for name in ("One", "Two"):
            start(self.bob, self.group(self.bob, name=name))
        third = {"call": call_id(), "chat": self.chat, "media": "audio", "hello": "h"}
        self.assertEqual(
            self.refused("limit_reached", self.bob, "conference.start", **third)["code"], "limit_reached"
        )


class RingingTests(ConferenceCase):
    def test_a_device_that_comes(self) -> None:
        """It rings for as long as is left, and no more after that."""
        start(self.alice, self.chat)
        self.world.settle(15)
        self.bob.take()
        self.bob.resume()
        self.world.settle()
        [ring] = self.bob.take("conference.rings")
        self.assertAlmostEqual(ring["params"]["seconds"], RING_SECONDS - 15, 0)
        self.world.settle(RING_SECONDS - 10)
        self.bob.resume()
        self.world.settle()
        self.assertEqual(told(self.bob), [])

    def test_joined_elsewhere(self) -> None:
        tablet = self.world.login("bob")
        call = str(start(self.alice, self.chat)["call"])
        self.assertEqual([told(tablet), told(self.bob)], [[("rings", self.alice.account)]] * 2)
        join(tablet, self.chat, call)
        self.assertEqual(told(self.bob), [("ended", "answered_elsewhere")])
        self.assertEqual(told(tablet), [])
        self.bob.resume()
        self.world.settle()
        self.assertEqual(told(self.bob), [])

    def test_declined(self) -> None:
        """On no device; the conference goes on, and can be joined."""
        tablet = self.world.login("bob")
        call = str(start(self.alice, self.chat)["call"])
        told(tablet)
        told(self.bob)
        self.bob.call("call.decline", call=call)
        self.assertEqual([told(tablet), told(self.bob)], [[("ended", "declined_elsewhere")], []])
        self.assertEqual(names(join(tablet, self.chat, call), *self.four), ["alice", "bob"])

    def test_over_while_it_rings(self) -> None:
        call = str(start(self.alice, self.chat)["call"])
        told(self.bob)
        self.alice.call("call.hangup", call=call)
        self.assertEqual(told(self.bob), [("ended", "hangup")])

    def test_removed_while_it_rings(self) -> None:
        start(self.alice, self.chat)
        told(self.bob)
        self.alice.call("group.remove", chat=self.chat, account=self.bob.account)
        self.assertIn(("ended", "hangup"), told(self.bob))

    def test_again_and_again(self) -> None:
        """Three times in a row it rings; then in a minute once more."""
        for _ in range(4):
            self.alice.call("call.hangup", call=str(start(self.alice, self.chat)["call"]))
        self.assertEqual([event for event, _ in told(self.bob)], ["rings", "ended"] * 3)

    def test_in_large_groups(self) -> None:
        self.patch_most(3)
        start(self.alice, self.chat)
        self.assertEqual(told(self.bob), [])

    def patch_most(self, members: int) -> None:
        self.patch(__import__("safeum_home.calls.conferences.rings", fromlist=["x"]), "MOST_MEMBERS", members)


class LeavingTests(ConferenceCase):
    def test_hangup(self) -> None:
        call = self.start(self.alice, self.bob, self.carol)
        self.bob.call("call.hangup", call=call)
        self.assertEqual([told(self.alice), told(self.carol)], [[("left", self.bob.account)]] * 2)
        self.assertEqual([told(self.bob), told(self.dave)], [[], []])
        self.assertEqual(self.inside(self.dave), ["alice", "carol"])

    def test_nothing_is_heard(self) -> None:
        """Who says nothing for a minute is not in it any more, and neither is a device that is away."""
        call = self.start(self.alice, self.bob)
        self.bob.drop()
        self.pass_alive(LOST_SECONDS - 20, (self.alice, call))
        self.assertEqual(told(self.alice), [])
        self.pass_alive(40, (self.alice, call))
        self.assertEqual(told(self.alice), [("left", self.bob.account)])

    def test_away_for_a_moment(self) -> None:
        """Media go on without the node: who comes back was in it all the time, and asks who is."""
        call = self.start(self.alice, self.bob)
        self.bob.drop()
        self.pass_alive(40, (self.alice, call))
        join(self.carol, self.chat, call)
        self.bob.resume()
        self.bob.call("call.alive", call=call, since=0)
        self.assertEqual(told(self.alice), [("joined", self.carol.account)])
        self.assertEqual(names(join(self.bob, self.chat, call), *self.four), ["alice", "bob", "carol"])

    def test_revoked(self) -> None:
        self.start(self.alice, self.bob, self.carol)
        self.bob.call("session.logout")
        self.assertEqual(self.inside(self.dave), ["alice", "carol"])
        tablet = self.world.login("carol")
        tablet.call("device.revoke", device=self.carol.device)
        self.assertEqual(self.inside(self.dave), ["alice"])

    def test_removed_from_the_group(self) -> None:
        call = self.start(self.alice, self.bob, self.carol)
        self.alice.call("group.remove", chat=self.chat, account=self.bob.account)
        self.assertIn(("ended", "hangup"), told(self.bob))
        self.assertIn(("left", self.bob.account), told(self.carol))
        self.refused("not_found", self.bob, "conference.join", call=call, chat=self.chat, hello="h")

    def test_closed(self) -> None:
        self.start(self.alice, self.bob)
        self.bob.call("account.pin.set", password=PASSWORD, pin="284716")
        Client(self.world, "198.51.100.1").call("account.block", username="bob", pin="284716")
        self.world.settle(5)
        self.assertIn(("left", self.bob.account), told(self.alice))

    def test_alone(self) -> None:
        """After five minutes with nobody else it is over."""
        call = self.start(self.alice, self.bob)
        self.bob.call("call.hangup", call=call)
        self.alice.take()
        self.pass_alive(280, (self.alice, call))
        self.assertEqual(told(self.alice), [])
        self.pass_alive(20, (self.alice, call))
        self.world.settle(1)
        self.assertEqual(told(self.alice), [("ended", "no_answer")])
        self.assertEqual(self.inside(self.bob), [])

    def test_nothing_is_left(self) -> None:
        """When all have gone nothing is kept of it."""
        call = self.start(self.alice, self.bob)
        for each in (self.alice, self.bob):
            self.assertFalse(self.world.services.busy.last(DeviceId(each.device)) < float("inf"))
            each.call("call.hangup", call=call)
            self.assertTrue(self.world.services.busy.last(DeviceId(each.device)) < float("inf"))
        self.world.settle(RING_SECONDS + 1)
        parts = self.world.domain.conferences
        self.assertEqual((len(parts.hub), len(parts.here), len(parts.rings)), (0, 0, 0))


class SignalTests(ConferenceCase):
    def signal(self, client: Client, call: str, to: Client, data: str = "data") -> None:
        client.call("call.signal", call=call, account=to.account, device=to.device, data=data)

    def test_between_two(self) -> None:
        call = self.start(self.alice, self.bob, self.carol)
        for data in ("one", "two"):
            self.signal(self.alice, call, self.bob, data)
        said = [event["params"] for event in self.bob.take("call.signal")]
        about = {"call": call, "account": self.alice.account, "device": self.alice.device}
        self.assertEqual(said, [{**about, "data": "one"}, {**about, "data": "two"}])
        self.assertEqual(told(self.carol), [])

    def test_to_who_is_not_in_it(self) -> None:
        call = self.start(self.alice, self.bob)
        tablet = self.world.login("bob")
        for to in (self.dave, self.eve, tablet):
            to.take()
            self.signal(self.alice, call, to)
            self.assertEqual(to.take(), [])

    def test_of_who_is_not_in_it(self) -> None:
        call = self.start(self.alice, self.bob)
        about = {"account": self.bob.account, "device": self.bob.device, "data": "data"}
        for client in (self.dave, self.eve, self.world.login("alice")):
            self.refused("not_found", client, "call.signal", call=call, **about)
        self.assertEqual(self.bob.take("call.signal"), [])
