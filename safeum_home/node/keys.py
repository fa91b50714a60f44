"""Public keys, made and wired: what accounts publish, who is told, and what other nodes ask and say."""

from collections.abc import Callable, Mapping
from typing import NamedTuple

from msgspec import Struct

from safeum_home.accounts.contact_rows import ContactSide
from safeum_home.chats.interlocutors import Interlocutors
from safeum_home.gateway.dispatch import Routes
from safeum_home.ids import AccountId
from safeum_home.keys.answering import KeyAnswering
from safeum_home.keys.asking import KeysElsewhere
from safeum_home.keys.hearing import ForeignKeys
from safeum_home.keys.launches import LaunchKeys
from safeum_home.keys.log import KeyLog
from safeum_home.keys.public import PublicKeys
from safeum_home.keys.publishing import Publishing
from safeum_home.keys.queries import KeyQueries
from safeum_home.keys.reminding import KeyReminders
from safeum_home.keys.shown import KeysShown
from safeum_home.keys.telling import KeyTelling
from safeum_home.keys.vault import Vaults
from safeum_home.limits import RateLimit
from safeum_home.node.means import DomainMeans
from safeum_home.node.turning import InThread
from safeum_home.ports import Source
from safeum_home.ports.federation import Answer, SharedKind
from safeum_home.protocol import commands
from safeum_home.protocol.commands.vault import VaultGet, VaultPut
from safeum_home.protocol.federation.questions import KeysOf


class KeyParts(NamedTuple):
    """What the rest of the node needs of them."""

    sources: tuple[Source, ...]
    routes: Routes
    rates: dict[str, RateLimit]
    shared: tuple[SharedKind, ...]
    answers: Mapping[type[Struct], Answer]
    forget_account: Callable[[AccountId], None]
    doubt: Callable[[], None]
    """Something may have been stored that nobody was told of."""
    reminders: KeyReminders
    shown: KeysShown


def make_keys(means: DomainMeans, side: ContactSide, in_thread: InThread) -> KeyParts:
    """From now on it is told by the bus which devices come and go."""
    node, database, vault, bus = means.node, means.database, means.vault, means.bus
    blinder, section, seconds = vault.blinder, means.config.limits, means.clock.seconds
    rates = {
        name: RateLimit(getattr(section, name), getattr(section, f"{name}_burst"), seconds)
        for name in (
            "key_publications_per_account",
            "key_changes_per_account",
            "key_queries_per_account",
            "key_queries_per_node",
            "vault_parts_per_account",
        )
    }
    publications, changes = rates["key_publications_per_account"], rates["key_changes_per_account"]
    log, public = KeyLog(vault.keyring, blinder, vault.peers), PublicKeys()
    people = Interlocutors(blinder, means.opener, side.all_behind)
    telling = KeyTelling(node, blinder, vault.cursors, bus, means.peers, log, people)
    launches = LaunchKeys(bus, public, publications, seconds, means.milliseconds)
    bus.observe(launches)
    shown = KeysShown(database, blinder, log, public, launches)
    publishing = Publishing(
        database, means.directory, log, public, telling, means.milliseconds, publications, changes
    )
    foreign = ForeignKeys(database, blinder, log, telling, means.milliseconds, changes)
    elsewhere = KeysElsewhere(
        means.clock, database, means.peers, shown, foreign, means.milliseconds, in_thread
    )
    queries = KeyQueries(node, database, log, shown, elsewhere, rates["key_queries_per_account"])
    answering = KeyAnswering(node, shown, rates["key_queries_per_node"])

    vaults = Vaults(database, means.directory, bus, rates["vault_parts_per_account"], seconds)

    reminders = KeyReminders(means.clock, means.jobs, database, log, telling)
    means.registry.watch(lambda chat: reminders.look())

    def doubt() -> None:
        public.doubt()
        reminders.look()

    def forget_account(account: AccountId) -> None:
        public.forget_account(account)
        launches.forget_account(account)
        vaults.forget_account(account)

    routes: Routes = {
        commands.KeysPublish: publishing.publish,
        commands.KeysQuery: queries.query,
        commands.KeysLog: queries.log,
        commands.KeysLaunch: launches.launch,
        VaultGet: vaults.get,
        VaultPut: vaults.put,
    }
    answers: Mapping[type[Struct], Answer] = {KeysOf: answering.answer}  # type: ignore[dict-item]
    return KeyParts(
        (telling.since,), routes, rates, (foreign,), answers, forget_account, doubt, reminders, shown
    )
