"""What it takes to switch the history of chats off and on, put together."""

from collections.abc import Callable, Coroutine
from typing import Any, NamedTuple

from safeum_home.chats.delivery import Delivery
from safeum_home.chats.group_notices import NoticeWriter
from safeum_home.chats.history_switch import DropDrafts, HistorySwitch
from safeum_home.gateway.dispatch import Routes
from safeum_home.limits import RateLimit
from safeum_home.node.means import DomainMeans
from safeum_home.protocol import commands


class HistoryParts(NamedTuple):
    """The commands, and how often an account may give them."""

    routes: Routes
    rates: dict[str, RateLimit]


def make_history(
    means: DomainMeans,
    delivery: Delivery,
    notices: NoticeWriter,
    sweep: Callable[[], Coroutine[Any, Any, None]],
    drop_drafts: DropDrafts,
) -> HistoryParts:
    """`sweep` deletes the rows of what was erased, `drop_drafts` what was to be written."""
    limits, vault = means.config.limits, means.vault
    limit = RateLimit(
        limits.history_switches_per_account, limits.history_switches_per_account_burst, means.clock.seconds
    )
    switch = HistorySwitch(
        means.node,
        means.database,
        vault.keyring,
        vault.blinder,
        vault.cursors,
        vault.signer,
        means.registry,
        means.opener,
        means.infos,
        delivery,
        notices,
        means.bus,
        means.turns,
        sweep,
        drop_drafts,
        means.milliseconds,
        limit,
    )
    routes: Routes = {
        commands.ChatHistorySet: switch.set,
        commands.ChatHistoryReceipt: switch.receipt,
    }
    return HistoryParts(routes, {"history_switches_per_account": limit})
