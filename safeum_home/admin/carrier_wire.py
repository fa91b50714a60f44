"""What whoever runs the processes towards a carrier is told by the node, and tells it."""

from typing import Annotated, Literal

from msgspec import Meta, Struct

from safeum_home.admin.wire import Params
from safeum_home.grants.trunk import EdgeRecord

MOST_RECORDS = 100
"""Of a line: they fit it at their longest."""
Part = Literal["kamailio", "janus"]
PARTS: tuple[Part, ...] = ("kamailio", "janus")


class CarrierGrantParams(Params, frozen=True):
    part: Part


class CarrierGrant(Struct, frozen=True):
    """As `grants.trunk.TrunkGrant`. Empty where nothing was asked for."""

    shared: Annotated[str, Meta(pattern=r"^([0-9a-f]{64})?$(?!\n)")] = ""
    password: Annotated[str, Meta(max_length=1024)] = ""

    def __repr__(self) -> str:
        return f"<{type(self).__name__}>"


class CarrierRecordsParams(Params, frozen=True):
    """Calls as the edge has seen them; those that are there already are taken and not kept twice."""

    records: Annotated[list[EdgeRecord], Meta(max_length=MOST_RECORDS)]


class Passed(Struct, frozen=True, forbid_unknown_fields=True):
    """What one asks or tells a node elsewhere: without records it is asked for a grant."""

    records: Annotated[list[EdgeRecord], Meta(max_length=MOST_RECORDS)] | None = None


class EdgeParams(Params, frozen=True):
    """Records of the edge of a month, behind a name: "" begins."""

    month: Annotated[str, Meta(pattern=r"^[0-9]{4}-(0[1-9]|1[0-2])$(?!\n)", max_length=7)]
    after: Annotated[str, Meta(pattern=r"^([0-9a-f]{2}){0,64}$(?!\n)")] = ""


class EdgeRows(Struct, frozen=True):
    """`next` is behind which the next page begins, "" at the end; `tolerance` is in milliseconds."""

    records: list[EdgeRecord]
    next: str
    tolerance: int
