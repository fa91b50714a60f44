"""What a node tells a client unasked: one struct for each JSON-RPC notification.

A durable event has a cursor (a message's cursor is its `id`): after a reconnect with
`since`, everything behind that cursor comes again, exactly once and in order. Others are
lost with the connection.
"""

from msgspec import Struct

from safeum_home.protocol.call_types import CallId, Ended, Hello, Media
from safeum_home.protocol.call_types import Signal as CallData
from safeum_home.protocol.event import EVENTS as EVENTS
from safeum_home.protocol.event import METHOD_OF as METHOD_OF
from safeum_home.protocol.event import Event as Event
from safeum_home.protocol.event import event as _event
from safeum_home.protocol.group_types import GroupMember, Invitation
from safeum_home.protocol.key_types import KeyHash
from safeum_home.protocol.message_types import ChatSettings
from safeum_home.protocol.money_events import BalanceChanged as BalanceChanged
from safeum_home.protocol.presence import Presence, Privacy
from safeum_home.protocol.telephone_events import TelephoneIncoming as TelephoneIncoming
from safeum_home.protocol.types import (
    Account,
    Chat,
    ChatInfo,
    Contact,
    CursorText,
    Device,
    Message,
    Milliseconds,
    Profile,
)
from safeum_home.protocol.vault_events import VaultChanged as VaultChanged

_event("chat.message", durable=True)(Message)


@_event("chat.receipt", durable=True)
class Receipt(Struct, frozen=True):
    """How far an account's devices hold (`delivered`) and how far it has read a chat, as message ids."""

    cursor: CursorText
    chat: Chat
    account: Account
    delivered: CursorText | None
    read: CursorText | None


@_event("chat.updated", durable=True)
class ChatUpdated(Struct, frozen=True):
    """A chat is now this: it is new to the account, or something of it has changed."""

    cursor: CursorText
    chat: ChatInfo


class Reacted(Struct, frozen=True):
    """An account's reaction is now this; null: it has taken it back."""

    account: Account
    emoji: str | None


@_event("chat.changed", durable=True)
class ChatChanged(Struct, frozen=True, omit_defaults=True):
    """A message is now this: it was edited, deleted for all, or somebody reacted.

    What is told live is the same for everybody, without `mine`: that stays what it was unless `reacted`
    names one's own account, and there is none where no reaction is left. After a reconnect each message that
    has changed comes once, as it is now, and `reacted` is the account's own reaction.
    """

    cursor: CursorText
    message: Message
    by: Account | None = None
    """Who changed it; null after a reconnect."""
    reacted: Reacted | None = None


@_event("chat.post", durable=True)
class PostChanged(Struct, frozen=True, omit_defaults=True):
    """What this account has written into a group waits for the node that orders it, or was refused by that.

    `post` is the id that it has meanwhile: the `chat.message` with that as its `origin` ends the waiting.
    With `code` it was refused, and never comes. `message` is what was written; `about`, without one, the
    message that was to be changed. With neither its author has deleted it.
    """

    cursor: CursorText
    chat: Chat
    post: CursorText
    message: Message | None = None
    about: CursorText | None = None
    code: str | None = None


@_event("chat.settings", durable=True)
class SettingsChanged(Struct, frozen=True):
    """What this account has set for a chat is now this; its own devices alone are told."""

    cursor: CursorText
    chat: Chat
    settings: ChatSettings


@_event("group.member", durable=True)
class MemberChanged(Struct, frozen=True):
    """Somebody's place in a group is now this. `members` is how many members it has.

    Of one's own account, unless as a `member`: an invitation into this group is over, and so is the chat.
    """

    cursor: CursorText
    chat: Chat
    member: GroupMember
    members: int


@_event("group.invited", durable=True)
class GroupInvitation(Struct, frozen=True):
    """The session's account is invited into a group; again where that has another name or description.

    It is over with the next `group.member` of its own.
    """

    cursor: CursorText
    invitation: Invitation


@_event("chat.typing", durable=False)
class Typing(Struct, frozen=True):
    """Somebody types; show it for 6 seconds at the most."""

    chat: Chat
    account: Account
    active: bool


@_event("contact.changed", durable=True)
class ContactChanged(Struct, frozen=True, omit_defaults=True):
    """A contact's state is now this. `erased`, only ever with `none`: there is no chat with it (any more)."""

    cursor: CursorText
    contact: Contact
    erased: bool = False


@_event("profile.changed", durable=True)
class ProfileChanged(Struct, frozen=True):
    """A contact's (or one's own) profile is now this. A new `avatar` in it is to be asked for."""

    cursor: CursorText
    account: Account
    profile: Profile


@_event("keys.changed", durable=True)
class KeysChanged(Struct, frozen=True):
    """Since `at` an account, with which the session's is in a chat, or that itself, has other public keys.

    `before` and `after` are their hashes. Show it in each chat with the account. The last change is told
    again, with the same `at`, where the account comes into a chat: who has shown it does nothing.
    """

    cursor: CursorText
    account: Account
    before: KeyHash
    after: KeyHash
    at: Milliseconds


@_event("session.synced", durable=False)
class Synced(Struct, frozen=True):
    """All that was missed has been sent; what follows is live. The device is current up to `cursor`."""

    cursor: CursorText


@_event("session.sleep", durable=False)
class Sleep(Struct, frozen=True):
    """Nobody has used the device for a while. It is closed now, with 4012; come back when woken or used."""


@_event("presence.changed", durable=False)
class PresenceChanged(Struct, frozen=True, omit_defaults=True):
    """How it is with contacts now, as far as it has changed; a connection begins with knowing nothing.

    With `reset` all that was told before is forgotten first.
    """

    changes: list[Presence]
    reset: bool = False


@_event("privacy.changed", durable=False)
class PrivacyChanged(Struct, frozen=True):
    """What this account keeps to itself is now this; a connection on which it was not told hides nothing."""

    privacy: Privacy


@_event("call.invited", durable=False)
class CallInvitation(Struct, frozen=True):
    """A contact calls from its `device`, for `seconds` more. A device that connects meanwhile is told too."""

    call: CallId
    account: Account
    device: Device
    media: Media
    hello: Hello
    seconds: float


@_event("call.ringing", durable=False)
class CallRings(Struct, frozen=True):
    """A device of who is called rings."""

    call: CallId
    device: Device
    hello: Hello


@_event("call.answered", durable=False)
class CallAnswered(Struct, frozen=True):
    """The call was taken on this device: the others ring no more."""

    call: CallId
    device: Device


@_event("call.signal", durable=False)
class CallSignalled(Struct, frozen=True):
    """Another device in the call says this."""

    call: CallId
    account: Account
    device: Device
    data: CallData


@_event("call.ended", durable=False)
class CallEnded(Struct, frozen=True):
    """The call is over, at least on this device."""

    call: CallId
    reason: Ended


@_event("conference.rings", durable=False)
class ConferenceRings(Struct, frozen=True):
    """A member of a group has begun a conference, which rings for `seconds` more."""

    call: CallId
    chat: Chat
    account: Account
    media: Media
    seconds: float


@_event("conference.joined", durable=False)
class ConferenceJoined(Struct, frozen=True):
    """A device has joined, or has another `hello` or `since` now. Told to those in the conference."""

    call: CallId
    account: Account
    device: Device
    hello: Hello
    since: Milliseconds


@_event("conference.left", durable=False)
class ConferenceLeft(Struct, frozen=True):
    """A device is not in the conference any more. Told to those who are."""

    call: CallId
    account: Account
    device: Device
