"""Finding contacts by their numbers without telling the node which: docs/contact-sync.md."""

from typing import Annotated

from msgspec import Meta

from safeum_home.protocol.command import Params, Result, command
from safeum_home.protocol.contact_sync import ENTRY, MOST_PAGES, MOST_POINTS, PAGE
from safeum_home.protocol.types import Milliseconds

Element = Annotated[
    bytes, Meta(min_length=32, max_length=32, description="An element of ristretto255 (RFC 9496), in base64.")
]
Elements = Annotated[list[Element], Meta(min_length=1, max_length=MOST_POINTS)]
Period = Annotated[int, Meta(ge=0, le=2**53 - 1, description="Names the node's key for this while.")]
PageTag = Annotated[
    bytes, Meta(min_length=6, max_length=6, description="Another one where the page has changed; base64.")
]


class Evaluated(Result, frozen=True):
    """The points times the node's key, in their order."""

    points: Elements


@command("contacts.sync", Evaluated, activity=False)
class ContactsSync(Params, frozen=True):
    """Evaluate blinded numbers (RFC 9497, OPRF, ristretto255-SHA512). Counted against a daily limit."""

    period: Period
    points: Elements


class Directory(Result, frozen=True):
    """The set of those who can be found by number, as it is now: a tag for each page."""

    period: Period
    until: Milliseconds
    """When the next period begins, about."""
    pages: Annotated[list[PageTag], Meta(min_length=1, max_length=MOST_PAGES)]


@command("contacts.directory", Directory, activity=False)
class ContactsDirectory(Params, frozen=True):
    """Which pages the set of those who can be found has. Fetch all that have changed, never some of them."""


class DirectoryPage(Result, frozen=True):
    """A page: entries of 24 octets, in the order of their tags."""

    page: PageTag
    pages: Annotated[int, Meta(ge=1, le=MOST_PAGES, description="How many there are.")]
    entries: Annotated[bytes, Meta(max_length=PAGE * ENTRY, description="In base64.")]


@command("contacts.page", DirectoryPage, activity=False)
class ContactsPage(Params, frozen=True):
    """A page of the set."""

    period: Period
    page: Annotated[int, Meta(ge=0, le=MOST_PAGES - 1)]


class Findable(Result, frozen=True):
    """Whether this account can be found by its number."""

    findable: bool


@command("account.findable", Findable)
class AccountFindable(Params, frozen=True):
    """Allow or forbid being found by number, at once; without `findable`, ask. At first it is forbidden."""

    findable: bool | None = None
