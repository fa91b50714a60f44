"""Who says in secure chats what no program of ours would."""

from typing import Any

from safeum_home.client.secret import Secret
from safeum_home.client.secure import envelope as envelopes
from safeum_home.client.secure import epoch as epochs
from safeum_home.client.secure import message, payloads
from safeum_home.client.secure.envelope import NONE, Envelope, Head, Kind
from safeum_home.client.secure.epoch import EpochKey
from safeum_home.client.secure.events import (
    Told,
)
from safeum_home.client.secure.message import Inner
from safeum_home.client.secure.octets import number
from safeum_home.client.secure.public_keys import PublicKeys
from safeum_home.client.secure.unique_key import UniqueKey
from tests.secure_case import CHAT, START


class Forger:
    """Somebody with a unique key who says what the SDK would not, in a stream of its own."""

    def __init__(self, key: UniqueKey, chat: str = CHAT) -> None:
        self.key = key
        self.place = envelopes.Place(chat, key.account)
        self.stream = number(START * 1000) + b"forged 1"
        self.number, self.previous = 0, NONE

    def envelope(self, kind: Kind, content: bytes, **changes: Any) -> Envelope:
        head = Head(kind, kind is not Kind.MESSAGE, self.stream, self.number + 1, self.previous)
        sealed = envelopes.seal(head._replace(**changes), content, self.place, self.key.signing)
        self.number, self.previous = self.number + 1, sealed.hash
        return sealed

    def told(self, envelope: Envelope, sender: str = "") -> Told:
        name = f"f{self.number}"
        return Told(sender or self.key.account, name, envelope.data, envelope.head.quiet)

    def epoch(self, members: dict[str, PublicKeys], roster: bytes = NONE) -> tuple[Envelope, EpochKey]:
        key = EpochKey(Secret.random())
        content = epochs.make(key, START * 1000, roster, NONE, members)
        return self.envelope(Kind.EPOCH, content), key

    def message(self, epoch: bytes, key: EpochKey, payload: payloads.Payload) -> Envelope:
        inner = Inner(START * 1000, 0, (), payloads.encode(payload))
        head = Head(Kind.MESSAGE, payloads.is_quiet(payload), self.stream, self.number + 1, self.previous)
        sender = key.of_sender(self.key.account, self.key.hash)
        content = message.seal(inner, head, self.place, epoch, sender)
        return self.envelope(Kind.MESSAGE, content, quiet=head.quiet)
