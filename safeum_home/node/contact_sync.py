"""Finding contacts by number, put together."""

from safeum_home.accounts.contact_sync import ContactSync, SyncLimits
from safeum_home.accounts.findable_keeper import FindableKeeper
from safeum_home.accounts.work_pool import WorkPool
from safeum_home.gateway.dispatch import Routes
from safeum_home.node.means import DomainMeans
from safeum_home.protocol import commands


def make_contact_sync(means: DomainMeans) -> tuple[FindableKeeper, Routes]:
    """The keeper of the set, which is to be started and stopped, and the routes."""
    section, clock, database = means.config.contact_sync, means.clock, means.database
    vault, directory = means.vault, means.directory
    pool = WorkPool(clock, "contact sync", section.threads, section.queue)
    keeper = FindableKeeper(clock, database, vault.keyring, vault.elements, pool, section)
    limits = SyncLimits.of(section.points_per_day, clock.seconds)
    sync = ContactSync(database, directory, keeper, pool, limits)
    return keeper, {
        commands.ContactsSync: sync.sync,
        commands.ContactsDirectory: sync.directory,
        commands.ContactsPage: sync.page,
        commands.AccountFindable: sync.findable,
    }
