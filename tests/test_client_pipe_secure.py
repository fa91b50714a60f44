"""What is said in secure chats through `safeum pipe`, and how it is given the passphrase."""

import re
from pathlib import Path

from msgspec import structs
from twisted.internet.defer import Deferred, succeed
from twisted.trial.unittest import SynchronousTestCase

from safeum_home.client.errors import RemoteProblem
from safeum_home.client.pipe import secure as pipe_secure
from safeum_home.client.secure.unique_key import UniqueKey
from safeum_home.errors import Code
from tests.pipe_secure_case import PipeCase
from tests.secure_sdk_case import SecureDevice, SecureSdkCase, key_of

GUIDE = Path(__file__).parent.parent / "docs/client-guide.md"


class PipeTests(PipeCase):
    def test_talk(self) -> None:
        """Begun, said, answered and read; and the node is given none of it."""
        chat = self.pair()
        item = self.ask("client.secure.send", chat=chat, text="hello")["item"]
        self.assertEqual((item["sender"], item["payload"]["text"]), (self.ann.account, "hello"))
        self.say(self.ben, chat, "hello Ann")
        told = [line["params"] for line in self.lines("client.secure.changed")]
        self.assertEqual((told[-1]["chat"], told[-1]["item"]["payload"]["text"]), (chat, "hello Ann"))
        answered = told[-1]["item"]["hash"]
        self.ask("client.secure.send", chat=chat, text="well", reply=answered)
        items = self.ask("client.secure.items", chat=chat, earlier=True)["items"]
        self.assertEqual([each["payload"]["text"] for each in items], ["hello", "hello Ann", "well"])
        self.assertEqual(items[-1]["payload"]["reply"]["hash"], answered)
        self.assertEqual(self.ben.said(chat), ["hello", "hello Ann", "well"])

    def test_changed(self) -> None:
        """Edited, reacted to and deleted, as the other one sees it, and as it is told."""
        chat = self.pair()
        own, theirs = self.say(self.ann, chat, "at nine"), self.say(self.ben, chat, "which?")
        self.ask("client.secure.edit", chat=chat, message=own, text="at ten", mentions=[self.ben.account])
        for emoji in ("\U0001f44d", None, "\u2764"):
            self.ask("client.secure.react", chat=chat, message=theirs, emoji=emoji)
        seen = {item.text: item for item in self.chat(self.ben, chat).items.all}
        self.assertEqual((seen["at ten"].edited, list(seen)), (True, ["at ten", "which?"]))
        self.assertEqual(seen["which?"].reactions, {self.ann.account: "\u2764"})
        self.chat(self.ben, chat).react(own, "\U0001f44d")
        self.settle()
        self.assertEqual(
            self.told("client.secure.changed")["item"]["reactions"], {self.ben.account: "\U0001f44d"}
        )
        self.assertTrue(self.ask("client.secure.delete", chat=chat, message=own)["item"]["deleted"])
        self.assertEqual(self.ben.said(chat), ["", "which?"])

    def test_not_one_s_own(self) -> None:
        """What others have written stays as it is, and what is not there is said to be that."""
        chat = self.pair()
        theirs = self.say(self.ben, chat, "mine")
        wrong = Code.INVALID_PARAMS.value.code
        self.assertEqual(self.refused("client.secure.edit", chat=chat, message=theirs, text="yours"), wrong)
        self.assertEqual(self.refused("client.secure.delete", chat=chat, message=theirs), wrong)
        for method, more in (("edit", {"text": "x"}), ("delete", {}), ("react", {"emoji": "\U0001f44d"})):
            refused = self.refused(f"client.secure.{method}", chat=chat, message="A" * 43, **more)
            self.assertEqual(refused, Code.NOT_FOUND.value.code, method)
        self.assertEqual(self.ben.said(chat), ["mine"])

    def test_forgotten(self) -> None:
        """What waits for keys has a reference, by which it is said no more."""
        dan = self.device().register("dan")
        self.everybody.append(dan)
        self.ann.befriend(dan)
        chat = self.ask("client.secure.start", accounts=[dan.account])["chat"]
        item = self.ask("client.secure.send", chat=chat, text="psst")["item"]
        self.assertEqual((item["fate"], item.get("hash")), ("waiting", None))
        self.assertEqual(self.told("client.secure.changed")["item"]["waits_for"], [dan.account])
        reference = item["reference"]
        self.assertEqual(self.ask("client.secure.forget", chat=chat, reference=reference), {})
        told = self.told("client.secure.changed")["item"]
        self.assertEqual((told["reference"], told["fate"]), (reference, "refused"))
        gone = self.refused("client.secure.forget", chat=chat, reference=reference)
        self.assertEqual(gone, Code.NOT_FOUND.value.code)

    def test_members(self) -> None:
        """Who is in a group, and how well their keys are known; who is invited, removed, and has left."""
        chat = self.ask("client.secure.start", accounts=[self.ben.account], group=True)["chat"]
        self.ben.do(self.ben.secure.accept(chat))
        self.settle()
        self.assertEqual(
            self.ask("client.secure.invite", chat=chat, accounts=[self.cay.account]), {"refused": []}
        )
        self.cay.do(self.cay.secure.accept(chat))
        self.settle()
        self.ann.secure.verify(self.ben.account)

        def trust() -> dict[str, str]:
            listed = self.ask("client.secure.members", chat=chat)["members"]
            return {each["account"]: each["trust"] for each in listed if each["account"] != self.ann.account}

        self.assertEqual(trust(), {self.ben.account: "verified", self.cay.account: "pinned"})
        self.ask("client.secure.remove", chat=chat, account=self.cay.account)
        self.assertEqual(trust(), {self.ben.account: "verified"})
        self.ask("client.secure.leave", chat=chat)
        self.assertEqual(self.chat(self.ben, chat).members, {self.ben.account})

    def test_no_keys(self) -> None:
        """Nobody is invited into a group for whom nothing could be sealed: it is said who that is."""
        dan = self.device().register("dan")
        self.everybody.append(dan)
        self.ann.befriend(dan)
        answer = self.ask("client.secure.start", accounts=[dan.account], group=True)["data"]
        self.assertEqual((answer["code"], answer["detail"]), ("key_unavailable", dan.account))

    def test_accepted(self) -> None:
        chat = self.ben.do(self.ben.secure.start([self.ann.account])).id
        self.settle()
        self.assertEqual(self.ask("client.secure.accept", chat=chat), {"chat": chat})

    def test_warned(self) -> None:
        """Another key of somebody is a line of its own."""
        self.pair()
        thief = self.device().login("ben").unlock(1)
        thief.do(thief.secure.replace_keys())
        self.settle(5)
        kinds = [line["params"]["kind"] for line in self.lines("client.secure.warning")]
        self.assertIn("KeysChanged", kinds)
        thief.client.close()

    def test_locked(self) -> None:
        """It is said so, and nothing is done in clear instead."""
        self.ann.client.lock()
        self.settle()
        answer = self.ask("client.secure.start", accounts=[self.ben.account])
        self.assertEqual(answer["data"]["code"], Code.SECURE_ONLY.value.code)

    def test_what_cannot_be_said(self) -> None:
        chat = self.ask("client.secure.start", accounts=[self.ben.account])["chat"]
        for text in ("", "x" * 9000):
            answer = self.ask("client.secure.send", chat=chat, text=text)
            self.assertEqual(answer["data"]["code"], Code.INVALID_PARAMS.value.code, text[:9])


