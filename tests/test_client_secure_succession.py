"""A node that forges successions, between itself and the SDK: each is an alarm, and nothing else."""

from collections.abc import Iterable

from safeum_home.client.secure import envelope as envelopes
from safeum_home.client.secure import succession
from safeum_home.client.secure.envelope import NONE, Head, Kind, Place
from safeum_home.client.secure.events import KeysChanged
from safeum_home.client.secure.people import Trust
from safeum_home.client.secure.refused import Reason
from safeum_home.client.secure.succession import Line
from safeum_home.client.secure.unique_key import UniqueKey
from tests.secure_sdk_case import SecureSdkCase, key_of
from tests.test_client_secure_hostile import Frame, later, of_message, other


class SuccessionTests(SecureSdkCase):
    """Ann's frames are tampered with."""

    def setUp(self) -> None:
        super().setUp()
        self.chat_id = self.start(self.ben, self.cay, group=True)
        self.say(self.ben, self.chat_id, "before")
        self.ann.secure.verify(self.ben.account)

    def forged(self, line: Line, signer: UniqueKey, chat: str = "") -> str:
        now = int(self.world.clock.seconds() * 1000)
        head = Head(Kind.SUCCESSION, True, now.to_bytes(8, "big") + b"8 octets", 1, NONE)
        place = Place(chat or self.chat_id, signer.account)
        return envelopes.seal(head, line.octets, place, signer.signing).data

    def shown(self, data: str, reason: Reason, sender: str = "") -> None:
        """Ann is shown that as Ben's, before what he says next: it is refused, and that is shown."""

        def forge(frame: Frame) -> Iterable[Frame]:
            body = {"kind": "secure", "data": data, "quiet": True}
            forged = other(frame, id=later(frame), sender=sender or self.ben.account, body=body)
            return (forged, frame)

        known = self.ann.secure.people.get(self.ben.account)
        assert known is not None
        keys, told = known.keys, len(self.ann.warnings(KeysChanged))
        self.ann.bend = of_message(forge)
        self.say(self.ben, self.chat_id, "as ever")
        self.ann.bend = None
        self.assertEqual(self.ann.refused[:1], [reason])
        self.assertEqual(len(self.ann.warnings(KeysChanged)), told)
        self.assertEqual(known.keys, keys)
        self.assertEqual(self.ann.said(self.chat_id)[-1], "as ever")

    def test_of_the_nodes_own(self) -> None:
        """Keys that nobody knows name others; it says that Ben's have named them."""
        mine, next = key_of(self.ben.account, 8), key_of(self.ben.account, 9)
        line = succession.name(mine, next.public, 0)
        self.shown(self.forged(line, next), Reason.BAD_SIGNATURE)
        self.assertIs(self.ann.secure.trust(self.ben.account), Trust.VERIFIED)

    def test_unsaid(self) -> None:
        """It says that Ben's have named them, which they have not."""
        next = key_of(self.ben.account, 9)
        line = succession.name(key_of(self.ben.account, 8), next.public, 0)
        said = Line(self.ben.secure.own.public, line.named)
        self.shown(self.forged(said, next), Reason.MALFORMED)
        self.assertIs(self.ann.secure.trust(self.ben.account), Trust.VERIFIED)

    def test_of_somebody_else(self) -> None:
        """Cay's, as if they were Ben's."""
        next = key_of(self.cay.account, 1)
        line = succession.name(key_of(self.cay.account), next.public, 0)
        self.shown(self.forged(line, next), Reason.MALFORMED)
        self.assertIs(self.ann.secure.trust(self.ben.account), Trust.VERIFIED)

    def test_of_another_chat(self) -> None:
        next = key_of(self.ben.account, 1)
        line = succession.name(key_of(self.ben.account), next.public, 0)
        self.shown(self.forged(line, next, "!" + "e" * 26), Reason.BAD_SIGNATURE)
        self.assertIs(self.ann.secure.trust(self.ben.account), Trust.VERIFIED)

    def test_replayed(self) -> None:
        """The one that has come comes again."""
        seen: list[Frame] = []

        def watch(frame: Frame) -> Iterable[Frame]:
            seen.append(frame)
            return (frame,)

        self.ann.bend = of_message(watch)
        self.ben.do(self.ben.secure.change_key(key_of(self.ben.account, 1)))
        self.settle()
        datas = [each["params"]["body"]["data"] for each in seen]
        [said] = [each for each in datas if envelopes.read(each).head.kind is Kind.SUCCESSION]
        self.shown(said, Reason.REPLAYED)

    def test_of_keys_before_the_last(self) -> None:
        """Who has stolen keys of before names followers of its own, or leads back to those that it has."""
        for version in (1, 2):
            self.ben.do(self.ben.secure.change_key(key_of(self.ben.account, version)))
            self.settle()
        first, second, own = (key_of(self.ben.account, each) for each in (0, 1, 9))
        self.shown(self.forged(succession.name(first, own.public, 0), own), Reason.OLD_KEYS)
        self.ann.heard.clear()
        self.settle(605)
        back = succession.name(second, first.public, 0)
        self.shown(self.forged(back, first), Reason.OLD_KEYS)
