"""A vault on its way to other keys: what is in it once these are in force."""

import contextlib

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


def moved(content: Content, own: UniqueKey, new: UniqueKey, line: Line, now: int) -> Content:
    """What a vault of `own` is as one of `new`, which no chat was told of yet. Verified is who was so.

    Epochs are sealed to the new keys; some 150 us each.
    """
    before = content.people.get(own.account)
    former = () if before is None else tuple(each for each in before.former if each != Keys.of(own.public))
    pinned = Pinned(
        Keys.of(new.public), Trust.CHANGED, now, former=(*former, Keys.of(own.public))[-MOST_FORMER:]
    )
    return structs.replace(
        content,
        people={**content.people, own.account: pinned},
        chats={chat: sealed_to(memory, own, new) for chat, memory in content.chats.items()},
        own=OwnMemory(line.text, lost=content.own.lost),
    )


def sealed_to(memory: ChatMemory, own: UniqueKey, new: UniqueKey) -> ChatMemory:
    """What is kept of a chat, with its epochs sealed to the new keys."""
    epochs = list[EpochMemory]()
    for epoch in memory.epochs:
        sealed, commitment = decode_octets(epoch.sealed, SEALED) or b"", decode_octets(epoch.commitment, 32)
        with contextlib.suppress(Refused):
            key = open_key(sealed, commitment or b"", own)
            epochs.append(structs.replace(epoch, sealed=encode_octets(key.box(new.public.box))))
            key.wipe()
    return structs.replace(memory, epochs=epochs)
