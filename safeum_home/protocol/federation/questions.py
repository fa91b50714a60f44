"""What nodes ask each other, by name: `POST /_safeum/federation/v1/ask/<name>`, a JSON object each way."""

from typing import Annotated, Any

from msgspec import Meta, Struct

from safeum_home.protocol.federation.chats import Reference
from safeum_home.protocol.federation.conferences import ConferenceOf, Seat
from safeum_home.protocol.federation.groups import Called
from safeum_home.protocol.key_types import MOST_QUERIED, AccountKeys, QueriedAccounts
from safeum_home.protocol.profile_types import AvatarData, AvatarId, AvatarType
from safeum_home.protocol.scalars import Account, Username


class FindAccount(Struct, frozen=True, forbid_unknown_fields=True):
    """Which account somebody has who signs in as `login` at the node that is asked."""

    login: Username


class FoundAccount(Struct, frozen=True, forbid_unknown_fields=True):
    """It is there. Others are answered with `not_found`."""

    account: Account


class AvatarOf(Struct, frozen=True, forbid_unknown_fields=True):
    """The picture that an account's profile names, for `viewer`, a contact of it at the node that asks."""

    account: Account
    viewer: Account
    avatar: AvatarId


class AvatarHeld(Struct, frozen=True, forbid_unknown_fields=True):
    """The picture. Where there is none, or not for that one, the answer is `not_found`."""

    type: AvatarType
    data: AvatarData


class GroupCommand(Struct, frozen=True, forbid_unknown_fields=True):
    """A command of an account of the node that asks, about a group of the other one, as a client gives it.

    `message` is the one that `upto` names there, where that is among the parameters.
    """

    who: Called
    method: Annotated[str, Meta(max_length=64)]
    params: dict[str, Any]
    message: Reference | None = None


class GroupAnswer(Struct, frozen=True, forbid_unknown_fields=True):
    """Its result, as a client gets it."""

    result: dict[str, Any]


class KeysOf(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """The public keys of accounts, for `viewer`, an account of the node that asks.

    With `launches`, of at most 4 accounts, those of their devices as well.
    """

    viewer: Account
    accounts: QueriedAccounts
    launches: bool = False


class KeysHeld(Struct, frozen=True, forbid_unknown_fields=True):
    """Of those of them with whom the viewer is in a chat; of others nothing."""

    keys: Annotated[list[AccountKeys], Meta(max_length=MOST_QUERIED)]


QUESTIONS: dict[str, type[Struct]] = {
    "account.find": FindAccount,
    "profile.avatar": AvatarOf,
    "group.command": GroupCommand,
    "keys.query": KeysOf,
    "conference.seat": Seat,
    "conference.get": ConferenceOf,
}
NAME_OF = {question: name for name, question in QUESTIONS.items()}