class DocumentedTests(SynchronousTestCase):
    def test_every_command(self) -> None:
        """The guide names each with its parameters, and none that is not there."""
        table = GUIDE.read_text().partition("`client.secure.…`")[2].partition("\n\n")[0]
        named: dict[str, str] = {}
        for line in table.splitlines()[2:]:
            _, names, parameters, *_ = line.split("|")
            named |= {f"client.secure.{name}": parameters for name in re.findall("`([a-z_]+)`", names)}
        self.assertEqual(named.keys(), pipe_secure.SECURE_METHODS.keys())
        for method, params in pipe_secure.SECURE_METHODS.items():
            for field in structs.fields(params):
                self.assertIn(f"`{field.name}`", named[method], method)


class UnlockTests(SecureSdkCase):
    def unlock(self, device: SecureDevice, version: int) -> None:
        def key(account: str, _known: str) -> "Deferred[UniqueKey]":
            return succeed(key_of(account, version))

        device.do(pipe_secure.unlock(device.client, key))

    def test_by_a_descriptor(self) -> None:
        """The passphrase of the account opens; another one does not, and publishes nothing."""
        other = self.device().login("ben")
        self.assertTrue(self.assertRaises(RemoteProblem, self.unlock, other, 1).of(Code.KEY_MISMATCH))
        self.assertIsNone(other.client.secure)
        self.unlock(other, 0)
        self.assertIsNotNone(other.client.secure)
        other.client.close()

    def test_no_first_one(self) -> None:
        """What may be mistyped is not taken for the account's from then on."""
        dan = self.device().register("dan")
        self.assertTrue(self.assertRaises(RemoteProblem, self.unlock, dan, 0).of(Code.KEY_MISMATCH))
        self.assertIsNone(dan.client.secure)
        dan.client.close()
