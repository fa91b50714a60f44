"""Comparing emoji within a secure chat: idle -> offered or asked -> shown -> done, for one of the two.

Who begins commits to a key; the other shows its own; the first shows what it has committed to. What both see
follows from the keys that they agree on, and from the keys of both accounts as each of them knows them.

    commitment  BLAKE2b of key || nonce
    words       BLAKE2b, keyed with what X25519 comes to, of a tag and canonical JSON of all that was said
"""

from collections.abc import Callable
from typing import NamedTuple, Protocol

import msgspec
from automat import TypeMachineBuilder

from safeum_home.client.sas import SIZE, Words, words
from safeum_home.client.secret import KEY, Secret, fresh
from safeum_home.client.secure.octets import digest
from safeum_home.client.secure.payloads import (
    Compare,
    CompareAnswer,
    CompareDone,
    CompareReveal,
    CompareStart,
)
from safeum_home.client.secure.refused import Reason, Refused
from safeum_home.protocol.signing import decode_octets, encode_octets

_TAG = b"safeum secure compare v1\0"
_COMMITMENT_PERSON = b"safeum compare"
_WORDS_PERSON = b"safeum emoji v1"
_encoder = msgspec.json.Encoder(order="sorted")


class Pair(NamedTuple):
    """Who compares, in which chat: accounts, each with the hash of its keys as this program knows them."""

    chat: str
    beginner: tuple[str, bytes]
    other: tuple[str, bytes]


def commitment(key: bytes, nonce: bytes) -> bytes:
    """What says nothing of a key, and fits no other."""
    return digest(key + nonce, _COMMITMENT_PERSON)


def shown(pair: Pair, compare: str, keys: tuple[bytes, bytes], nonce: bytes, shared: Secret) -> Words:
    """What both see: `keys` of who began, and of the other."""
    said = {
        "chat": pair.chat,
        "compare": compare,
        "beginner": pair.beginner[0],
        "beginner_keys": encode_octets(pair.beginner[1]),
        "beginner_key": encode_octets(keys[0]),
        "nonce": encode_octets(nonce),
        "other": pair.other[0],
        "other_keys": encode_octets(pair.other[1]),
        "other_key": encode_octets(keys[1]),
    }
    return words(shared.digest(_TAG + _encoder.encode(said), _WORDS_PERSON, SIZE))


class Home(Protocol):
    """Where a comparison tells what comes of it."""

    def say(self, payload: Compare) -> None: ...
    def show(self, seen: Words) -> None:
        """Ask its owner whether the other sees the same."""

    def done(self, same: bool) -> None:
        """Both have said that it is the same; or one has not, or has given up, or has cheated."""


class Core:
    """What one side holds."""

    def __init__(self, pair: Pair, compare: str, home: Home, commitment: bytes = b"") -> None:
        self.pair = pair
        self.compare = compare
        self.home = home
        self.commitment = commitment
        self.key = Secret.random()
        self.nonce = fresh(KEY)
        self.said: dict[bool, bool] = {}
        """What the two have said: True is this side."""

    def see(self, keys: tuple[bytes, bytes], nonce: bytes, theirs: bytes) -> None:
        """Both keys are known."""
        shared = self.key.agree(theirs)
        try:
            self.home.show(shown(self.pair, self.compare, keys, nonce, shared))
        finally:
            shared.wipe()
            self.key.wipe()


class Comparison(Protocol):
    """What can happen."""

    def begin(self) -> None:
        """This side begins."""

    def agree(self) -> None:
        """The owner of this side wants to compare, as the other has asked."""

    def heard(self, payload: Compare) -> None:
        """The other has said something of this comparison."""

    def judge(self, same: bool) -> None:
        """The owner of this side says whether the other sees the same."""

    def stop(self) -> None:
        """It is given up."""


_builder = TypeMachineBuilder(Comparison, Core)
_idle = _builder.state("idle")
_offered = _builder.state("offered")
_asked = _builder.state("asked")
_shown = _builder.state("shown")
_over = _builder.state("over")


