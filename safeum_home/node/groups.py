"""Groups of an open node: every part is made here and handed what it needs."""

from collections.abc import Awaitable, Callable, Mapping
from typing import NamedTuple

from msgspec import Struct
from sqlalchemy import Connection

from safeum_home.chats.across.groups.commands import GroupForwarding
from safeum_home.chats.across.groups.names import CalledElsewhere
from safeum_home.chats.across.groups.renaming import GroupRenaming
from safeum_home.chats.groups.changes import GroupChanges
from safeum_home.chats.groups.commands import Groups
from safeum_home.chats.groups.departures import GroupDepartures, GroupLeaving
from safeum_home.chats.groups.endings import GroupEndings
from safeum_home.chats.groups.entrance import GroupEntrance, GroupLimits
from safeum_home.chats.groups.events import GroupEvents
from safeum_home.chats.groups.links import GroupLinks
from safeum_home.chats.groups.pages import GroupPages
from safeum_home.chats.groups.reading import GroupRoster
from safeum_home.config import LimitSection
from safeum_home.gateway.dispatch import Routes
from safeum_home.limits import RateLimit
from safeum_home.node.history import HistoryParts
from safeum_home.node.live_limits import Use
from safeum_home.node.means import DomainMeans
from safeum_home.node.message_changes import MessageWays
from safeum_home.node.messaging import MessagingParts
from safeum_home.node.shared_groups import (
    GroupMeans,
    make_copies,
    make_copy_leaving,
    make_group_telling,
    make_renaming,
    make_shared_groups,
)
from safeum_home.ports import Source
from safeum_home.ports.federation import Answer, SharedKind
from safeum_home.ports.premium import Premium
from safeum_home.protocol import commands

SIZES = ("groups", "group_members", "group_open_invitations", "invitations")


class GroupParts(NamedTuple):
    """What the rest of the node needs of them. `leave` ends what closed accounts have in groups."""

    use: Use
    sources: tuple[Source, ...]
    routes: Routes
    rates: dict[str, RateLimit]
    leave: Callable[[], Awaitable[None]]
    shared: tuple[SharedKind, ...]
    answers: Mapping[type[Struct], Answer]
    forwarding: GroupForwarding
    hubs: Callable[[Connection, bytes], set[str]]
    """Which nodes order the groups that an account (a blind index) is in, or invited into."""
    renaming: GroupRenaming


def make_groups(
    means: DomainMeans,
    messaging: MessagingParts,
    ways: MessageWays,
    erased: Callable[[], object],
    history: HistoryParts,
    premium: Premium,
) -> GroupParts:
    """`erased` is called when a group was erased; `premium` is needed for secure chats."""
    node, database, directory, bus = means.node, means.database, means.directory, means.bus
    registry, opener, infos = means.registry, means.opener, means.infos
    blinder, cursors, keyring = means.vault.blinder, means.vault.cursors, means.vault.keyring
    events = GroupEvents(blinder, cursors, keyring, opener, directory)
    endings = GroupEndings(blinder, keyring, opener, events)
    telling, called = make_group_telling(means), CalledElsewhere()
    changes = GroupChanges(
        database,
        keyring,
        blinder,
        cursors,
        registry,
        opener,
        messaging.delivery,
        infos,
        events,
        endings,
        messaging.notices,
        directory,
        bus,
        means.fan_out,
        telling,
        called,
    )
    limits = GroupLimits.of(means.config.limits, means.clock.seconds)
    entrance = GroupEntrance(node, blinder, limits, means.peers.reaches)
    leaving = GroupLeaving(endings, means.turns)
    groups = Groups(node, blinder, registry, infos, changes, entrance, leaving, erased, premium)
    roster = GroupRoster(database, blinder, cursors, opener, directory, events)
    pages = GroupPages(database, blinder, changes, roster, limits)
    links = GroupLinks(node, database, blinder, changes, entrance, events, roster)
    renaming = make_renaming(means, events, called)
    copies = make_copies(means, events, endings, messaging.rates["events_per_hub"])
    copy_leaving = make_copy_leaving(means, copies, erased)
    departures = GroupDepartures(database, events, changes, leaving, opener.hub, copy_leaving.closed)

    def sizes(section: LimitSection) -> None:
        limits.section = section

    routes: Routes = {
        commands.GroupCreate: groups.create,
        commands.GroupInvite: groups.invite,
        commands.GroupAccept: groups.accept,
        commands.GroupDecline: groups.decline,
        commands.GroupLeave: groups.leave,
        commands.GroupRemove: groups.remove,
        commands.GroupSetRole: groups.role,
        commands.GroupMembers: roster.members,
        commands.GroupInvitations: roster.invitations,
        commands.GroupReaders: roster.readers,
        commands.GroupSet: pages.set,
        commands.GroupAvatarSet: pages.set_avatar,
        commands.GroupAvatarRemove: pages.remove_avatar,
        commands.GroupAvatarGet: pages.avatar,
        commands.GroupGetLink: links.get,
        commands.GroupLinkReset: links.reset,
        commands.GroupLinkRevoke: links.revoke,
        commands.GroupPreview: links.preview,
        commands.GroupJoin: links.join,
    }
    rates = {
        "group_invitations_per_account": limits.invitations,
        "group_changes_per_account": limits.changes,
        "group_descriptions_per_account": limits.descriptions,
    }
    sources = (events.since, endings.since)
    about = GroupMeans(
        events, changes, entrance, leaving, copies, copy_leaving, telling, called, erased, renaming
    )
    across = make_shared_groups(means, messaging, ways, about, {**routes, **history.routes}, history.limit)
    return GroupParts(
        Use(SIZES, sizes),
        sources,
        across.handlers,
        {**rates, **across.rates},
        departures.leave,
        across.shared,
        across.answers,
        across.forwarding,
        events.hubs,
        renaming,
    )
