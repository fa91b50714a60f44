"""People at other nodes, made and wired: what is noted of one's own, and what is kept of theirs."""

from collections.abc import Callable, Mapping
from typing import NamedTuple

from msgspec import Struct
from sqlalchemy import Connection

from safeum_home.accounts.avatars import Avatars
from safeum_home.accounts.contact_rows import ContactSide
from safeum_home.accounts.foreign_avatars import ForeignAvatars
from safeum_home.accounts.foreign_closing import Farewells, ForeignClosing
from safeum_home.accounts.foreign_contacts import ForeignContacts
from safeum_home.accounts.foreign_finding import ForeignFinder
from safeum_home.accounts.foreign_notes import ForeignNotes
from safeum_home.accounts.foreign_pairs import ForeignPairs
from safeum_home.accounts.foreign_profiles import ForeignProfiles
from safeum_home.accounts.profile_changes import ProfileChanges
from safeum_home.accounts.profile_views import ProfileViews
from safeum_home.ids import AccountId
from safeum_home.limits import RateLimit
from safeum_home.node.means import DomainMeans
from safeum_home.ports import RelationWatch
from safeum_home.ports.federation import Answer, SharedKind
from safeum_home.protocol.federation.questions import AvatarOf, FindAccount


class ForeignMeans(NamedTuple):
    """What all of it stands on."""

    notes: ForeignNotes
    pairs: ForeignPairs
    farewells: Farewells
    renamed: Callable[[Connection, bytes], set[str]]


class ForeignPeople(NamedTuple):
    """The parts that commands are carried out by, and those that other nodes talk to."""

    contacts: ForeignContacts
    finder: ForeignFinder
    profiles: ForeignProfiles
    avatars: ForeignAvatars
    pictures: RateLimit
    rates: dict[str, RateLimit]


def make_foreign_means(
    means: DomainMeans,
    side: ContactSide,
    hubs: Callable[[Connection, bytes], set[str]],
    renamed: Callable[[Connection, bytes], set[str]],
) -> ForeignMeans:
    """What is noted for other nodes, and how relations to their accounts are stored.

    `hubs` are the nodes that order the groups which an account is in, and `renamed` notes that it is called
    something else there.
    """
    notes = ForeignNotes(means.node, means.peers, means.vault.blinder)
    pairs = ForeignPairs(side, means.vault.blinder, notes, means.turns)
    farewells = Farewells(side, pairs, notes, means.vault.farewells, hubs)
    return ForeignMeans(notes, pairs, farewells, renamed)


def make_foreign_people(
    means: DomainMeans,
    side: ContactSide,
    foreign: ForeignMeans,
    views: ProfileViews,
    changes: ProfileChanges,
    profile_limit: RateLimit,
    watch: RelationWatch,
) -> ForeignPeople:
    """`side` is an account's own list of contacts; `profile_limit` is how often it may change its profile.

    `watch` is told of who is in contact.
    """
    database, directory, vault, bus = means.database, means.directory, means.vault, means.bus
    section, seconds, now = means.config.limits, means.clock.seconds, means.milliseconds
    finds = RateLimit(section.finds_per_node, section.finds_per_node_burst, seconds)
    requests = RateLimit(section.contact_requests_per_node, section.contact_requests_per_node_burst, seconds)
    contacts = ForeignContacts(
        means.node,
        database,
        directory,
        side,
        foreign.pairs,
        foreign.notes,
        means.registry,
        bus,
        requests,
        now,
        watch,
    )
    profiles = ForeignProfiles(
        means.node,
        vault.keyring,
        vault.blinder,
        database,
        directory,
        side,
        views,
        changes,
        bus,
        now,
        profile_limit,
    )
    avatars = ForeignAvatars(means.peers, database, vault.keyring, vault.blinder, profiles)
    pictures = RateLimit(section.pictures_per_node, section.pictures_per_node_burst, seconds)
    closings = RateLimit(section.closings_per_node, section.closings_per_node_burst, seconds)
    rates = {
        "closings_per_node": closings,
        "finds_per_node": finds,
        "contact_requests_per_node": requests,
        "pictures_per_node": pictures,
    }
    finder = ForeignFinder(means.peers, directory, finds)
    return ForeignPeople(contacts, finder, profiles, avatars, pictures, rates)


def shared_kinds(
    means: DomainMeans,
    side: ContactSide,
    foreign: ForeignMeans,
    people: ForeignPeople,
    forget: Callable[[AccountId], None],
    erased: Callable[[], object],
) -> tuple[SharedKind, ...]:
    """Of which people's objects other nodes are told."""
    closing = ForeignClosing(
        means.node,
        means.database,
        means.vault.blinder,
        means.directory,
        side,
        foreign.farewells,
        means.turns,
        means.bus,
        means.milliseconds,
        forget,
        erased,
        people.rates["closings_per_node"],
    )
    return (people.contacts, people.profiles, closing)


def answers(people: ForeignPeople, avatars: Avatars) -> Mapping[type[Struct], Answer]:
    """What other nodes ask of people."""
    return {FindAccount: people.finder.answer, AvatarOf: avatars.answer}  # type: ignore[dict-item]
