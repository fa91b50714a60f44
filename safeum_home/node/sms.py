"""Text messages of an open node: the providers of the configuration, behind what stands in front of them."""

from collections.abc import Callable, Mapping
from typing import Any

from twisted.internet.defer import Deferred
from twisted.web.resource import IResource

from bridges.sms.loading import load
from bridges.sms.sender import Sender
from bridges.sms.tally import Tally
from safeum_home.config import Config, ConfigError
from safeum_home.node import providers
from safeum_home.node.startup import StartError
from safeum_home.ports.sms import SmsBridge, SmsContext, SmsProvider
from safeum_home.protocol.http import SMS_REPORTS_PATH

Bridges = Callable[[str], SmsBridge]
"""Finds the bridge of a kind; raises `ConfigError`."""


class NodeTexts:
    """`sender` is what the domain sends through; `callbacks` are resources, by their paths."""

    def __init__(self, sender: Sender, callbacks: Mapping[str, IResource]) -> None:
        self.sender = sender
        self.callbacks = callbacks

    def report(self) -> list[str]:
        """For the operator: a line for each provider, and one for the day."""
        lines = self.sender.report()
        return [*lines, self.sender.today] if lines else []

    def stop(self) -> Deferred[None]:
        """End what is under way, and close all providers."""
        return Deferred.fromCoroutine(self.sender.stop())


def make_texts(
    config: Config, reactor: Any, secret: Callable[[str], bytes], bridges: Bridges = load
) -> NodeTexts:
    """What `config` describes; `secret` opens a sealed secret by its name. Raises `StartError`."""
    section = config.sms
    tally = Tally(provider.name for provider in section.providers)
    made: list[tuple[str, SmsProvider]] = []
    callbacks: dict[str, IResource] = {}
    try:
        for provider in section.providers:
            path = f"{SMS_REPORTS_PATH}{provider.name}"
            url = f"https://{config.node.name}{path}"
            context = SmsContext(provider.name, reactor, providers.by_name(secret), url, tally)
            bridge = bridges(provider.kind)
            one = providers.make("sms.providers", bridge, provider.name, context, provider.settings)
            made.append((provider.name, one))
            callback: IResource | None = getattr(one, "callback", None)
            if callback is not None:
                callbacks[path] = callback
    except ConfigError as error:
        for _, other in made:
            other.stop()
        raise StartError(str(error)) from None
    return NodeTexts(Sender(reactor, section, made, tally), callbacks)
