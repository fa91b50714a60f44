"""Tests of what is defended against in JavaScript notice when it is gone."""

import tempfile
from pathlib import Path
from typing import Any
from unittest.mock import patch

from twisted.trial.unittest import SynchronousTestCase

from tests import secure_both_case
from tests.secure_edits import Edit, Pooled, asserted, edited
from tests.without import Defence, check

SIGNED = Edit(
    "envelope",
    "return isSigned(key, this.octets.subarray(-SIGNATURE), where.about(TAG), signed);",
    "return signed.length > 0;",
)
NOTED = Edit(
    "streams",
    "const { number, previous } = head;",
    'const { number, previous } = head;\n    return { verdict: "new", gap: 0 };',
)
STREAMS = Edit(
    "streams",
    "const stream = this.streams.get(head.stream) ?? this.#begin(head, account, live);",
    'return { verdict: "new", gap: 0 };\n    const stream = null;',
)
BEGUN = Edit(
    "streams",
    "const start = began(head.stream);",
    "return new Stream(account, head.number - 1, head.previous);\n    const start = 0;",
)
WATCHED = Edit("watching", "  heard(by, inner, own, now) {", "  heard(by, inner, own, now) {\n    return [];")
PINNED = Edit("people", "    person.offered = keys;\n", "    replace(person, keys, now);\n")
VOUCHED = Edit("taking", "if (this.#hasGhosts(epoch)) throw", "if (false) throw")
FOLLOWED = Edit(
    "roster",
    "    const members = this.#current(statement.members);\n    const vouched",
    "    const members = this.#current(statement.members);\n"
    "    this.#set(head, statement.at, members);\n"
    "    return { change: compare(new Map(), members), inForce: true };\n    const vouched",
)
EVER_OUT = Edit("roster", "return this.head !== NONE && !this.isIn;", "return true;")
IN_TIME = Edit("signers", "if (!past && room.now() > person.since + GRACE) throw", "if (false) throw")

_MOVING = "tests.test_secure_javascript_moving.MovingTests.test_"
_BOB, _FOREIGN = "tests.test_secure_javascript.", "tests.secure_foreign."
ORDER, OUT, PLACE, KEYS, EPOCHS, TAKING = (
    f"{_BOB}{each}Tests.test_" for each in ("Order", "Out", "Place", "Key", "Epoch", "Taking")
)
ALICE_PLACE, ALICE_KEYS, CAROL_ORDER, CAROL_EPOCHS, LATER = (
    f"{_FOREIGN}{each}Tests.test_" for each in ("AlicePlace", "AliceKey", "CarolOrder", "CarolEpoch", "Later")
)

TALKING: dict[str, Edit] = {
    ORDER + "replayed": NOTED,
    LATER + "replayed_after_a_start": NOTED,
    LATER + "replayed_stream": BEGUN,
    ORDER + "reordered": NOTED,
    ORDER + "dropped": NOTED,
    ORDER + "first_dropped": BEGUN,
    LATER + "first_dropped_meanwhile": Edit("streams", "this.since = Math.min(this.since, since);", ""),
    ORDER + "cut": WATCHED,
    ORDER + "cut_for_all": Edit("message", "number(seen.length, 1), ...each", "number(0, 1)"),
    ORDER + "forked": STREAMS,
    CAROL_ORDER + "forked_apart": WATCHED,
    PLACE + "of_somebody_else": SIGNED,
    PLACE + "somebody_elses_stream": STREAMS,
    ALICE_PLACE + "others_edits": Edit("taking", "this.#checkAuthor(payload, sender);", ""),
    ALICE_KEYS + "swapped": PINNED,
    ALICE_KEYS + "forged_messages": PINNED,
    EPOCHS + "forged_epoch": SIGNED,
    EPOCHS + "ghost_in_an_epoch": VOUCHED,
    EPOCHS + "ghost_in_a_chat_of_two": VOUCHED,
    EPOCHS + "ghost_in_a_roster": FOLLOWED,
    EPOCHS + "removed_member_signs": FOLLOWED,
    CAROL_EPOCHS + "roster_of_before": Edit("roster", "&& at >= this.made", ""),
    EPOCHS + "removal_behind_another": Edit(
        "roster", "this.#strike(statement.previous, members)", "compare(new Map(), new Map())"
    ),
    EPOCHS + "left_out": Edit(
        "room",
        "throw new Refused(Reason.EXCLUDED);",
        "return epochs.openKey(new Uint8Array(80), '', this.own);",
    ),
    EPOCHS + "two_keys": Edit("epoch", "if (key.commitment() !== commitment) {", "if (false) {"),
    EPOCHS + "without_end": Edit("holding", "return gone;", "return [];"),
    OUT + "never_out": EVER_OUT,
    OUT + "only_the_first": EVER_OUT,
    OUT + "replayed": NOTED,
    OUT + "seen_by_others": WATCHED,
    TAKING + "replayed": NOTED,
    TAKING + "under_way": IN_TIME,
    _MOVING + "no_line_of_these": Edit("own_line", "|| !line.isSaid(own.account)", ""),
}
"""Tests in which whom a node harms is a program in JavaScript."""

