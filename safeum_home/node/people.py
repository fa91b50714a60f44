"""Who knows whom, and what people show of themselves, made and wired."""

from collections.abc import Callable, Mapping
from typing import NamedTuple

from msgspec import Struct

from safeum_home.accounts.avatars import Avatars
from safeum_home.accounts.contact_rows import ContactSide
from safeum_home.accounts.contacts import ContactLimits, Contacts
from safeum_home.accounts.introductions import Introductions
from safeum_home.accounts.profile_changes import ProfileChanges
from safeum_home.accounts.profile_views import ProfileViews
from safeum_home.accounts.profiles import Profiles
from safeum_home.gateway.dispatch import Routes
from safeum_home.ids import AccountId
from safeum_home.limits import RateLimit
from safeum_home.node.foreign_people import ForeignMeans, answers, make_foreign_people, shared_kinds
from safeum_home.node.means import DomainMeans
from safeum_home.node.presence import presence_routes
from safeum_home.node.routes import people_routes
from safeum_home.ports import RelationWatch, SafeNumbers, Source
from safeum_home.ports.federation import Answer, SharedKind
from safeum_home.presence.presence import WhoIsThere


class PeopleParts(NamedTuple):
    """What the rest of the node needs of them."""

    limits: ContactLimits
    introductions: Introductions
    sources: tuple[Source, ...]
    routes: Routes
    rates: dict[str, RateLimit]
    shared: tuple[SharedKind, ...]
    answers: Mapping[type[Struct], Answer]
    changes: ProfileChanges


def make_people(
    means: DomainMeans,
    side: ContactSide,
    presence: WhoIsThere,
    watch: RelationWatch,
    foreign: ForeignMeans,
    forget: Callable[[AccountId], None],
    erased: Callable[[], object],
    numbers: SafeNumbers,
) -> PeopleParts:
    """`side` is an account's own list of contacts, and `watch` is told who is in contact.

    `foreign` is for accounts of other nodes: where one was closed, `forget` drops what is in memory of it,
    and `erased` has it seen to that nothing of it can be opened.
    """
    database, directory, bus, vault = means.database, means.directory, means.bus, means.vault
    section, seconds = means.config.limits, means.clock.seconds
    limits = ContactLimits.of(section, seconds)
    views = ProfileViews(numbers)
    changes = ProfileChanges(
        database, vault.cursors, directory, side, views, bus, foreign.notes, foreign.renamed
    )
    limit = RateLimit(section.profile_changes_per_account, section.profile_changes_per_account_burst, seconds)
    others = make_foreign_people(means, side, foreign, views, changes, limit, watch)
    kept = (means.node, database, directory, side, means.registry, bus, limits, watch)
    contacts = Contacts(*kept, others.contacts, others.finder)
    profiles = Profiles(
        means.node, database, vault.blinder, directory, side, views, changes, limit, others.profiles
    )
    avatars = Avatars(
        database, vault.blinder, directory, side, changes, limit, others.avatars, others.pictures
    )
    routes: Routes = {
        **people_routes(contacts, profiles, avatars),
        **presence_routes(presence, database, directory, limit),
    }
    introductions = Introductions(means.node, directory, side, views)
    rates = {"profile_changes_per_account": limit, **others.rates}
    shared = shared_kinds(means, side, foreign, others, forget, erased)
    sources = (side.since, profiles.since)
    return PeopleParts(
        limits, introductions, sources, routes, rates, shared, answers(others, avatars), changes
    )
