"""Tests of nodes in the middle of calls notice when what they test is gone."""

from typing import Any

from twisted.internet.defer import Deferred
from twisted.trial.unittest import SynchronousTestCase

from safeum_home.client.abilities.call_taking import CallTaking
from safeum_home.client.calling import agreement, channel, directory, handshake, payloads, sealed
from safeum_home.client.calling.call import Call
from safeum_home.client.calling.early import EarlyRings
from safeum_home.client.calling.glare import Glare
from safeum_home.client.calling.link import Link
from safeum_home.client.calling.opening import Opening
from safeum_home.client.calling.payloads import Control
from safeum_home.client.calling.renewal import Renewal
from safeum_home.client.calling.way import Way
from safeum_home.client.sas import words
from safeum_home.client.secret import Secret
from safeum_home.limits import RateLimit
from safeum_home.protocol.signing import decode_octets
from tests.without import Defence, Whatever, check, nothing, yes

TAMPERED = "tests.test_calls_tampered."
MIDDLE = "tests.test_calls_middle."
DIRECTORY = "tests.test_calls_directory."
TROUBLE = "tests.test_client_call_trouble."
JOINED = "tests.test_client_conference_trouble."


class _Any(bytes):
    """Octets that are equal to all octets."""

    __slots__ = ()

    def __eq__(self, other: object) -> bool:
        return True

    def __ne__(self, other: object) -> bool:
        return False

    __hash__ = bytes.__hash__


class _All(frozenset[str]):
    """In which everything is."""

    def __contains__(self, _value: object) -> bool:
        return True


_open = sealed.Opener.open


def _whichever(self: Any, signal: str) -> bytes | None:
    """`Opener.open` that does not look at the number."""
    self._last = -1
    return _open(self, signal)


