"""Contacts and profiles."""

from safeum_home.protocol.command import Done, Params, Result, command
from safeum_home.protocol.types import (
    Account,
    Address,
    Contact,
    ContactPageSize,
    OwnProfile,
    Profile,
)


class ContactFound(Result, frozen=True):
    """The account behind an address."""

    account: Account
    address: str


@command("contact.find", ContactFound)
class ContactFind(Params, frozen=True):
    """Which account is `login@node`? Exact addresses only; counted against a daily limit."""

    address: Address


@command("contact.request", Done)
class ContactRequest(Params, frozen=True):
    """Ask to be put in an account's contact list. A request carries no text."""

    account: Account
    address: Address


@command("contact.accept", Done)
class ContactAccept(Params, frozen=True):
    """Accept a request: each is now in the other's list, and they can write to each other."""

    account: Account


@command("contact.decline", Done)
class ContactDecline(Params, frozen=True):
    """Drop a request; the other side is not told."""

    account: Account


@command("contact.remove", Done)
class ContactRemove(Params, frozen=True):
    """Take an account out of the list (or withdraw a request)."""

    account: Account


@command("contact.block", Done)
class ContactBlock(Params, frozen=True):
    """Refuse an account for good: no messages, no requests. To the other side it looks like a removal."""

    account: Account


@command("contact.unblock", Done)
class ContactUnblock(Params, frozen=True):
    """Lift a block; the account is then in no list."""

    account: Account


class ContactList(Result, frozen=True):
    """The contact list, requests and blocks included."""

    contacts: list[Contact]
    next: Account | None = None
    """Where to go on (`after`); null at the end."""


@command("contact.list", ContactList, activity=False)
class ListContacts(Params, frozen=True):
    """The contact list, a page at a time."""

    after: Account | None = None
    limit: ContactPageSize = 50


class ProfileResult(Result, frozen=True):
    """A profile."""

    account: Account
    address: str
    profile: Profile


@command("profile.get", ProfileResult, activity=False)
class ProfileGet(Params, frozen=True):
    """A contact's profile, or one's own (no `account`)."""

    account: Account | None = None


@command("profile.set", Done)
class ProfileSet(Params, frozen=True):
    """Replace one's own profile, all but the picture; contacts are told."""

    profile: OwnProfile