@_idle.upon(Comparison.begin).to(_offered)
def _begin(machine: Comparison, core: Core) -> None:
    committed = encode_octets(commitment(core.key.public(), core.nonce))
    core.home.say(CompareStart(core.compare, core.pair.other[0], committed))


@_idle.upon(Comparison.agree).to(_asked)
def _agree(machine: Comparison, core: Core) -> None:
    core.home.say(CompareAnswer(core.compare, encode_octets(core.key.public())))


@_idle.upon(Comparison.heard).loop()
def _withdrawn(machine: Comparison, core: Core, payload: Compare) -> None:
    machine.stop()  # whoever has asked does not wait for an answer any more


@_offered.upon(Comparison.heard).to(_shown)
def _answered(machine: Comparison, core: Core, payload: Compare) -> None:
    theirs = decode_octets(payload.key, KEY) if isinstance(payload, CompareAnswer) else None
    if theirs is None:
        machine.stop()
        return
    own = core.key.public()
    core.home.say(CompareReveal(core.compare, encode_octets(own), encode_octets(core.nonce)))
    _see(machine, core, (own, theirs), core.nonce, theirs)


@_asked.upon(Comparison.heard).to(_shown)
def _revealed(machine: Comparison, core: Core, payload: Compare) -> None:
    if not isinstance(payload, CompareReveal):
        machine.stop()
        return
    theirs, nonce = decode_octets(payload.key, KEY), decode_octets(payload.nonce, KEY)
    if theirs is None or nonce is None or commitment(theirs, nonce) != core.commitment:
        machine.stop()
        return
    _see(machine, core, (theirs, core.key.public()), nonce, theirs)


def _see(machine: Comparison, core: Core, keys: tuple[bytes, bytes], nonce: bytes, theirs: bytes) -> None:
    try:
        core.see(keys, nonce, theirs)
    except ValueError:  # a key of small order
        machine.stop()


@_shown.upon(Comparison.judge).loop()
def _judged(machine: Comparison, core: Core, same: bool) -> None:
    core.home.say(CompareDone(core.compare, same))
    core.said[True] = same
    _settle(machine, core)


@_shown.upon(Comparison.heard).loop()
def _other_judged(machine: Comparison, core: Core, payload: Compare) -> None:
    core.said[False] = isinstance(payload, CompareDone) and payload.same
    _settle(machine, core)


def _settle(machine: Comparison, core: Core) -> None:
    if not all(core.said.values()) or len(core.said) == 2:
        machine.stop()


for _state in (_idle, _offered, _asked, _shown):

    @_state.upon(Comparison.stop).to(_over)
    def _stop(machine: Comparison, core: Core) -> None:
        core.key.wipe()
        same = core.said == {True: True, False: True}
        if not same and not core.said:
            core.home.say(CompareDone(core.compare, False))
        core.home.done(same)


for _state in (_idle, _offered, _asked):  # there is nothing to judge yet
    _state.upon(Comparison.judge).loop().returns(None)
for _state in (_offered, _asked, _shown):  # its owner has said so before
    _state.upon(Comparison.agree).loop().returns(None)

for _input in (Comparison.heard, Comparison.judge, Comparison.stop, Comparison.begin, Comparison.agree):
    _over.upon(_input).loop().returns(None)

_new: Callable[[Core], Comparison] = _builder.build()


def begins(pair: Pair, home: Home) -> Comparison:
    """A comparison that this side begins: `begin` it. Its other payloads bear the same `compare`."""
    return _new(Core(pair, encode_octets(fresh(16)), home))


def asked(pair: Pair, start: CompareStart, home: Home) -> Comparison:
    """One that the other has asked for: `agree` to it. Raises `Refused(MALFORMED)`."""
    committed = decode_octets(start.commitment, KEY)
    if committed is None or start.to != pair.other[0]:
        raise Refused(Reason.MALFORMED)
    return _new(Core(pair, start.compare, home, committed))
