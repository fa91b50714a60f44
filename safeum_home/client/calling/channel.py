"""What two devices say to each other in a call: first who they are, then sealed.

Where anything that comes is not what the other device has sent, it is over: nothing is ever said, or taken,
with less. What was lost, or is of a later version, is not that.
"""

from collections.abc import Callable
from hashlib import sha256
from typing import NamedTuple, Protocol

import msgspec
from twisted.internet.interfaces import IReactorTime

from safeum_home.client.calling.agreement import Initiator, Responder, Side, new_agreement
from safeum_home.client.calling.directory import Bound, Directory
from safeum_home.client.calling.handshake import (
    RESPONSE,
    REVEAL,
    SEALED,
    Agreed,
    Pair,
    Refused,
    Tampered,
    TooMany,
    Unproven,
    octets_of,
)
from safeum_home.client.calling.launch import LaunchKeys
from safeum_home.client.calling.opening import Opening
from safeum_home.client.calling.payloads import (
    Description,
    DescriptionKind,
    Payload,
    decode,
    description_octets,
    encode,
)
from safeum_home.client.calling.sealed import Direction, Opener, Sealer
from safeum_home.client.sas import Words, words
from safeum_home.client.secret import Signing
from safeum_home.errors import Problem
from safeum_home.limits import RateLimit
from safeum_home.protocol.federation.signed import SIGNATURE_SIZE, is_signed_by
from safeum_home.protocol.signing import decode_octets, encode_octets

MOST_EARLY = 16
"""Signals that wait until there are keys; those beyond are lost."""

TRY_SECONDS, MOST_TRIES = 15.0, 4
"""How often keys are shown to one account, in either role: once in so many seconds, so often at once.

Each time is a try for somebody in the middle who knows already which words the other side will see; and what
is shown to one account is none for anybody who wants to be taken for another.
"""

Say = Callable[[str], None]
"""Has something told to the other device by `call.signal`: in order, or not at all. It does not raise."""


class Means(NamedTuple):
    """What all links of a program have in common."""

    clock: IReactorTime
    launch: LaunchKeys
    directory: Directory
    tries: RateLimit

    @classmethod
    def of(cls, clock: IReactorTime, launch: LaunchKeys, directory: Directory) -> "Means":
        """With the bound that there is on tries."""
        return cls(clock, launch, directory, RateLimit(1 / TRY_SECONDS, MOST_TRIES, clock.seconds))

    def spend(self, account: str) -> None:
        """Keys are about to be shown to this account; raises `TooMany`."""
        try:
            self.tries.take(account)
        except Problem as error:
            raise TooMany(error.retry_after or TRY_SECONDS) from None


class Heard(Protocol):
    """Where a channel tells what has come."""

    def agreed(self) -> None:
        """The other is who it should be; from now on things can be said."""

    def payload(self, payload: Payload) -> None:
        """The other has said this; raises `Tampered` where it could not have."""

    def missed(self) -> None:
        """Something was lost of what would have said who the other is."""

    def refused(self, error: Exception) -> None:
        """`Refused`, or a `ClientError` where the directory could not be asked."""


class Channel:
    """`agreement.Parts`. Nothing of it raises."""

    def __init__(self, means: Means, pair: Pair, say: Say, heard: Heard, role: Opening | bytes) -> None:
        """With an `Opening` it is the initiator's, with the octets of a hello a responder's.

        Raises `Tampered` where they are none, and `TooMany`.
        """
        self.directory = means.directory
        self.bound = Bound.NONE
        """What says whose the other device is, once that is known."""
        self.response = ""
        """What a responder answers."""
        self.words: Words | None = None
        self._means = means
        self._pair = pair
        self._say = say
        self._heard = heard
        self._initiator = isinstance(role, Opening)
        side: Side
        if isinstance(role, Opening):
            side = Initiator(pair, self, role)
        else:
            side = Responder(pair, self, role)
            self.response = encode_octets(side.response)
        self._agreement = new_agreement(side)
        self._early: list[str] = []
        self._keys: Agreed | None = None
        self._sealer: Sealer
        self._opener: Opener
        self._sign = b""

    @property
    def signing(self) -> Signing:
        return self._means.launch.signing

    def signal(self, data: str) -> None:
        """The other device has said something."""
        try:
            self._signal(data)
        except Refused as error:
            self.refused(error)

    def _signal(self, data: str) -> None:
        octets = octets_of(data)
        if octets[:1] == (RESPONSE if self._initiator else REVEAL):
            self._agreement.heard(octets)
        elif octets[:1] != SEALED:
            raise Tampered("a signal of no such kind")
        elif self._keys is not None:
            plain = self._opener.open(data)
            if plain is not None:
                self._take(plain)
        elif self._agreement.sealed() and len(self._early) < MOST_EARLY:
            self._early.append(data)
            if len(self._early) == 1:
                self._heard.missed()

    def _take(self, plain: bytes) -> None:
        try:
            payload = decode(plain)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            raise Unproven("the other device has said something that cannot be read") from None
        if isinstance(payload, Description):
            self._check(payload)
        if payload is not None:
            self._heard.payload(payload)

    def _check(self, said: Description) -> None:
        """It is the other's: initiators offer, responders answer; and it is signed."""
        theirs = DescriptionKind.ANSWER if self._initiator else DescriptionKind.OFFER
        signature = decode_octets(said.signature, SIGNATURE_SIZE)
        octets = self._description(said.kind, said.epoch, said.sdp)
        if said.kind is not theirs or signature is None or not is_signed_by(self._sign, octets, signature):
            raise Tampered("a description that is not signed")

    def _description(self, kind: DescriptionKind, epoch: int, sdp: str) -> bytes:
        assert self._keys is not None
        hashed = encode_octets(sha256(sdp.encode("utf-8", "surrogatepass")).digest())
        return description_octets(encode_octets(self._keys.transcript), kind, epoch, hashed)

    # --- what is said

    def tell(self, payload: Payload) -> bool:
        """Say something; False, and nothing said, where there are no keys (any more) or it is too long."""
        if self._keys is None:
            return False
        try:
            sealed = self._sealer.seal(encode(payload))
        except (ValueError, UnicodeEncodeError):
            return False
        self._say(sealed)
        return True

    def describe(self, kind: DescriptionKind, epoch: int, sdp: str) -> bool:
        """Say how one can be reached, signed; False as `tell` says."""
        if self._keys is None:
            return False
        signature = self.signing.sign(self._description(kind, epoch, sdp))
        return self.tell(Description(kind, epoch, sdp, encode_octets(signature)))

    def close(self) -> None:
        """Nothing is said or heard any more; twice is harmless."""
        self._agreement.stop()
        keys, self._keys = self._keys, None
        if keys is not None:
            keys.wipe()

    # --- what comes of agreeing: `agreement.Parts`

    def say(self, octets: bytes) -> None:
        self._say(encode_octets(octets))

    def may_show(self, account: str) -> None:
        self._means.spend(account)

    def agreed(self, agreed: Agreed, sign: bytes, bound: Bound) -> None:
        self._keys, self._sign, self.bound = agreed, sign, bound
        own, other = agreed.initiators, agreed.responders
        if not self._initiator:
            own, other = other, own
        self._sealer = Sealer(own, Direction(self._pair.call, self._initiator))
        self._opener = Opener(other, Direction(self._pair.call, not self._initiator))
        self.words = words(agreed.words)
        self._heard.agreed()
        early, self._early = self._early, []
        for data in early:
            if self._keys is not None:
                self.signal(data)

    def refused(self, error: Exception) -> None:
        self._heard.refused(error)
