"""What an open node serves over HTTPS besides its clients: providers that call back, and other nodes."""

from typing import Any

from twisted.web.resource import IResource

from safeum_home.gateway.bodies import Body, Streams
from safeum_home.node.federation import NodeFederation
from safeum_home.node.payments import NodePayments
from safeum_home.node.sms import NodeTexts


def served(
    texts: NodeTexts | None, payments: NodePayments | None, federation: NodeFederation | None
) -> tuple[dict[str, IResource], Streams]:
    """Resources by their paths, and who takes bodies as they come."""
    resources: dict[str, IResource] = {}
    streams: list[Streams] = []
    if texts is not None:
        resources |= texts.callbacks
    if payments is not None:
        resources |= payments.resources
        streams.append(payments.stream)
    if federation is not None:
        resources |= federation.resources
        streams.append(federation.stream)

    def stream(request: Any, method: bytes, path: bytes, length: int | None) -> Body | None:
        return next(filter(None, (each(request, method, path, length) for each in streams)), None)

    return resources, stream
