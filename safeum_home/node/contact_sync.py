"""Finding contacts by number, put together."""

from typing import Any

from safeum_home.accounts.contact_sync import ContactSync, SyncLimits
from safeum_home.accounts.directory import AccountDirectory
from safeum_home.accounts.findable_keeper import FindableKeeper
from safeum_home.accounts.work_pool import WorkPool
from safeum_home.config import ContactSyncSection
from safeum_home.gateway.dispatch import Handler
from safeum_home.ports import Database
from safeum_home.protocol import commands
from safeum_home.protocol.commands import Params
from safeum_home.sealing.vault import Vault


def make_contact_sync(
    section: ContactSyncSection, clock: Any, database: Database, vault: Vault, directory: AccountDirectory
) -> tuple[FindableKeeper, dict[type[Params], Handler]]:
    """The keeper of the set, which is to be started and stopped, and the routes.

    `clock` provides IReactorTime and IReactorFromThreads.
    """
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
