"""Tests of whoever floods, guesses and lies in calls notice when what they test is gone."""

from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from safeum_home.calls import across, commands, leg, queue
from safeum_home.calls.hearing import Hearing
from safeum_home.calls.leg import Leg
from safeum_home.calls.legs import Legs
from safeum_home.calls.limits import CallLimits
from safeum_home.calls.partners import Partners
from safeum_home.calls.queue import Bounds
from safeum_home.limits import RateLimit
from safeum_home.protocol.federation.events import node_of
from tests.without import Defence, Whatever, check, nothing, yes

HOSTILE, LOCAL = "tests.test_calls_hostile.", "tests.test_calls"
RINGS, LANE = "tests.test_calls_rings.", "tests.test_calls_lane."
MEANWHILE = "tests.test_calls_meanwhile."
DEVICES, NODES = HOSTILE + "DeviceTests.test_", HOSTILE + "NodeTests.test_"
ENOUGH = 10**15


async def _whoever(*_arguments: Any) -> None:
    """`Partners.check` that finds nobody a stranger."""


def _as_new(*_arguments: Any) -> None:
    """`Legs.over_before` that remembers nothing."""


def _never_again(self: Hearing, of: Leg, word: Any) -> None:
    """`Hearing._again` that takes it for the first time."""
    self._legs.over(of, of.stage)  # type: ignore[arg-type]
    self._legs._over.clear()
    self._invited(of.peer, of.account, word)


def _first(*_arguments: Any) -> tuple[Leg, ...]:
    """`Legs.crossing` that looks at nothing."""
    return ()


def _of_the_node(self: CallLimits, sender: Any) -> None:
    """`CallLimits.take_invite` that does not look who calls."""
    self.invites_of_node.take(node_of(sender))


def _all_of_it(self: across.CallKind, node: str, subjects: Any) -> None:
    """`CallKind.missed` that does not look what was missed."""
    self.lost(node)


def _first_come(self: Bounds, node: str, sender: Any, size: int) -> bool:
    """`Bounds.take` that looks at no node."""
    if self.octets + size > self._room.most:
        return False
    self._add(node, sender, size)
    return True


DEFENCES: dict[str, tuple[str, tuple[Defence, ...]]] = {
    "floods of invitations": (DEVICES + "invites", (Defence(RateLimit, "take", nothing),)),
    "a hundred invitations at once": (DEVICES + "a_hundred_at_once", (Defence(Legs, "may_ring", yes),)),
    "floods of signals": (DEVICES + "signals", (Defence(RateLimit, "take", nothing),)),
    "other devices of one's own": (
        DEVICES + "other_devices_of_ones_own",
        (Defence(Leg, "must_be", nothing),),
    ),
    "devices that are not in it": (
        DEVICES + "devices_that_are_not_in_it",
        (Defence(Leg, "rings_on", yes), Defence(Leg, "meets", yes), Defence(Leg, "is_of", yes)),
    ),
    "calls with strangers": (f"{LOCAL}.CallTests.test_strangers", (Defence(Partners, "check", _whoever),)),
    "more calls than two": (
        f"{LOCAL}_devices.BoundTests.test_of_the_caller",
        (Defence(Legs, "has_room", yes),),
    ),
    "more calls than ring": (
        f"{LOCAL}_devices.BoundTests.test_of_the_callee",
        (Defence(Legs, "may_ring", yes),),
    ),
    "more calls than the node takes": (
        f"{LOCAL}_devices.BoundTests.test_of_the_node",
        (Defence(Legs, "full", False),),
    ),
    "calls of long ago": (
        f"{LOCAL}_devices.AliveTests.test_since",
        (Defence(commands, "OLDEST", ENOUGH),),
    ),
    "calls in both directions": (
        f"{LOCAL}_across.GlareTests.test_crossing",
        (Defence(Legs, "crossing", _first),),
    ),
    "nodes that speak for others": (NODES + "for_others", (Defence(across, "node_of", Whatever),)),
    "strangers elsewhere": (NODES + "strangers", (Defence(Partners, "check", _whoever),)),
    "answers of devices that do not ring": (
        NODES + "an_answer_of_none_that_rings",
        (Defence(Leg, "rings_on", yes),),
    ),
    "others of the same node": (NODES + "others_of_the_node", (Defence(Leg, "is_with", yes),)),
    "devices that do not ring": (NODES + "other_devices", (Defence(Leg, "rings_on", yes),)),
    "devices that have not answered": (NODES + "other_devices", (Defence(Leg, "meets", yes),)),
    "devices that are not called": (NODES + "other_devices", (Defence(Leg, "is_of", yes),)),
    "devices that have not called": (NODES + "the_caller_is_pinned", (Defence(Leg, "meets", yes),)),
    "reasons of others": (NODES + "reasons", (Defence(across, "ELSEWHERE", frozenset()),)),
    "devices without end": (NODES + "devices_without_end", (Defence(leg, "MOST_RINGING", ENOUGH),)),
    "invitations of a node": (NODES + "invites", (Defence(RateLimit, "take", nothing),)),
    "signals of a node": (NODES + "signals", (Defence(RateLimit, "take", nothing),)),
    "ringing again and again": (
        RINGS + "HereTests.test_again_and_again",
        (Defence(CallLimits, "take_ring", nothing),),
    ),
    "ringing again and again, from elsewhere": (
        RINGS + "ThereTests.test_again_and_again",
        (Defence(CallLimits, "take_ring", nothing),),
    ),
    "one of a node in the way of all others": (
        RINGS + "ThereTests.test_one_of_a_node",
        (Defence(CallLimits, "take_invite", _of_the_node),),
    ),
    "signals in front of invitations": (
        LANE + "LaneTests.test_with_more_than_may_be_said",
        (Defence(across.SignalKind, "turn", 0.0), Defence(queue, "AT_ONCE", ENOUGH)),
    ),
    "losses of others": (
        LANE + "LaneTests.test_one_that_is_missed",
        (Defence(across.CallKind, "missed", _all_of_it),),
    ),
    "slow nodes": (LANE + "RoomTests.test_slow_nodes", (Defence(Bounds, "take", _first_come),)),
    "hanging up what is being asked": (
        MEANWHILE + "HereTests.test_hung_up",
        (Defence(commands.CallCommands, "_hang_up_asked", nothing),),
    ),
    "hanging up what goes on": (
        MEANWHILE + "HereTests.test_one_that_went_on",
        (Defence(commands.CallCommands, "_hang_up_asked", nothing),),
    ),
    "those who part meanwhile": (
        MEANWHILE + "HereTests.test_no_contacts_any_more",
        (Defence(Partners, "parted", nothing),),
    ),
    "those elsewhere who part meanwhile": (
        MEANWHILE + "ThereTests.test_no_contacts_any_more",
        (Defence(Partners, "parted", nothing),),
    ),
    "what is over": (NODES + "told_again", (Defence(Legs, "over_before", _as_new),)),
    "what rings already": (NODES + "told_again", (Defence(Hearing, "_again", _never_again),)),
    "nodes that take nothing": (
        NODES + "a_node_that_takes_nothing",
        (Defence(Bounds, "take", yes),),
    ),
}


def _of(name: str) -> Any:
    test, defences = DEFENCES[name]

    def notices(self: "CallDefenceTests") -> None:
        check(self, test, *defences)

    notices.__doc__ = f"Without it the test of {name} fails."
    return notices


class CallDefenceTests(SynchronousTestCase):
    """A method for each of `DEFENCES`."""


for _number, _name in enumerate(DEFENCES):
    setattr(CallDefenceTests, f"test_{_number:02}", _of(_name))
