"""Carriers of an open node: those of the configuration, made by their bridges, and counted."""

from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

from twisted.logger import Logger

from bridges.safenum.loading import load
from safeum_home.config import Config, ConfigError
from safeum_home.node import providers
from safeum_home.node.carriers_counting import IN, OUT, Counted, Outcome
from safeum_home.node.startup import StartError
from safeum_home.ports.carrier import (
    Carrier,
    CarrierBridge,
    CarrierCall,
    CarrierContext,
    CarrierListener,
    CarrierLost,
    Exchange,
    Incoming,
)

CarrierBridges = Callable[[str], CarrierBridge]
"""Finds the bridge of a kind; raises `ConfigError`."""


class NodeCarriers:
    """`ports.carrier.Carriers`, in the order of the configuration; and what the node does with them."""

    _log = Logger()

    def __init__(self, made: Sequence[tuple[str, Carrier]]) -> None:
        self.carriers = dict(made)
        self.counts: Counter[tuple[str, str, Outcome]] = Counter()
        """Calls that are over, by carrier, direction, and what became of them."""

    @property
    def names(self) -> Sequence[str]:
        return list(self.carriers)

    def dial(self, cli: str, to: str, sdp: str, listener: CarrierListener) -> tuple[str, CarrierCall]:
        """As `ports.carrier.Carriers.dial`. That of one that is up and has no line is `CarrierLost`, too."""
        refusal = CarrierLost()
        for name, carrier in self.carriers.items():
            if carrier.is_up:
                try:
                    return name, carrier.dial(cli, to, sdp, Counted(self.counts, name, OUT, listener))
                except CarrierLost as lost:
                    refusal = lost
        raise refusal

    def start(self, exchange: Exchange) -> None:
        """Connect; calls that come in go to `exchange`."""
        for name, carrier in self.carriers.items():
            carrier.start(_CountedExchange(self.counts, name, exchange))

    async def stop(self) -> None:
        """End all calls, and close. One that fails does not keep the others from it."""
        for name, carrier in self.carriers.items():
            try:
                await carrier.stop()
            except Exception:
                self._log.failure("carrier {carrier} could not be stopped", carrier=name)

    def report(self) -> list[str]:
        """For the operator: a line for each carrier."""
        return [line(name, carrier) for name, carrier in self.carriers.items()]


class _CountedExchange:
    """Counts what comes in."""

    def __init__(self, counts: "Counter[tuple[str, str, Outcome]]", name: str, exchange: Exchange) -> None:
        self._counts = counts
        self._name = name
        self._exchange = exchange

    def incoming(self, call: CarrierCall, offer: Incoming) -> CarrierListener:
        return Counted(self._counts, self._name, IN, self._exchange.incoming(call, offer))


def make_carriers(
    config: Config,
    reactor: Any,
    secret: Callable[[str], bytes],
    derived: Callable[[str], bytes],
    bridges: CarrierBridges = load,
) -> NodeCarriers:
    """What `config` describes; `secret` opens a sealed secret by its name. Raises `StartError`.

    `derived` is as in `CarrierContext`.
    """
    made: list[tuple[str, Carrier]] = []
    by_name = providers.by_name(secret)
    try:
        for each in config.safenum.carriers:
            context = CarrierContext(each.name, reactor, by_name, derived)
            bridge = bridges(each.kind)
            carrier = providers.make("safenum.carriers", bridge, each.name, context, each.settings)
            made.append((each.name, carrier))
    except ConfigError as error:
        raise StartError(str(error)) from None
    return NodeCarriers(made)


def line(name: str, carrier: Carrier) -> str:
    """How it is with a carrier, and its lines."""
    taken, total = carrier.lines
    _, missed, refused = carrier.counts
    notes = [f"{missed} calls found all lines taken"] if missed else []
    notes += [f"{refused} times a call was refused before it reached the carrier"] if refused else []
    return "; ".join([f"{name}: {carrier.standing}", f"{taken} of {total} lines taken", *notes])
