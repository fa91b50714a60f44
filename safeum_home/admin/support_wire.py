"""What is said at the operator's socket about support: one account at a time, and no list of accounts."""

from typing import Annotated

from msgspec import Meta, Struct

from safeum_home.admin.wire import Params

Whom = Annotated[str, Meta(min_length=1, max_length=320)]
"""An account's login, `login@node`, or its id."""
Place = Annotated[int, Meta(ge=0, le=2**63 - 1)]
"""Where a page begins, as the page before said it."""


class SupportListParams(Params, frozen=True):
    before: Place | None = None
    limit: Annotated[int, Meta(ge=1, le=30)] = 20


class SupportReadParams(Params, frozen=True):
    account: Whom
    before: Place | None = None
    limit: Annotated[int, Meta(ge=1, le=100)] = 50


class SupportReplyParams(Params, frozen=True):
    account: Whom
    text: Annotated[str, Meta(min_length=1, max_length=8192)]


class SupportReplied(Struct, frozen=True):
    """The answer is on its way. `waits`: something that nobody has read came in before it."""

    waits: bool


class SupportCloseParams(Params, frozen=True):
    account: Whom


class SupportMessage(Struct, frozen=True):
    """`staff`: it is an answer. `at` is in milliseconds since 1970."""

    id: str
    at: int
    staff: bool
    text: str


class SupportConversation(Struct, frozen=True):
    """`login` is empty where the account is gone. `waiting_since`: None where it is answered."""

    account: str
    login: str
    last: SupportMessage
    waiting_since: int | None


class SupportList(Struct, frozen=True):
    """Open conversations, the newest message first; `before` is where the next page begins."""

    conversations: list[SupportConversation]
    before: int | None


class SupportPage(Struct, frozen=True):
    """Messages, oldest first; `before` is where older ones are."""

    account: str
    login: str
    messages: list[SupportMessage]
    before: int | None


class SupportClosed(Struct, frozen=True):
    """Whether it is closed: not where something came in that nobody has read."""

    closed: bool
