"""What all parts of the domain stand on: each `make_…` of this package takes from it what it needs."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from safeum_home.accounts.directory import AccountDirectory
from safeum_home.bus.busy import BusyDevices
from safeum_home.bus.local import LocalBus
from safeum_home.chats.across.files import ForeignFiles
from safeum_home.chats.across.groups.files import GroupFiles
from safeum_home.chats.across.groups.receipts import GroupReceipts
from safeum_home.chats.across.groups.references import GroupReferences
from safeum_home.chats.across.posts.acts import Acts
from safeum_home.chats.across.posts.awaiting import Awaiting
from safeum_home.chats.across.posts.box import PostBox
from safeum_home.chats.across.posts.posts import Posts
from safeum_home.chats.across.posts.records import PostKeys
from safeum_home.chats.across.telling import Telling
from safeum_home.chats.fan_out import FanOut
from safeum_home.chats.infos import ChatInfos
from safeum_home.chats.opening import ChatOpener
from safeum_home.chats.registry import ChatRegistry
from safeum_home.chats.system import support_contact, system_contact
from safeum_home.config import Config
from safeum_home.jobs import Jobs
from safeum_home.limits import RateLimit
from safeum_home.node.turning import InThread, Turns
from safeum_home.ports import Database
from safeum_home.ports.federation import Peers
from safeum_home.sealing.vault import Vault
from safeum_home.storage.keys import FLEETING


@dataclass(frozen=True, slots=True)
class DomainMeans:
    """Storage, keys, time, and who and which chats there are."""

    config: Config
    clock: Any
    """Provides IReactorTime and IReactorFromThreads."""
    database: Database
    vault: Vault
    bus: LocalBus
    directory: AccountDirectory
    opener: ChatOpener
    registry: ChatRegistry
    infos: ChatInfos
    turns: Turns
    fleeting_turns: Turns
    """Of the keyring of keys that go with what they sealed."""
    fan_out: FanOut
    peers: Peers
    telling: Telling
    """What they are to be told of chats."""
    posts: Posts
    """What goes to the nodes of groups that are ordered elsewhere."""
    foreign_files: ForeignFiles
    group_files: GroupFiles
    busy: BusyDevices
    jobs: Jobs

    @property
    def node(self) -> str:
        """The node's name."""
        return self.config.node.name

    def milliseconds(self) -> int:
        """The time now, since 1970."""
        return int(self.clock.seconds() * 1000)


def make_means(
    config: Config, clock: Any, database: Database, vault: Vault, in_thread: InThread, peers: Peers
) -> DomainMeans:
    """`in_thread` runs what blocks."""
    blinder, keyring = vault.blinder, vault.keyring
    system, support = system_contact(config.node.name), support_contact(config.node.name)
    rate, burst = config.limits.deliveries_per_account, config.limits.deliveries_per_account_burst
    fan_out = FanOut(RateLimit(rate, burst, clock.seconds, debts=True))
    opener = ChatOpener(
        keyring, vault.fleeting, blinder, system.account, support.account, config.support.open
    )
    bus, registry, now = LocalBus(), ChatRegistry(database, blinder, opener), _milliseconds(clock)
    awaiting, cursors = Awaiting(clock), vault.cursors
    acts = Acts(GroupReferences(config.node.name, blinder, cursors))
    fleeting_turns = Turns(clock, database, vault.fleeting, in_thread, FLEETING)
    post_keys = PostKeys(lambda: fleeting_turns.epoch)
    foreign = ForeignFiles(blinder, vault.fleeting, config.files, now)
    files = GroupFiles(config.node.name, foreign, vault.fleeting)
    box = PostBox(database, blinder, cursors, opener, bus, peers, awaiting, files, now, post_keys)
    return DomainMeans(
        config,
        clock,
        database,
        vault,
        bus,
        AccountDirectory(database, keyring, blinder, system, support),
        opener,
        registry,
        ChatInfos(blinder, vault.cursors, opener),
        Turns(clock, database, keyring, in_thread),
        fleeting_turns,
        fan_out,
        peers,
        Telling(peers, blinder),
        Posts(database, blinder, cursors, opener, peers, acts, box, awaiting, now),
        foreign,
        files,
        BusyDevices(clock.seconds),
        Jobs(clock),
    )


def make_group_receipts(means: DomainMeans) -> GroupReceipts:
    """What gives receipts for groups of which nothing is here any more."""
    notes = means.telling.groups
    return GroupReceipts(
        means.jobs,
        means.database,
        means.turns,
        means.peers,
        notes,
        means.vault.farewells,
        means.milliseconds,
    )


def _milliseconds(clock: Any) -> Callable[[], int]:
    return lambda: int(clock.seconds() * 1000)
