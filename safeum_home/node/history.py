"""What it takes to switch the history of chats off and on, put together."""

from collections.abc import Callable, Coroutine
from typing import Any

from safeum_home.chats.delivery import Delivery
from safeum_home.chats.group_notices import NoticeWriter
from safeum_home.chats.history_switch import HistorySwitch
from safeum_home.chats.infos import ChatInfos
from safeum_home.chats.opening import ChatOpener
from safeum_home.chats.registry import ChatRegistry
from safeum_home.config import Config
from safeum_home.gateway.dispatch import Routes
from safeum_home.limits import RateLimit
from safeum_home.ports import Bus, Database, EpochTurns
from safeum_home.protocol import commands
from safeum_home.sealing.vault import Vault


def make_history(
    config: Config,
    clock: Any,
    database: Database,
    vault: Vault,
    registry: ChatRegistry,
    opener: ChatOpener,
    infos: ChatInfos,
    delivery: Delivery,
    notices: NoticeWriter,
    bus: Bus,
    turns: EpochTurns,
    sweep: Callable[[], Coroutine[Any, Any, None]],
) -> tuple[RateLimit, Routes]:
    """How often an account may switch, and the commands. `sweep` deletes the rows of what was erased."""
    limits = config.limits
    limit = RateLimit(
        limits.history_switches_per_account, limits.history_switches_per_account_burst, clock.seconds
    )
    switch = HistorySwitch(
        config.node.name,
        database,
        vault.keyring,
        vault.blinder,
        vault.cursors,
        vault.signer,
        registry,
        opener,
        infos,
        delivery,
        notices,
        bus,
        turns,
        sweep,
        lambda: int(clock.seconds() * 1000),
        limit,
    )
    routes: Routes = {
        commands.ChatHistorySet: switch.set,
        commands.ChatHistoryReceipt: switch.receipt,
    }
    return limit, routes
