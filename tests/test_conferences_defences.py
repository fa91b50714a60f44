"""Tests of nodes and devices that lie about conferences notice when what they test is gone."""

from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from safeum_home.calls.conferences import hub, kinds, rings, signals, table
from safeum_home.calls.conferences.roster import by_account
from safeum_home.ids import AccountId
from safeum_home.limits import RateLimit
from safeum_home.node.conferences import ChatGroups
from tests.without import Defence, check, nothing, yes

HOSTILE = "tests.test_conferences_hostile."
HUB, MEMBER, FLOOD = (HOSTILE + each for each in ("HubTests.", "MemberTests.", "FloodTests."))


class Everybody:
    """Whoever is asked for is in it."""

    def __init__(self, members: Any) -> None:
        self._members = members

    def __contains__(self, account: object) -> bool:
        return True

    def __iter__(self) -> Any:
        return iter(self._members)

    def __len__(self) -> int:
        return len(self._members)


_group = ChatGroups.group


def _of_everybody(self: Any, chat: Any) -> Any:
    """`ChatGroups.group` with members that all are."""

    def believed(group: Any) -> Any:
        return group and group._replace(members=Everybody(group.members))

    return _group(self, chat).addCallback(believed)


def _all_of_it(self: table.Table, members: Any, roster: Any) -> None:
    """`Table.follow` that believes a hub whatever it says."""
    others = by_account(roster.participants)
    self.others = {account: each for account, each in others.items() if account not in self.mine}
    self.version = roster.version


_sit = hub.Hub._hear


def _without_times(self: hub.Hub, conference: Any, node: str, people: Any, at: int) -> bool:
    """`Hub._hear` of which what was said last is the latest."""
    conference.asked.clear()
    return _sit(self, conference, node, people, at)


def _late(self: hub.Hub, since: int | None) -> int:
    """`Hub._since` that believes it."""
    return self._stamps.next() if since is None else since


async def _need(self: hub.Hub, chat: Any, _account: AccountId) -> Any:
    """`Hub._need` that lets everybody in."""
    return await self._groups.group(chat)


def _everywhere(_members: Any) -> Any:
    """`homes` of a group that has members at all nodes."""
    return Everybody(())


DEFENCES: dict[str, tuple[str, tuple[Defence, ...]]] = {
    "seats for accounts of other nodes": (
        HUB + "test_seats_of_others",
        (Defence(kinds, "_check_own", nothing), Defence(hub.Hub, "_need", _need)),
    ),
    "seats for strangers": (HUB + "test_seats_of_strangers", (Defence(hub.Hub, "_need", _need),)),
    "reports of accounts of other nodes": (
        HUB + "test_reports_of_others",
        (Defence(kinds, "_check_own", nothing),),
    ),
    "reports of strangers": (
        HUB + "test_reports_of_strangers",
        (Defence(ChatGroups, "group", _of_everybody),),
    ),
    "conferences of strangers": (
        HUB + "test_a_conference_of_strangers",
        (Defence(ChatGroups, "group", _of_everybody), Defence(hub, "homes", _everywhere)),
    ),
    "reports of before a seat was asked for": (
        HUB + "test_old_reports",
        (Defence(hub.Hub, "_hear", _without_times),),
    ),
    "more than six": (HUB + "test_more_than_six", (Defence(hub, "MOST_TOGETHER", 100),)),
    "times of the future": (HUB + "test_from_the_future", (Defence(hub.Hub, "_since", _late),)),
    "rosters of others than the hub": (
        MEMBER + "test_a_roster_of_no_hub",
        (Defence(kinds, "_orders", yes),),
    ),
    "rosters with strangers": (
        MEMBER + "test_a_roster_with_strangers",
        (Defence(table.Table, "follow", _all_of_it),),
    ),
    "rings by strangers": (MEMBER + "test_a_ring_for_others", (Defence(ChatGroups, "group", _of_everybody),)),
    "rings for ever": (MEMBER + "test_a_ring_for_ever", (Defence(rings, "RING_SECONDS", 1e9),)),
    "rings again and again": (
        MEMBER + "test_rings_again_and_again",
        (Defence(RateLimit, "take", nothing),),
    ),
    "signals of who is not in it": (
        MEMBER + "test_signals",
        (Defence(signals, "_is_in", yes),),
    ),
    "signals that come early, for ever": (
        MEMBER + "test_many_early_ones",
        (Defence(signals.Signals, "_forget", nothing),),
    ),
    "who begins again and again": (FLOOD + "test_begin", (Defence(RateLimit, "take", nothing),)),
    "who says too much": (FLOOD + "test_signals", (Defence(RateLimit, "take", nothing),)),
    "nodes that ask too much": (FLOOD + "test_a_node", (Defence(RateLimit, "take", nothing),)),
}


def _of(name: str) -> Any:
    test, defences = DEFENCES[name]

    def notices(self: "ConferenceDefenceTests") -> None:
        check(self, test, *defences)

    notices.__doc__ = f"Without it the test of {name} fails."
    return notices


class ConferenceDefenceTests(SynchronousTestCase):
    """A method for each of `DEFENCES`."""


for _number, _name in enumerate(DEFENCES):
    setattr(ConferenceDefenceTests, f"test_{_number:02}", _of(_name))
