"""A node that tampers, between itself and the SDK: what it does is seen, or harmless."""

from collections.abc import Callable, Iterable
from typing import Any

from safeum_home.client.secret import Secret
from safeum_home.client.secure import envelope as envelopes
from safeum_home.client.secure import epoch as epochs
from safeum_home.client.secure.envelope import NONE, Head, Kind, Place
from safeum_home.client.secure.epoch import EpochKey
from safeum_home.client.secure.events import Gap, KeysChanged, Missing, NotVouched
from safeum_home.client.secure.people import Trust
from safeum_home.client.secure.refused import Reason
from safeum_home.client.secure.unique_key import UniqueKey
from safeum_home.client.unlocked.events import InClear
from safeum_home.client.unlocked.items import Fate
from safeum_home.protocol.signing import decode_octets, encode_octets
from tests.secure_sdk_case import SecureSdkCase, key_of

Frame = dict[str, Any]
Bent = Callable[[Frame], Iterable[Frame]]


def of_message(bend: Callable[[Frame], Iterable[Frame]]) -> Bent:
    """Bends frames that tell of an envelope; all others pass."""

    def bent(frame: Frame) -> Iterable[Frame]:
        told = frame.get("method") == "chat.message" and frame["params"]["body"]["kind"] == "secure"
        return bend(frame) if told else (frame,)

    return bent


def other(frame: Frame, **changed: Any) -> Frame:
    """A frame with other parameters."""
    return {**frame, "params": {**frame["params"], **changed}}


def later(frame: Frame, places: int = 1) -> str:
    """Another id of a message, as of one that has come behind it."""
    id: str = frame["params"]["id"]
    return id[:-places] + ("a" if id[-places] != "a" else "b") + id[len(id) - places + 1 :]


