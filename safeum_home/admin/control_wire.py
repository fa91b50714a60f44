"""What is said over the operator's socket about sign-up, accounts and limits. Times are in milliseconds."""

from typing import Annotated, Literal

from msgspec import Meta, Struct

from safeum_home.admin.wire import Params

LONGEST_LABEL = 128
MOST_USES = 10_000
MOST_DAYS = 365


class RegistrationParams(Params, frozen=True):
    """`configured` lets the configuration decide again; without `mode` it is only told."""

    mode: Literal["open", "invite", "closed", "configured"] | None = None


class RegistrationState(Struct, frozen=True):
    """`mode` is in force; `set_to` is what was set at run time, and wins over `configured`."""

    mode: str
    configured: str
    set_to: str | None


class CreateInviteParams(Params, frozen=True):
    uses: Annotated[int, Meta(ge=1, le=MOST_USES)] = 1
    days: Annotated[int, Meta(ge=1, le=MOST_DAYS)] = 7
    label: Annotated[str, Meta(max_length=LONGEST_LABEL)] = ""


class InviteRow(Struct, frozen=True):
    """An invite without its code."""

    id: str
    label: str
    left: int
    uses: int
    created_at: int
    ends: int


class CreatedInvite(Struct, frozen=True):
    """A new one. `link` holds the code, which the node itself forgets."""

    link: str
    invite: InviteRow


class ListInvitesParams(Params, frozen=True):
    """All but the first so many."""

    skip: Annotated[int, Meta(ge=0)] = 0


class InviteRows(Struct, frozen=True):
    """As many as fit a line, those that end first before the others; and how many there are in all."""

    invites: list[InviteRow]
    count: int


class RevokeInviteParams(Params, frozen=True):
    id: Annotated[str, Meta(max_length=64)]


class PolicyState(Struct, frozen=True):
    """The policy in force, and where it comes from: `standard`, or a path."""

    version: str
    file: str
    text: str


class AccountCounts(Struct, frozen=True):
    """How many there are, and how many of them have a device that is connected.

    `closed` are logins of accounts that were closed with a PIN; numbers are not kept, and not counted.
    """

    accounts: int
    connected: int
    closed: int


class LoginParams(Params, frozen=True):
    login: Annotated[str, Meta(max_length=320)]


class AccountState(Struct, frozen=True):
    """An account from outside. `connected` counts devices; `policy` is the version agreed to."""

    account: str
    created_at: int
    devices: int
    connected: int
    policy: str | None
    policy_at: int | None


class LimitRow(Struct, frozen=True):
    """A limit in force. `held_back`: so many addresses or accounts are at it now, where they are counted."""

    name: str
    value: float | str
    configured: float | str
    held_back: int | None


class LimitRows(Struct, frozen=True):
    limits: list[LimitRow]


class SetLimitParams(Params, frozen=True):
    """`value` as it would stand in the configuration."""

    name: Annotated[str, Meta(max_length=64)]
    value: Annotated[str, Meta(max_length=64)]
