"""What a client may ask: one struct of parameters and one of results for each JSON-RPC method.

`COMMANDS` is the whole contract: the decoder, the session machine, the routes and the generated
documents are all read from it.
"""

from collections.abc import Callable
from typing import Annotated, TypeVar

from msgspec import Meta

from safeum_home.protocol.command import Command as Command
from safeum_home.protocol.command import Params as Params
from safeum_home.protocol.command import Phase as Phase
from safeum_home.protocol.command import Result as Result
from safeum_home.protocol.types import (
    Account,
    Address,
    Body,
    Chat,
    ChatSummary,
    ClientId,
    Contact,
    ContactPageSize,
    CursorText,
    Device,
    DeviceEntry,
    DeviceInfo,
    Message,
    Milliseconds,
    PageSize,
    Password,
    Profile,
    Token,
    Username,
)

COMMANDS: dict[str, Command] = {}
P = TypeVar("P", bound=type[Params])


def _command(method: str, result: type[Result], phase: Phase = Phase.OPEN) -> Callable[[P], P]:
    def register(params: P) -> P:
        COMMANDS[method] = Command(method, params, result, phase)
        return params

    return register


class Done(Result, frozen=True):
    """The command was carried out."""


class Opened(Result, frozen=True):
    """The session is now this device of this account.

    Events after `cursor` will follow on this connection. `token` is given at sign-up and at a login
    with a password, once; `session.resume` answers with null there.
    """

    account: Account
    address: str
    device: Device
    cursor: CursorText
    token: Token | None = None


@_command("account.register", Opened, Phase.GREETING)
class AccountRegister(Params, frozen=True):
    """Sign up with a login and a password; nothing else is asked. The session is then open."""

    username: Username
    password: Password
    device: DeviceInfo


@_command("account.password", Done)
class AccountPassword(Params, frozen=True):
    """Change the password. All other devices of the account are logged out."""

    current: Password
    new: Password


@_command("session.login", Opened, Phase.GREETING)
class SessionLogin(Params, frozen=True):
    """Log in with a password: a new device. A message in the account's system chat announces it."""

    username: Username
    password: Password
    device: DeviceInfo


@_command("session.resume", Opened, Phase.GREETING)
class SessionResume(Params, frozen=True):
    """Come back with a device's token. With `since`, all that was missed follows, then `session.synced`."""

    token: Token
    since: CursorText | None = None


@_command("session.ack", Done)
class SessionAck(Params, frozen=True):
    """This device holds everything up to `cursor`. Best sent as a notification, every 200 ms or 50 events."""

    cursor: CursorText


@_command("session.logout", Done)
class SessionLogout(Params, frozen=True):
    """Revoke this device's token and end the session."""


class DeviceList(Result, frozen=True):
    """The account's devices, oldest first."""

    devices: list[DeviceEntry]


@_command("device.list", DeviceList)
class ListDevices(Params, frozen=True):
    """Which devices hold a token of this account."""


@_command("device.revoke", Done)
class DeviceRevoke(Params, frozen=True):
    """Revoke a device's token and close its session."""

    device: Device


class ContactFound(Result, frozen=True):
    """The account behind an address."""

    account: Account
    address: str


@_command("contact.find", ContactFound)
class ContactFind(Params, frozen=True):
    """Which account is `login@node`? Exact addresses only; counted against a daily limit."""

    address: Address


@_command("contact.request", Done)
class ContactRequest(Params, frozen=True):
    """Ask to be put in an account's contact list. A request carries no text."""

    account: Account
    address: Address


@_command("contact.accept", Done)
class ContactAccept(Params, frozen=True):
    """Accept a request: each is now in the other's list, and they can write to each other."""

    account: Account


@_command("contact.decline", Done)
class ContactDecline(Params, frozen=True):
    """Drop a request; the other side is not told."""

    account: Account


@_command("contact.remove", Done)
class ContactRemove(Params, frozen=True):
    """Take an account out of the list (or withdraw a request)."""

    account: Account


@_command("contact.block", Done)
class ContactBlock(Params, frozen=True):
    """Refuse an account for good: no messages, no requests. To the other side it looks like a removal."""

    account: Account


@_command("contact.unblock", Done)
class ContactUnblock(Params, frozen=True):
    """Lift a block; the account is then in no list."""

    account: Account


class ContactList(Result, frozen=True):
    """The contact list, requests and blocks included."""

    contacts: list[Contact]
    next: Account | None = None
    """Where to go on (`after`); null at the end."""


@_command("contact.list", ContactList)
class ListContacts(Params, frozen=True):
    """The contact list, a page at a time."""

    after: Account | None = None
    limit: ContactPageSize = 50


class ProfileResult(Result, frozen=True):
    """A profile."""

    account: Account
    address: str
    profile: Profile


@_command("profile.get", ProfileResult)
class ProfileGet(Params, frozen=True):
    """A contact's profile, or one's own (no `account`)."""

    account: Account | None = None


@_command("profile.set", Done)
class ProfileSet(Params, frozen=True):
    """Replace one's own profile; contacts are told."""

    profile: Profile


class ChatList(Result, frozen=True):
    """Chats, newest first."""

    chats: list[ChatSummary]
    next: CursorText | None = None
    """Where to go on (`before`); null at the end."""


@_command("chat.list", ChatList)
class ListChats(Params, frozen=True):
    """The chats that hold a message, newest first, a page at a time."""

    before: CursorText | None = None
    limit: Annotated[int, Meta(ge=1, le=50)] = 25


class Sent(Result, frozen=True):
    """The message is on disk. The same `client_id` sent again gets the same answer."""

    id: CursorText
    at: Milliseconds


@_command("chat.send", Sent)
class ChatSend(Params, frozen=True):
    """Write into a chat. Idempotent: for each device and `client_id` there is one message.

    The body is a `text`; other kinds are the node's own.
    """

    chat: Chat
    client_id: ClientId
    body: Body


class History(Result, frozen=True):
    """Messages, oldest first."""

    messages: list[Message]
    more: bool
    """Whether there are older ones."""


@_command("chat.history", History)
class ChatHistory(Params, frozen=True):
    """The messages before `before` (or the newest)."""

    chat: Chat
    before: CursorText | None = None
    limit: PageSize = 50


@_command("chat.read", Done)
class ChatRead(Params, frozen=True):
    """Everything up to the message `upto` was read here."""

    chat: Chat
    upto: CursorText


@_command("chat.typing", Done)
class ChatTyping(Params, frozen=True):
    """Typing started or stopped; forgotten after 6 seconds. Best sent as a notification."""

    chat: Chat
    active: bool = True
