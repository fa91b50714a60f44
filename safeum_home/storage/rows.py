"""Rows as the domain sees them. Owners are blind indexes (16 octets); all else of substance is sealed."""

from typing import NamedTuple

from safeum_home.ports import WrappedKey


class AccountRow(NamedTuple):
    """`sealed` holds the account's record, under the account's key."""

    account: bytes
    sealed: bytes
    key: WrappedKey


class DeviceRow(NamedTuple):
    """`verifier` is a keyed hash of the device's token; `sealed` is under the account's key."""

    device: bytes
    account: bytes
    verifier: bytes
    sealed: bytes


class VaultRow(NamedTuple):
    """A part of an account's vault; `sealed` is under its account's key. `parts` is how many it has."""

    account: bytes
    part: int
    version: int
    parts: int
    sealed: bytes


class PushRow(NamedTuple):
    """Where a device is woken; `sealed` is under its account's key. See `schema_push` for the rest."""

    device: bytes
    account: bytes
    address: bytes
    call_address: bytes | None
    told: int
    sealed: bytes


class ClaimRow(NamedTuple):
    """A claim on the number behind `alias`; `sealed` is under the key of the account that has it."""

    alias: bytes
    account: bytes
    sealed: bytes


class ContactRow(NamedTuple):
    """One side of a relation. `state` indexes `safeum_home.accounts.relation.STATES`; `sealed` is under
    the owner's key. A contact that is gone stays as a row of state 0, so that devices that were away
    learn it.
    """

    owner: bytes
    peer: bytes
    chat: bytes
    state: int
    position: int
    sealed: bytes


class ProfileRow(NamedTuple):
    """`sealed` is under the account's key."""

    account: bytes
    position: int
    sealed: bytes


class ChatRow(NamedTuple):
    """`sealed` holds the chat's record, under the chat's key; `changed` is where that was last told."""

    chat: bytes
    kind: int
    sealed: bytes
    key: WrappedKey
    changed: int = 0


class MemberRow(NamedTuple):
    """An account in a chat, and how far it got (0: nowhere yet). Events up to `visible` are not for it."""

    chat: bytes
    account: bytes
    delivered: int
    read: int
    position: int
    visible: int = 0


class RosterRow(NamedTuple):
    """What an account is in a group; `sealed` is under the group's key."""

    chat: bytes
    account: bytes
    position: int
    state: int
    sealed: bytes


class EndingRow(NamedTuple):
    """A group that is over for an account; `sealed` is under the key of its chat with the node."""

    account: bytes
    ending: bytes
    position: int
    sealed: bytes


class EventRow(NamedTuple):
    """A message; `sealed` is under the chat's key."""

    chat: bytes
    position: int
    sealed: bytes


class ListedChat(NamedTuple):
    """A chat in an account's list, at a place in the order of positions; `mine` is the account's own row."""

    chat: ChatRow
    mine: MemberRow
    newest: EventRow | None
    place: int


class NewEvent(NamedTuple):
    """A message to be stored, with what recognises it when it is sent again."""

    chat: bytes
    position: int
    sealed: bytes
    sent: bytes


class FleetingEvent(NamedTuple):
    """A message of a chat without history; `owner` is that of its own key, `hour` counts from 1970.

    `account` and `device` have sent it: they hold it already. Where no device has it yet there is none.
    """

    event: NewEvent
    account: bytes
    device: bytes
    hour: int
    owner: bytes
    key: WrappedKey


class InviteRow(NamedTuple):
    """An invite that can make `left` accounts until `ends` (milliseconds); `sealed` is under its own key."""

    invite: bytes
    left: int
    ends: int
    sealed: bytes
    key: WrappedKey


class Marker(NamedTuple):
    """How far an account got in a chat; a marker never goes back."""

    chat: bytes
    account: bytes
    delivered: int
    read: int
    position: int


class SupportRow(NamedTuple):
    """A conversation with support that is open. `waiting` is the oldest message without an answer, or 0."""

    chat: bytes
    position: int
    waiting: int


class UploadRow(NamedTuple):
    """A file that no message refers to yet. `sealed` is under the chat's key, `tail` under the file's.

    Of its octets `received` are on disk; `ends` is when it is thrown away, in milliseconds.
    """

    file: bytes
    chat: bytes
    blob: bytes
    received: int
    ends: int
    sealed: bytes
    tail: bytes


class FetchedRow(NamedTuple):
    """What is kept here of a blob whose octets another node has: `received` octets, as `stored` in the store.

    `account` is for whom it was fetched, `used` the hour (since 1970) in which it was last asked for, and
    `ends` when it is dropped where it is not whole by then (milliseconds; 0: it is).
    """

    blob: bytes
    account: bytes
    stored: bytes
    received: int
    used: int
    ends: int


class FilePlace(NamedTuple):
    """Where the file of a message is."""

    chat: bytes
    position: int


class FileRow(NamedTuple):
    """The file of a message; `sealed` is under the chat's key, and holds the file's. `account` has sent it.

    `ends` is when it is dropped, in milliseconds; 0: with its message.
    """

    chat: bytes
    position: int
    account: bytes
    file: bytes
    blob: bytes
    ends: int
    sealed: bytes


class ChangeRow(NamedTuple):
    """A message as it is now, and where it last became that; `sealed` is under the chat's key."""

    event: EventRow
    position: int


class ReactionRow(NamedTuple):
    """An account's reaction to the message at `target`; `sealed` is under the chat's key."""

    chat: bytes
    target: int
    account: bytes
    position: int
    sealed: bytes


class SettingsRow(NamedTuple):
    """What an account has set for a chat; `sealed` is under its key, `draft` under that and the chat's."""

    account: bytes
    chat: bytes
    position: int
    sealed: bytes
    draft: bytes | None = None


class PostRow(NamedTuple):
    """What an account has written into a group of another node; `sealed` is under the group's key."""

    position: int
    chat: bytes
    account: bytes
    told: int
    hour: int
    state: int
    sealed: bytes
