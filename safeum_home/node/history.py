"""What it takes to switch the history of chats off and on, put together."""

from collections.abc import Callable
from typing import Any, NamedTuple

from safeum_home.chats.across.groups.commands import GroupForwarding
from safeum_home.chats.across.lives import LivesAcross
from safeum_home.chats.across.receipts_owed import ReceiptsOwed
from safeum_home.chats.delivery import Delivery
from safeum_home.chats.groups.notices import NoticeWriter
from safeum_home.chats.history_changes import DropDrafts, HistoryChanges
from safeum_home.chats.history_switch import HistorySwitch
from safeum_home.gateway.dispatch import Routes
from safeum_home.limits import RateLimit
from safeum_home.node.means import DomainMeans, make_group_receipts
from safeum_home.protocol import commands


class HistoryParts(NamedTuple):
    """The commands, and how often histories may be switched, here and by other nodes.

    `lives` hears of other nodes how their copies are, `owed` gives them receipts.
    """

    routes: Routes
    limit: RateLimit
    lives: LivesAcross
    owed: ReceiptsOwed
    changes: HistoryChanges
    switch: HistorySwitch

    @property
    def rates(self) -> dict[str, RateLimit]:
        """By the setting of `[limits]`."""
        return {"history_switches_per_account": self.limit}

    def forwarded(self, forwarding: GroupForwarding) -> Routes:
        """The commands, for groups of all nodes."""
        wrapped: Any = forwarding.history(self.switch.set, self.switch.shown)
        return {**self.routes, commands.ChatHistorySet: wrapped}


def make_history(
    means: DomainMeans,
    delivery: Delivery,
    notices: NoticeWriter,
    sweep: Callable[[], object],
    drop_drafts: DropDrafts,
) -> HistoryParts:
    """`sweep` has the rows of what was erased deleted, `drop_drafts` what was to be written."""
    limits, vault, database, turns = means.config.limits, means.vault, means.database, means.turns
    limit = RateLimit(
        limits.history_switches_per_account, limits.history_switches_per_account_burst, means.clock.seconds
    )
    changes = HistoryChanges(
        database,
        vault.keyring,
        means.registry,
        means.infos,
        delivery,
        notices,
        means.bus,
        turns,
        drop_drafts,
        means.milliseconds,
    )
    receipts = make_group_receipts(means)
    owed = ReceiptsOwed(means.jobs, database, means.opener, means.telling, turns, receipts)
    after = (owed.giving.ask, sweep)
    switch = HistorySwitch(
        means.node,
        database,
        vault.blinder,
        vault.cursors,
        vault.signer,
        means.registry,
        means.opener,
        changes,
        turns,
        after,
        means.telling,
        limit,
    )
    lives = LivesAcross(
        means.clock, database, means.registry, means.opener, changes, means.telling, turns, after, limit
    )
    routes: Routes = {
        commands.ChatHistorySet: switch.set,
        commands.ChatHistoryReceipt: switch.receipt,
    }
    return HistoryParts(routes, limit, lives, owed, changes, switch)
