"""What whoever runs the processes towards a carrier is told by the node, and tells it."""

from typing import Annotated, Literal

from msgspec import Meta, Struct

from safeum_home.admin.wire import Params
from safeum_home.ports.trunk import EdgeRecord

MOST_RECORDS = 100
"""Of a line: they fit it at their longest."""
Part = Literal["kamailio", "janus"]


class CarrierGrantParams(Params, frozen=True):
    part: Part


class CarrierGrant(Struct, frozen=True):
    """As `ports.trunk.TrunkGrant`; `key` travels in base64."""

    shared: Annotated[str, Meta(pattern=r"^[0-9a-f]{64}$(?!\n)")]
    password: Annotated[str, Meta(max_length=1024)] = ""
    key: bytes | None = None

    def __repr__(self) -> str:
        return f"<{type(self).__name__}>"


class CarrierRecordsParams(Params, frozen=True):
    """Calls as the edge has seen them; those that are there already are taken and not kept twice."""

    records: Annotated[list[EdgeRecord], Meta(max_length=MOST_RECORDS)]
