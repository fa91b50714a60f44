"""Payments of an open node: the providers of the configuration, and where they tell of payments."""

from collections.abc import Callable, Mapping
from typing import Any

from twisted.internet.defer import Deferred
from twisted.web.resource import IResource

from bridges.payments.desk import Desk, Standing
from bridges.payments.loading import load
from safeum_home.config import Config, ConfigError
from safeum_home.gateway.notifications import Notifications
from safeum_home.node import providers
from safeum_home.node.startup import StartError
from safeum_home.ports.payments import Notice, PaymentBridge, PaymentContext, PaymentProvider
from safeum_home.protocol.http import PAYMENTS_PATH
from safeum_home.safenum.money.takings import Takings

PaymentBridges = Callable[[str], PaymentBridge]
"""Finds the bridge of a kind; raises `ConfigError`."""


class NodePayments:
    """`desk` is what the domain begins payments through; what providers tell goes to `takings`."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        self.takings: Takings | None = None
        """There before anybody is served."""
        self._notifications = Notifications(desk.names, self._take)
        self.stream = self._notifications.stream

    @property
    def resources(self) -> Mapping[str, IResource]:
        """By their paths."""
        return {PAYMENTS_PATH.rstrip("/"): self._notifications} if self.desk.names else {}

    def report(self) -> list[str]:
        """For the operator: a line for each provider."""
        return [_line(standing) for standing in self.desk.standings()]

    def stop(self) -> Deferred[None]:
        """Close all providers."""
        return Deferred.fromCoroutine(self.desk.stop())

    async def _take(self, provider: str, notice: Notice) -> None:
        assert self.takings is not None
        await self.takings.take(provider, self.desk.meaning(provider, notice))


def make_payments(
    config: Config, reactor: Any, secret: Callable[[str], bytes], bridges: PaymentBridges = load
) -> NodePayments:
    """What `config` describes; `secret` opens a sealed secret by its name. Raises `StartError`."""
    made: list[tuple[str, str, PaymentProvider]] = []
    by_name = providers.by_name(secret)
    try:
        for each in config.payments.providers:
            url = f"https://{config.node.name}{PAYMENTS_PATH}{each.name}"
            context = PaymentContext(each.name, config.node.name, reactor, by_name, url)
            one = providers.make("payments.providers", bridges(each.kind), each.name, context, each.settings)
            made.append((each.name, each.kind, one))
    except ConfigError as error:
        for _, _, other in made:
            other.stop()
        raise StartError(str(error)) from None
    return NodePayments(Desk(reactor, config.payments, made))


def _line(standing: Standing) -> str:
    counts = ", ".join(f"{what} {count}" for what, count in sorted(standing.counts.items()))
    return "; ".join([f"{standing.name}: {standing.state}", *([counts] if counts else [])])
