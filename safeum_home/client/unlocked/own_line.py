"""How the keys of this account came to be in force, and which of its chats were told."""

from safeum_home.client.secure import succession
from safeum_home.client.secure.own_memory import OwnMemory, merge
from safeum_home.client.secure.people import MOST_FORMER, People
from safeum_home.client.secure.succession import Line
from safeum_home.client.secure.unique_key import UniqueKey
from safeum_home.protocol.signing import decode_octets, encode_octets


class OwnLine:
    """In memory, as the vault keeps it."""

    def __init__(self, people: People) -> None:
        self._people = people
        self._kept = OwnMemory()
        self.line: Line | None = None
        """None where the keys in force are the first ones, or follow on some without their word."""

    @property
    def kept(self) -> OwnMemory:
        lost = tuple(sorted(map(encode_octets, self._people.lost)))[:MOST_FORMER]
        return merge(self._kept, OwnMemory(lost=lost))

    def restore(self, kept: OwnMemory, own: UniqueKey) -> None:
        """As the vault has it. A line that does not lead to the keys that were entered is none of theirs."""
        self._people.lost.update(octets for each in kept.lost if (octets := decode_octets(each, 32)))
        line = succession.of_text(kept.line) if kept.line else None
        if line is not None and line.last == own.public and line.is_said(own.account):
            self._kept = merge(self._kept, kept)
            self.line = succession.of_text(self._kept.line)

    def begin(self, line: Line) -> None:
        """Other keys are in force, at the directory; no chat was told."""
        self.line, self._kept = line, OwnMemory(line.text, published=True)

    @property
    def unpublished(self) -> bytes | None:
        """The hash of the keys before, where the directory may have these in force yet."""
        return None if self.line is None or self._kept.published else self.line.before.hash

    @property
    def followed(self) -> frozenset[str]:
        """Hashes of all keys before, each of which has named the next ones."""
        return (
            frozenset()
            if self.line is None
            else frozenset(encode_octets(each.hash) for each in self.line.keys[:-1])
        )

    def published(self) -> None:
        if self.line is not None:
            self._kept = merge(self._kept, OwnMemory(self._kept.line, published=True))

    def owes(self, chat: str) -> bool:
        """Whether a chat is to be told yet."""
        return self.line is not None and chat not in self._kept.told

    def told(self, chat: str) -> None:
        if self.line is not None:
            self._kept = merge(self._kept, OwnMemory(self._kept.line, told=(chat,)))