class HostileTests(SecureSdkCase):
    """Ann writes, Ben's frames are tampered with."""

    def setUp(self) -> None:
        super().setUp()
        self.chat_id = self.start(self.ben, group=True)
        self.say(self.ann, self.chat_id, "first")

    @property
    def shown(self) -> list[str]:
        return self.ben.said(self.chat_id)

    def test_straight(self) -> None:
        """Where nothing is done nothing is told: all others rest on that."""
        self.ben.bend = of_message(lambda frame: (frame,))
        self.say(self.ann, self.chat_id, "second")
        self.assertEqual((self.shown, self.ben.alarms), (["first", "second"], []))

    def test_replayed(self) -> None:
        """The same envelope as another message is not shown again."""
        self.ben.bend = of_message(lambda frame: (frame, other(frame, id=later(frame))))
        self.say(self.ann, self.chat_id, "once")
        self.assertEqual(self.shown, ["first", "once"])
        self.assertEqual(self.ben.refused, [Reason.REPLAYED])

    def test_dropped(self) -> None:
        """One that is missing is seen with the next one."""
        self.ben.bend = of_message(lambda frame: ())
        self.say(self.ann, self.chat_id, "never comes")
        self.ben.bend = None
        self.say(self.ann, self.chat_id, "third")
        self.assertEqual(self.shown, ["first", "third"])
        self.assertEqual(self.ben.warnings(Gap), [Gap(self.ann.account, 1)])

    def test_reordered(self) -> None:
        """What comes too late is marked so, and its gap was told."""
        kept: list[Frame] = []

        def keep(frame: Frame) -> Iterable[Frame]:
            kept.append(frame)
            return ()

        self.ben.bend = of_message(keep)
        self.say(self.ann, self.chat_id, "second")
        self.ben.bend = of_message(lambda frame: (frame, *kept))
        self.say(self.ann, self.chat_id, "third")
        self.assertEqual(self.shown, ["first", "third", "second"])
        self.assertEqual([item.late for item in self.chat(self.ben, self.chat_id).items.all][-1], True)
        self.assertEqual(self.ben.warnings(Gap), [Gap(self.ann.account, 1)])

    def test_cut(self) -> None:
        """The last ones are cut off: others say what they have seen, and a minute later it is told."""
        self.everybody_in()
        self.ben.bend = of_message(
            lambda frame: () if frame["params"]["sender"] == self.ann.account else (frame,)
        )
        self.say(self.ann, self.chat_id, "cut off")
        self.say(self.cay, self.chat_id, "I have read that")
        self.settle(90)
        [missing] = self.ben.warnings(Missing)
        self.assertEqual(missing.by, self.cay.account)

    def join_cay(self) -> None:
        self.ann.do(self.ann.secure.invite(self.chat(self.ann, self.chat_id), [self.cay.account]))
        self.cay.do(self.cay.secure.accept(self.chat_id))
        self.settle()

    def everybody_in(self) -> None:
        self.join_cay()
        self.say(self.cay, self.chat_id, "here")

    def test_flipped(self) -> None:
        """An octet is another one: nobody has signed that."""

        def flip(frame: Frame) -> Iterable[Frame]:
            data = frame["params"]["body"]["data"]
            octets = bytearray(decode_octets(data, len(data) * 3 // 4) or b"")
            octets[len(octets) // 2] ^= 1
            return (other(frame, body={**frame["params"]["body"], "data": encode_octets(bytes(octets))}),)

        self.ben.bend = of_message(flip)
        self.say(self.ann, self.chat_id, "bent")
        self.assertEqual((self.shown, self.ben.refused), (["first"], [Reason.BAD_SIGNATURE]))

    def test_another_sender(self) -> None:
        """Shown as somebody else's."""
        self.everybody_in()
        before = self.shown
        self.ben.bend = of_message(lambda frame: (other(frame, sender=self.cay.account),))
        self.say(self.ann, self.chat_id, "mine")
        self.assertEqual((self.shown, self.ben.refused), (before, [Reason.BAD_SIGNATURE]))

    def test_spliced(self) -> None:
        """Put into another chat of the same people."""
        another = self.start(self.ben)
        self.say(self.ann, another, "there")
        self.ben.bend = of_message(lambda frame: (other(frame, chat=another),))
        self.say(self.ann, self.chat_id, "here")
        self.assertEqual(self.ben.said(another), ["there"])
        self.assertEqual(self.ben.refused, [Reason.BAD_SIGNATURE])

    def test_quiet(self) -> None:
        """Loud and quiet are signed, too."""
        self.ben.bend = of_message(
            lambda frame: (other(frame, body={**frame["params"]["body"], "quiet": True}),)
        )
        self.say(self.ann, self.chat_id, "loud")
        self.assertEqual((self.shown, self.ben.refused), (["first"], [Reason.MALFORMED]))

    def test_garbage(self) -> None:
        """Bodies of any form are refused, and what follows is read."""
        self.ben.bend = of_message(
            lambda frame: (
                other(frame, id=later(frame), body={"kind": "secure", "data": "A"}),
                other(frame, id=later(frame, 2), body={"kind": "secure", "data": "A" * 300}),
                frame,
            )
        )
        self.say(self.ann, self.chat_id, "yet")
        self.assertEqual((self.shown, self.ben.refused), (["first", "yet"], [Reason.MALFORMED] * 2))

    def test_in_clear(self) -> None:
        """What is said in clear is not shown as of the chat: it is told, and by whom."""
        self.ben.bend = of_message(
            lambda frame: (other(frame, id=later(frame), body={"kind": "text", "text": "in clear"}), frame)
        )
        self.say(self.ann, self.chat_id, "sealed")
        self.assertEqual(self.shown, ["first", "sealed"])
        [warning] = self.ben.warnings(InClear)
        self.assertEqual(warning.sender, self.ann.account)

    def test_swapped_keys(self) -> None:
        """Others' keys are others': told in the chat, and nothing is sealed to them."""
        forged = key_of(self.ann.account, 9)
        self.ben.bend = self.swap(self.ann.account)
        self.ben.secure.need([self.ann.account])
        self.settle()
        [change] = self.ben.warnings(KeysChanged)
        self.assertEqual((change.before, change.after), (self.ann.secure.own.hash, forged.hash))
        item = self.chat(self.ben, self.chat_id).send("for Ann alone")
        self.settle()
        self.assertIs(item.fate, Fate.WAITING)
        self.assertEqual(self.ann.said(self.chat_id), ["first"])
        self.assertIs(self.ben.secure.trust(self.ann.account), Trust.PINNED)

    def swap(self, account: str, version: int = 9) -> Bent:
        """The directory shows keys of the node's own, signed by themselves as they have to be."""

        def bent(frame: Frame) -> Iterable[Frame]:
            for each in (frame.get("result") or {}).get("keys") or []:
                if each["account"] == account and "identity" in each:
                    forged = key_of(account, version)
                    identity = forged.identity(each["identity"]["at"])
                    each["identity"] = {
                        name: getattr(identity, name) for name in ("sign", "box", "at", "signature")
                    }
                    each["hash"] = encode_octets(forged.hash)
            return (frame,)

        return bent

    def test_swapped_keys_of_a_member(self) -> None:
        """Ben sees Cay's for the first time: others have vouched for hers, so nothing is sealed to these."""
        self.ben.bend = self.swap(self.cay.account)
        self.join_cay()
        item = self.chat(self.ben, self.chat_id).send("to all")
        self.settle()
        self.assertIs(item.fate, Fate.WAITING)
        self.assertIn("KeysDiffer", self.ben.alarms)
        self.assertNotIn("to all", self.cay.said(self.chat_id))

    def test_ghost(self) -> None:
        """A member whom nobody has vouched for is told, and nothing is sealed to it."""
        self.ann.do(self.ann.client.invite_to_group(self.chat_id, [self.cay.account]))
        self.cay.do(self.cay.secure.accept(self.chat_id))
        self.settle(41)
        self.assertEqual(self.ben.warnings(NotVouched), [NotVouched((self.cay.account,))])
        self.say(self.ben, self.chat_id, "not for ghosts")
        self.assertEqual(self.ann.said(self.chat_id), ["first", "not for ghosts"])
        self.assertEqual(self.cay.said(self.chat_id), [])
        self.assertNotIn(self.cay.account, self.chat(self.ben, self.chat_id).members)

    def test_forged_epoch(self) -> None:
        """An epoch of a stranger's making, with the right members, is nobody's."""
        stranger = key_of(self.ann.account, 9)
        self.ben.bend = of_message(lambda frame: (self.forged(frame, stranger), frame))
        self.say(self.ann, self.chat_id, "good")
        self.assertEqual((self.shown, self.ben.refused), (["first", "good"], [Reason.BAD_SIGNATURE]))

    def forged(self, frame: Frame, key: UniqueKey) -> Frame:
        """An epoch in Ann's name, for Ann and Ben, signed with keys of the node's own."""
        members = {self.ann.account: key.public, self.ben.account: self.ben.secure.own.public}
        now = int(self.world.clock.seconds() * 1000)
        content = epochs.make(EpochKey(Secret.random()), now, NONE, NONE, members)
        head = Head(Kind.EPOCH, True, now.to_bytes(8, "big") + bytes(8), 1, NONE)
        place = Place(self.chat_id, self.ann.account)
        data = envelopes.seal(head, content, place, key.signing).data
        return other(frame, id=later(frame), body={"kind": "secure", "data": data, "quiet": True})