ALONE: dict[str, Edit] = {
    "bits: an envelope: message": SIGNED,
    "refused: another chat, sender, loudness, or text for the same octets": Edit(
        "envelope", "utf8(`${tag}${this.chat}\\0${this.account}\\0`)", "utf8(tag)"
    ),
    "bits: what is sealed in a message, without its signature": Edit(
        "sodium",
        "raw._crypto_aead_xchacha20poly1305_ietf_decrypt(\n"
        "      out, 0, 0, message, sealed.length, 0, bound, about.length, 0, once, secret,\n    )",
        "raw._crypto_stream_xchacha20_xor_ic(out, message, sealed.length - TAG, 0, once, 1, 0, secret)",
    ),
    "bits: a box": Edit(
        "epoch",
        "if (octets?.length !== KEY) throw",
        "if (octets === null) return new EpochKey(); if (false) throw",
    ),
    "bits: an envelope: succession": SIGNED,
    "succession: any bit of a line, whoever signs the envelope around it": Edit(
        "succession", "if (!line.isSaid(account)) throw malformed();", ""
    ),
    "succession: keys that stand in a line twice": Edit(
        "succession", ".size !== count + 1) throw", ".size < 0) throw"
    ),
    "succession: a vault moves to the keys that its line leads to": Edit(
        "moving", "if (line.last.hash !== next.hash) throw", "if (false) throw"
    ),
    "keys: launch keys": Edit("public_keys", "|| launch.at > now + BOUND_AHEAD", ""),
    "chat_ids: groups are what their seed says, and nothing else": Edit(
        "chat_ids", 'return seed.slice(0, seed.lastIndexOf(".") + 1) === begins;', "return true;"
    ),
    "chat_ids: direct chats are of the two, and of nobody else": Edit(
        "chat_ids", "directChatId(own, peer) === chat", "true"
    ),
    "refused: members that stand twice": Edit(
        "strict_json",
        'bare.split(":").length - 1 === members(value, DEEPEST)',
        "members(value, DEEPEST) >= 0",
    ),
    "refused: vaults that are rolled back": Edit(
        "vault", "if (version < Math.max(this.version, this.expected)) throw", "if (false) throw"
    ),
    "refused: base64url has one form": Edit("octets", "if (bad < 0) throw malformed();", ""),
    "refused: passphrases": Edit(
        "passphrase", "if (!evenWeak && !isStrong(passphrase, zxcvbn)) throw", "if (false) throw"
    ),
    "refused: a passphrase that is thought weak, of an account that has it": Edit(
        "unique_key",
        "if (known === null || known === key.hash || isStrong(text, zxcvbn)) return key;",
        "return key;",
    ),
    "epochs: after 100 messages, of both together": Edit("epochs", "known.count < MOST_MESSAGES", "true"),
    "epochs: after a day": Edit("epochs", "now - DAY < known.at", "true"),
    "memory: no key stays there": Edit("sodium", "raw.HEAPU8.fill(0, begin, begin + whole);", ""),
    "comparing: a key that was chosen late": Edit(
        "comparing", "if (commitment(theirs, nonce) !== this.committed) return", "if (false) return"
    ),
    "comparing: a key of small order": Edit(
        "comparing",
        "if (shared === null) return this.stop();",
        "if (shared === null) return this.home.show({});",
    ),
}
"""Those in JavaScript themselves."""


class SecureDefenceTests(SynchronousTestCase):
    """A method for each of `TALKING` and `ALONE`."""

    @classmethod
    def tearDownClass(cls) -> None:
        Pooled.end()

    def edited(self, edit: Edit) -> Path:
        folder = tempfile.TemporaryDirectory(prefix="safeum-")
        self.addCleanup(folder.cleanup)
        return edited(Path(folder.name) / "secure", edit)


def _talking(test: str, edit: Edit) -> Any:
    def notices(self: SecureDefenceTests) -> None:
        with patch.object(secure_both_case, "Process", Pooled):
            check(self, test, Defence(Pooled, "folder", self.edited(edit)))

    return notices


def _alone(test: str, edit: Edit) -> Any:
    def notices(self: SecureDefenceTests) -> None:
        self.assertTrue(asserted(test, self.edited(edit)), f"{test} does not notice that a defence is gone")

    return notices


for _at, (_test, _edit) in enumerate((*TALKING.items(), *ALONE.items())):
    _made = (_talking if _test in TALKING else _alone)(_test, _edit)
    _made.__doc__ = f"{_test} fails without {_edit.module}.js's."
    setattr(SecureDefenceTests, f"test_{_at:02}", _made)
