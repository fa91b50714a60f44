"""A vault on its way to other keys: what is in it once these are in force."""

import contextlib
from collections.abc import Awaitable, Callable, Iterable

from msgspec import structs

from safeum_home.client.secure.chat_memory import ChatMemory, EpochMemory
from safeum_home.client.secure.epoch import SEALED, open_key
from safeum_home.client.secure.own_memory import OwnMemory
from safeum_home.client.secure.people import MOST_FORMER, Trust
from safeum_home.client.secure.refused import Refused
from safeum_home.client.secure.succession import Line
from safeum_home.client.secure.unique_key import UniqueKey
from safeum_home.client.secure.vault_content import Content, Keys, Pinned
from safeum_home.protocol.signing import decode_octets, encode_octets

PIECE = 32
"""Epochs that are sealed at once: some five milliseconds."""


class Boxes:
    """Epochs that are sealed to `own`, sealed to `new` instead: each of them once, some 150 us."""

    def __init__(self, own: UniqueKey, new: UniqueKey) -> None:
        self.new = new
        self._own = own
        self._made: dict[EpochMemory, EpochMemory | None] = {}

    async def prepare(self, memories: Iterable[ChatMemory], pause: Callable[[], Awaitable[object]]) -> None:
        """Make all that are missing. `pause` lets others have their turn after each `PIECE` of them."""
        left = [epoch for memory in memories for epoch in memory.epochs if epoch not in self._made]
        for at in range(0, len(left), PIECE):
            if self._own.wiped:
                return  # meanwhile nothing is sealed to these any more
            for epoch in left[at : at + PIECE]:
                self._of(epoch)
            await pause()

    def sealed(self, memory: ChatMemory) -> ChatMemory:
        """What is kept of a chat, with its epochs sealed to the new keys: as far as they open."""
        return structs.replace(memory, epochs=[made for each in memory.epochs if (made := self._of(each))])

    def _of(self, epoch: EpochMemory) -> EpochMemory | None:
        if epoch not in self._made:
            self._made[epoch] = self._make(epoch)
        return self._made[epoch]

    def _make(self, epoch: EpochMemory) -> EpochMemory | None:
        sealed, commitment = decode_octets(epoch.sealed, SEALED) or b"", decode_octets(epoch.commitment, 32)
        with contextlib.suppress(Refused):
            key = open_key(sealed, commitment or b"", self._own)
            try:
                return structs.replace(epoch, sealed=encode_octets(key.box(self.new.public.box)))
            finally:
                key.wipe()
        return None


def moved(content: Content, own: UniqueKey, boxes: Boxes, line: Line, now: int) -> Content:
    """What a vault of `own` is as one of the keys of `boxes`, which no chat was told of yet.

    Verified is who was so.
    """
    before, new = content.people.get(own.account), boxes.new
    former = () if before is None else tuple(each for each in before.former if each != Keys.of(own.public))
    pinned = Pinned(
        Keys.of(new.public), Trust.CHANGED, now, former=(*former, Keys.of(own.public))[-MOST_FORMER:]
    )
    return structs.replace(
        content,
        people={**content.people, own.account: pinned},
        chats={chat: boxes.sealed(memory) for chat, memory in content.chats.items()},
        own=OwnMemory(line.text, lost=content.own.lost),
    )
