"""Push of an open node: the providers of the configuration, behind what stands in front of them."""

from collections.abc import Callable
from functools import partial
from typing import Any

from twisted.internet.defer import Deferred

from bridges.push.loading import load
from bridges.push.sender import Sender, Standing
from safeum_home.config import Config, ConfigError
from safeum_home.node import providers
from safeum_home.node.startup import StartError
from safeum_home.ports.push import PushBridge, PushContext, PushProvider

PushBridges = Callable[[str], PushBridge]
"""Finds the bridge of a kind; raises `ConfigError`."""


class NodePushes:
    """`sender` is what the domain wakes devices through."""

    def __init__(self, sender: Sender) -> None:
        self.sender = sender

    def report(self) -> list[str]:
        """For the operator: a line for each provider."""
        return [line(standing) for standing in self.sender.standings()]

    def stop(self) -> Deferred[None]:
        """Give up what is under way, and close all providers."""
        return Deferred.fromCoroutine(self.sender.stop())


def make_pushes(
    config: Config,
    reactor: Any,
    secret: Callable[[str], bytes],
    derived: Callable[[str], bytes],
    bridges: PushBridges = load,
) -> NodePushes:
    """What `config` describes; `secret` opens a sealed secret by its name. Raises `StartError`.

    `derived` makes 32 octets of a provider's name, the same at each start.
    """
    made: list[PushProvider] = []
    by_name = providers.by_name(secret)
    try:
        for each in config.push.providers:
            own = partial(derived, each.name)
            context = PushContext(each.name, config.node.name, reactor, by_name, own)
            bridge = bridges(each.kind)
            made.append(providers.make("push.providers", bridge, each.name, context, each.settings))
        return NodePushes(Sender(reactor, config.push, made))
    except ConfigError as error:
        for other in made:
            other.stop()
        raise StartError(str(error)) from None


def line(standing: Standing) -> str:
    """How it is with a provider, what waits, and what became of wakes since the start."""
    waiting = sum(standing.waiting.values())
    notes = [f"{waiting} waiting"] if waiting else []
    if standing.under_way:
        notes.append(f"{standing.under_way} under way")
    counts = ", ".join(f"{what} {count}" for what, count in sorted(standing.counts.items()))
    return "; ".join([f"{standing.name}: {standing.state}", *notes, *([counts] if counts else [])])