def _as_it_is(_self: Any, signal: str) -> bytes:
    """`Opener.open` of what was never sealed."""
    return decode_octets(signal, len(signal) * 3 // 4) or b""


def _another(self: Any) -> Any:
    """`Opening.take` that always has one more."""
    return 0, Secret.random(), self._shown[0]


def _of_nobody(_pair: Any, hello: bytes, shown: Any) -> bytes:
    """`response_octets` that do not say whose call it is."""
    return hello + b"".join(shown)


SIGNED = Defence(handshake, "is_signed_by", yes)
COMMITTED = Defence(handshake, "commitment", lambda _shown: _Any(32))
BOUND = Defence(directory, "is_bound", yes)
CHECKED = Defence(directory, "check", nothing)
NUMBERED = Defence(sealed.Opener, "open", _whichever)
DESCRIBED = Defence(channel, "is_signed_by", yes)
NEWER = Defence(Way, "is_newer", yes)

DEFENCES: dict[str, tuple[str, tuple[Defence, ...]]] = {
    "responses that were changed": (TAMPERED + "BitTests.test_response", (SIGNED,)),
    "reveals that were changed": (TAMPERED + "BitTests.test_reveal", (SIGNED,)),
    "sealed signals that were changed": (
        TAMPERED + "BitTests.test_sealed",
        (Defence(Secret, "open", lambda *_: sealed.filled(b"x")),),
    ),
    "a call that goes on": (
        TAMPERED + "BitTests.test_sealed_ends_the_call",
        (Defence(Link, "refused", nothing),),
    ),
    "replays": (TAMPERED + "OrderTests.test_replayed", (NUMBERED,)),
    "another order": (TAMPERED + "OrderTests.test_reordered", (NUMBERED,)),
    "another response": (
        TAMPERED + "OrderTests.test_repeated_response",
        (Defence(agreement.Side, "same", yes),),
    ),
    "reveals of another call": (TAMPERED + "OrderTests.test_another_call", (SIGNED, COMMITTED)),
    "responses of another call": (
        TAMPERED + "OrderTests.test_response_of_another_call",
        (Defence(handshake, "response_octets", lambda _pair, _hello, shown: b"".join(shown)),),
    ),
    "the other direction": (
        TAMPERED + "OrderTests.test_keys_of_each_direction",
        (Defence(sealed.Direction, "about", lambda _self, _number: b""),),
    ),
    "signals that are not sealed": (
        TAMPERED + "LessTests.test_not_sealed",
        (Defence(channel, "SEALED", _Any()), Defence(sealed.Opener, "open", _as_it_is)),
    ),
    "signals before there are keys": (
        TAMPERED + "LessTests.test_sealed_too_early",
        (Defence(channel, "MOST_EARLY", 0),),
    ),
    "hellos that are none": (TAMPERED + "LessTests.test_no_hello", (Defence(handshake, "is_hello", yes),)),
    "lengths that tell what is said": (
        TAMPERED + "LessTests.test_sizes",
        (
            Defence(sealed, "filled", lambda plain: plain),
            Defence(sealed, "unfilled", lambda padded: padded),
        ),
    ),
    "what cannot be said": (
        TAMPERED + "LessTests.test_what_cannot_be_read",
        (Defence(channel, "decode", lambda _plain: Control()),),
    ),
    "swapped fingerprints": (TAMPERED + "DescriptionTests.test_swapped_fingerprint", (DESCRIBED,)),
    "descriptions of another epoch": (TAMPERED + "DescriptionTests.test_another_epoch", (DESCRIBED,)),
    "descriptions of before": (TAMPERED + "DescriptionTests.test_an_old_epoch", (NEWER,)),
    "descriptions of the wrong side": (
        TAMPERED + "DescriptionTests.test_wrong_role",
        (Defence(channel.Channel, "_check", nothing), NEWER),
    ),
    "words that are the same": (
        MIDDLE + "MiddleTests.test_seen_by_the_words",
        (Defence(channel, "words", lambda _octets: words(bytes(11))),),
    ),
    "keys that are bound to nothing": (MIDDLE + "MiddleTests.test_identity", (BOUND,)),
    "identities that are hidden": (MIDDLE + "MiddleTests.test_hidden_identity", (CHECKED,)),
    "identities that were not pinned": (MIDDLE + "MiddleTests.test_other_identity", (CHECKED,)),
    "keys chosen late": (MIDDLE + "CommitmentTests.test_other_keys", (COMMITTED,)),
    "nonces chosen late": (MIDDLE + "CommitmentTests.test_other_nonce", (COMMITTED,)),
    "commitments that are none": (MIDDLE + "CommitmentTests.test_other_number", (COMMITTED,)),
    "keys shown twice": (MIDDLE + "CommitmentTests.test_shown_once", (Defence(Opening, "take", _another),)),
    "many tries": (MIDDLE + "CommitmentTests.test_many_tries", (Defence(RateLimit, "take", nothing),)),
    "many openings": (MIDDLE + "CommitmentTests.test_many_openings", (Defence(RateLimit, "take", nothing),)),
    "keys of small order": (
        MIDDLE + "CommitmentTests.test_low_order",
        (Defence(Secret, "agree", lambda _self, _public: Secret.random()),),
    ),
    "keys that stay": (MIDDLE + "CommitmentTests.test_keys_are_wiped", (Defence(Secret, "wipe", nothing),)),
    "clocks that are wrong": (
        DIRECTORY + "DirectoryTests.test_clock",
        (Defence(directory, "Unproven", handshake.Tampered),),
    ),
    "nodes that are away": (
        DIRECTORY + "DirectoryTests.test_unavailable_for_a_moment",
        (Defence(directory, "deferLater", lambda *_: Deferred()),),
    ),
    "answers from before": (
        DIRECTORY + "DirectoryTests.test_expected_too_early",
        (Defence(directory, "Refused", handshake.TooMany),),
    ),
    "reveals that are lost": (
        "tests.test_client_call_links.ConnectingTests.test_lost_reveal",
        (Defence(Link, "missed", nothing),),
    ),
    "what later versions say": (
        TAMPERED + "LessTests.test_what_later_versions_say",
        (Defence(payloads, "_KNOWN", _All()),),
    ),
    "calls that nobody waits for": (
        TROUBLE + "GivenUpTests.test_cancelled",
        (Defence(Call, "hang_up", nothing),),
    ),
    "calls of strangers": (TROUBLE + "HostileTests.test_strangers", (Defence(CallTaking, "_may_ring", yes),)),
    "calls that replaced nothing": (
        TROUBLE + "HostileTests.test_no_glare",
        (Defence(Glare, "take", lambda *_: True),),
    ),
    "what rings before calls are taken": (
        TROUBLE + "WeatherTests.test_takes_calls_later",
        (Defence(EarlyRings, "give", lambda _self: []),),
    ),
    "words in conferences": (
        JOINED + "GrindingTests.test_tries",
        (Defence(channel.Means, "spend", nothing),),
    ),
    "conferences that are torn": (
        JOINED + "MemberTests.test_closed_again_and_again",
        (Defence(Renewal, "done", nothing),),
    ),
    "calls of somebody else": (
        MIDDLE + "WhoTests.test_who_calls",
        (Defence(handshake, "response_octets", _of_nobody),),
    ),
    "keys that nobody has shown": (DIRECTORY + "DirectoryTests.test_other_keys", (CHECKED,)),
    "keys that are not bound": (DIRECTORY + "DirectoryTests.test_not_bound", (BOUND,)),
    "keys of long ago": (
        DIRECTORY + "DirectoryTests.test_bound_long_ago",
        (Defence(directory, "binds", yes),),
    ),
    "identities that are not to be had": (DIRECTORY + "DirectoryTests.test_unavailable", (CHECKED,)),
    "identities of another hash": (
        DIRECTORY + "DirectoryTests.test_identity_with_another_hash",
        (Defence(directory, "hash_of", lambda *_: Whatever("")),),
    ),
}


def _of(name: str) -> Any:
    test, defences = DEFENCES[name]

    def notices(self: "MiddleDefenceTests") -> None:
        check(self, test, *defences)

    notices.__doc__ = f"Without it the test of {name} fails."
    return notices


class MiddleDefenceTests(SynchronousTestCase):
    """A method for each of `DEFENCES`."""


for _number, _name in enumerate(DEFENCES):
    setattr(MiddleDefenceTests, f"test_{_number:02}", _of(_name))
