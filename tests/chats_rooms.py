"""What there is in the model: people, chats, messages, and what somebody sees of a message."""

from collections import Counter
from collections.abc import Set
from dataclasses import dataclass, field
from typing import NamedTuple

from safeum_home.protocol.types import ContactState

NODE = "the node"
MOST_UNREAD = 100
Key = tuple[str, ...]
"""What the model calls a chat: its kind, and whose it is, or its name."""


@dataclass
class Said:
    """A message. `key` is its first text, which no other of its chat has, or what it is an alert of."""

    key: str
    sender: str
    order: int
    text: str
    answers: str | None = None
    """The key of the message that it answers."""
    mentions: tuple[str, ...] = ()
    author: str | None = None
    """Of a copy: who wrote the original."""
    named: str | None = None
    """Of a copy: who is said to have written the original, "" where that is not said."""
    edited: bool = False
    deleted: bool = False
    reactions: dict[str, str] = field(default_factory=dict)
    fleeting: bool = False
    """Whether it lives only until it is delivered."""
    waits: set[str] = field(default_factory=set)
    """Devices that have not got it: until then it lives."""
    old: bool = False
    """Whether it was written a week ago, and is not edited any more."""
    over: bool = False
    """Whether it is certainly gone."""

    @property
    def of_node(self) -> bool:
        """Whether the node wrote what is no news."""
        return self.key.startswith("notice ")

    def shown_to(self, person: str) -> "Shown":
        """What `person` sees of it."""
        if self.deleted:
            return Shown(self.key, self.sender, None)
        return Shown(
            self.key,
            self.sender,
            self.text,
            self.edited,
            Counter(self.reactions.values()),
            self.reactions.get(person),
            self.answers,
            frozenset(self.mentions),
            self.named,
        )


class Shown(NamedTuple):
    """A message as somebody sees it; of one that was deleted there is no text."""

    key: str
    sender: str
    text: str | None
    edited: bool = False
    reactions: dict[str, int] = {}  # nobody changes it
    mine: str | None = None
    answers: str | None = None
    mentions: frozenset[str] = frozenset()
    copied: str | None = None


@dataclass
class Room:
    """A chat. `read` says how many messages each has read, from the first on."""

    kind: str
    people: tuple[str, ...]
    said: list[Said] = field(default_factory=list)
    read: dict[str, int] = field(default_factory=dict)
    since: dict[str, int] = field(default_factory=dict)
    """How many messages, from the first on, somebody does not see."""
    pinned: list[str] = field(default_factory=list)
    drafts: dict[str, str] = field(default_factory=dict)
    muted: dict[str, bool] = field(default_factory=dict)
    archived: dict[str, int] = field(default_factory=dict)
    """The message that was the last one, in the order of all, when somebody archived the chat."""
    history: bool = True
    erased: int = 0
    """How many messages, from the first on, were erased for all."""
    kept: int = 0
    """How many there were when they began to be kept again."""
    loose: bool = False
    """Whether its history was ever disabled."""
    joined: dict[str, int] = field(default_factory=dict)
    """When somebody came, in the order of messages."""

    def find(self, key: str) -> int:
        """The place of a message; -1 where there is none."""
        return next((place for place, said in enumerate(self.said) if said.key == key), -1)

    def news(self, person: str, unknown: Set[int] = frozenset()) -> list[Said]:
        """What others wrote behind what was read, and behind what the person wrote last.

        Of that, what is not `unknown`: messages by their order.
        """
        own = [
            place + 1
            for place, said in enumerate(self.said)
            if said.sender == person and said.order not in unknown
        ]
        start = max([self.erased, self.read.get(person, 0), *own])
        return [said for said in self.said[start:] if not said.of_node]

    def unread(self, person: str, unknown: Set[int]) -> int:
        return min(MOST_UNREAD, len(self.news(person, unknown)))

    def shown_archived(self, person: str) -> bool:
        """A new message brings an archived chat back, unless it is muted."""
        last = self.said[-1].order
        return person in self.archived and (self.archived[person] == last or self.muted.get(person, False))

    def first(self, person: str) -> int:
        """From which place on somebody sees it."""
        return max(self.erased, self.since.get(person, 0))

    def seen(self, person: str) -> list[Said]:
        """What somebody sees of it."""
        return self.said[self.first(person) :]

    def other(self, person: str) -> str | None:
        """Who is at the other end of a direct chat."""
        if self.kind != "direct":
            return None
        return next(one for one in self.people if one != person)


@dataclass
class Person:
    """An account. `contacts` has what it sees of others; who is not there is NONE."""

    name: str
    shown: str = ""
    closed: bool = False
    contacts: dict[str, ContactState] = field(default_factory=dict)
