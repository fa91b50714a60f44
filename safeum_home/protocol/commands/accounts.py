"""Accounts, sessions and devices: signing up, logging in, coming back, logging out."""

from msgspec import UNSET, UnsetType

from safeum_home.protocol.command import Done, Params, Phase, Result, command
from safeum_home.protocol.commands.policy import PolicyVersion
from safeum_home.protocol.invites import InviteCode
from safeum_home.protocol.types import (
    Account,
    Alias,
    Chat,
    CursorText,
    Device,
    DeviceEntry,
    DeviceInfo,
    Password,
    PublicKey,
    Token,
    Username,
)


class Opened(Result, frozen=True):
    """The session is now this device of this account.

    Events after `cursor` will follow on this connection. `token` is given at sign-up and at a login
    with a password, once; `session.resume` answers with null there. `node_key` is what the node signs with,
    and `support_chat` where this account can write to its operator.
    """

    account: Account
    address: str
    device: Device
    cursor: CursorText
    token: Token | None = None
    policy: PolicyVersion | None = None
    """Of the node's policy, where this account's owner has not agreed to that version yet: ask."""
    node_key: PublicKey | None = None
    support_chat: Chat | None = None


@command("account.register", Opened, Phase.GREETING)
class AccountRegister(Params, frozen=True):
    """Sign up with a login and a password. The session is then open.

    `consent` is the version of the policy that its reader has agreed to (`consent_needed` else); `invite`
    is a code, where the node asks for one (`invite_needed`).
    """

    username: Username
    password: Password
    device: DeviceInfo
    consent: PolicyVersion | None = None
    invite: InviteCode | None = None


@command("account.password", Done)
class AccountPassword(Params, frozen=True):
    """Change the password. All other devices of the account are logged out."""

    current: Password
    new: Password


@command("session.login", Opened, Phase.GREETING)
class SessionLogin(Params, frozen=True):
    """Log in with a password: a new device. A message in the account's system chat announces it."""

    username: Alias
    password: Password
    device: DeviceInfo


@command("session.resume", Opened, Phase.GREETING)
class SessionResume(Params, frozen=True):
    """Come back with a device's token. With `since`, all that was missed follows, then `session.synced`."""

    token: Token
    since: CursorText | None = None
    seen: CursorText | None = None
    """The newest of one's own messages that was acknowledged here: `since` may be before it. A node that was
    put back to where it had none of it answers `invalid_cursor`."""
    woken: bool | UnsetType = UNSET
    """It comes because it was woken, not because somebody is there: it is in use with the first command that
    says so, and until then it is told nothing of the presence of others."""


@command("session.ack", Done, activity=False)
class SessionAck(Params, frozen=True):
    """This device holds everything up to `cursor`. Best sent as a notification, every 200 ms or 50 events."""

    cursor: CursorText


@command("session.sleep", Done, activity=False)
class SessionSleep(Params, frozen=True):
    """Sleep: answered when all else is, and all that was missed was sent; then it is closed with 4012."""


@command("session.logout", Done)
class SessionLogout(Params, frozen=True):
    """Revoke this device's token and end the session."""


class DeviceList(Result, frozen=True):
    """The account's devices, oldest first."""

    devices: list[DeviceEntry]


@command("device.list", DeviceList)
class ListDevices(Params, frozen=True):
    """Which devices hold a token of this account."""


@command("device.revoke", Done)
class DeviceRevoke(Params, frozen=True):
    """Revoke a device's token and close its session."""

    device: Device
