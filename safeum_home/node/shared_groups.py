"""Groups across nodes, made and wired: what hubs tell of theirs, and what is kept of those of others."""

from collections.abc import Callable, Mapping
from typing import NamedTuple

from msgspec import Struct

from safeum_home.chats.across.groups.answering import GroupAnswering
from safeum_home.chats.across.groups.coming import Coming
from safeum_home.chats.across.groups.commands import GroupForwarding, Handlers
from safeum_home.chats.across.groups.copies import GroupCopies
from safeum_home.chats.across.groups.entries import EntryKind
from safeum_home.chats.across.groups.leaving import CopyLeaving, LeftKind
from safeum_home.chats.across.groups.names import CalledElsewhere
from safeum_home.chats.across.groups.places import CopyEntries
from safeum_home.chats.across.groups.records import GroupKind, OverKind
from safeum_home.chats.across.groups.references import GroupReferences
from safeum_home.chats.across.groups.renaming import GroupRenaming
from safeum_home.chats.across.groups.telling import GroupTelling
from safeum_home.chats.groups.changes import GroupChanges
from safeum_home.chats.groups.departures import GroupLeaving
from safeum_home.chats.groups.endings import GroupEndings
from safeum_home.chats.groups.entrance import GroupEntrance
from safeum_home.chats.groups.events import GroupEvents
from safeum_home.ids import system_account
from safeum_home.limits import RateLimit
from safeum_home.node.means import DomainMeans, make_group_receipts
from safeum_home.node.message_changes import MessageWays
from safeum_home.node.messaging import MessagingParts
from safeum_home.ports.federation import Answer, SharedKind
from safeum_home.protocol.federation.questions import GroupCommand


class SharedGroups(NamedTuple):
    """What other nodes are told, tell and ask of groups; `handlers` are for groups of all nodes."""

    shared: tuple[SharedKind, ...]
    answers: Mapping[type[Struct], Answer]
    handlers: Handlers
    forwarding: GroupForwarding
    rates: dict[str, RateLimit]


class GroupMeans(NamedTuple):
    """What it stands on, besides the node's own means."""

    events: GroupEvents
    changes: GroupChanges
    entrance: GroupEntrance
    leaving: GroupLeaving
    copies: GroupCopies
    copy_leaving: CopyLeaving
    telling: GroupTelling
    called: CalledElsewhere
    erased: Callable[[], object]
    renaming: GroupRenaming


def make_renaming(means: DomainMeans, events: GroupEvents, called: CalledElsewhere) -> GroupRenaming:
    section, seconds = means.config.limits, means.clock.seconds
    limit = RateLimit(section.profile_changes_per_account, section.profile_changes_per_account_burst, seconds)
    blinder, now = means.vault.blinder, means.milliseconds
    return GroupRenaming(means.node, blinder, now, means.directory, events, means.peers, called, limit)


def make_group_telling(means: DomainMeans) -> GroupTelling:
    blinder, farewells = means.vault.blinder, means.vault.farewells
    return GroupTelling(means.peers, blinder, farewells, means.telling.groups, means.clock.seconds)


def make_copies(
    means: DomainMeans, events: GroupEvents, endings: GroupEndings, limit: RateLimit
) -> GroupCopies:
    """`limit` is how much each node may have told of its groups."""
    vault = means.vault
    return GroupCopies(
        vault.keyring,
        vault.blinder,
        means.opener,
        events,
        endings,
        means.turns,
        means.bus,
        make_group_receipts(means),
        means.posts.box,
        limit,
    )


def make_copy_leaving(means: DomainMeans, copies: GroupCopies, erased: Callable[[], object]) -> CopyLeaving:
    """`erased` is called when a copy was erased."""
    vault = means.vault
    return CopyLeaving(
        means.database, vault.blinder, means.registry, copies, means.peers, vault.farewells, erased
    )


def make_shared_groups(
    means: DomainMeans,
    messaging: MessagingParts,
    ways: MessageWays,
    groups: GroupMeans,
    handlers: Handlers,
    begun: RateLimit,
) -> SharedGroups:
    """`handlers` carry out commands about groups of this node.

    `begun` is how often each hub may have messages erased by beginning a copy anew.
    """
    node, database, now = means.node, means.database, means.milliseconds
    blinder, cursors, registry = means.vault.blinder, means.vault.cursors, means.registry
    section, seconds = means.config.limits, means.clock.seconds
    system, opener = system_account(node), means.opener
    coming = Coming(means.clock)
    entries = CopyEntries(
        node, blinder, groups.copies, groups.entrance, means.infos, messaging.receipts, coming
    )
    copies = groups.copies
    shared: tuple[SharedKind, ...] = (
        GroupKind(database, system, now, registry, groups.events, copies, means.infos, groups.erased, begun),
        EntryKind(
            node,
            database,
            blinder,
            cursors,
            now,
            registry,
            groups.events,
            groups.copies,
            entries,
            groups.changes,
            groups.leaving,
            groups.erased,
        ),
        groups.renaming,
        OverKind(database, system, now, registry, groups.copies, groups.telling, groups.erased),
        LeftKind(node, now, cursors, groups.copy_leaving, groups.changes, groups.leaving, groups.erased),
    )
    nodes = RateLimit(section.group_commands_per_node, section.group_commands_per_node_burst, seconds)
    references = GroupReferences(node, blinder, cursors)
    forwarding = GroupForwarding(
        node,
        means.peers,
        database,
        blinder,
        cursors,
        registry,
        opener,
        references,
        means.directory,
        groups.copy_leaving,
        coming,
        groups.entrance.limits,
    )
    answering = GroupAnswering(database, cursors, registry, references, handlers, groups.called, nodes)
    return SharedGroups(
        shared,
        {GroupCommand: answering.answer},  # type: ignore[dict-item]  # each takes its own question
        forwarding.wrapped(handlers),
        forwarding,
        {"group_commands_per_node": nodes},
    )
