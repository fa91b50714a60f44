"""Comparing through `safeum pipe`, so that nobody is in between; and what the node keeps put right."""

from typing import Any

from twisted.internet.testing import StringTransport

from safeum_home.client.pipe.pipe import Pipe
from safeum_home.client.secure.refused import Reason
from safeum_home.client.unlocked.events import CompareChanged, VaultRefused
from safeum_home.errors import Code
from tests.pipe_secure_case import PipeCase


class VaultTests(PipeCase):
    def test_refused(self) -> None:
        """It is told, also where that was before anybody could read it; and is dealt with as is said."""
        self.pair()
        self.ann.do(self.ann.secure.save())
        for method in ("accept_vault", "replace_vault"):
            refused = VaultRefused(Reason.ROLLED_BACK, 1)
            self.ann.secure._vault.refused = refused
            early = Pipe(self.ann.client, self.world.clock)
            self.ann.secure.vault_refused(refused)
            self.transport, self.pipe = StringTransport(), early
            early.makeConnection(self.transport)
            self.assertEqual(self.lines()[0]["method"], "client.opened")
            self.assertEqual(
                self.told("client.secure.vault_refused"), {"reason": "rolled_back", "version": 1}
            )
            self.assertEqual(self.ask(f"client.secure.{method}"), {})
            self.assertIsNone(self.ann.secure.refused_vault)


class PeopleTests(PipeCase):
    """Nobody is in between, as far as that was compared."""

    def trust(self) -> str:
        trust: str = self.ask("client.secure.person", account=self.ben.account)["trust"]
        return trust

    def step(self, chat: str, step: str) -> Any:
        return self.ask("client.secure.compare", chat=chat, account=self.ben.account, step=step)

    def test_emoji(self) -> None:
        """Begun here: both see the same, and say so."""
        chat = self.pair()
        self.assertEqual(self.step(chat, "same")["data"]["code"], Code.WRONG_STATE.value.code)
        self.step(chat, "begin")
        comparisons = self.chat(self.ben, chat).comparisons
        comparisons.agree(self.ann.account)
        self.settle()
        told = self.told("client.secure.compared")
        self.assertEqual((told["chat"], told["account"], told["same"]), (chat, self.ben.account, None))
        theirs = next(each for each in reversed(self.ben.heard) if isinstance(each, CompareChanged))
        assert theirs.words is not None
        self.assertEqual(told["words"]["numbers"], list(theirs.words.numbers))
        symbols = [each["symbol"] for each in told["words"]["emoji"]]
        self.assertEqual(symbols, [each.symbol for each in theirs.words.emoji])
        self.step(chat, "same")
        self.assertEqual(self.trust(), "pinned")
        comparisons.judge(self.ann.account, True)
        self.settle()
        self.assertTrue(self.told("client.secure.compared")["same"])
        self.assertEqual(self.trust(), "verified")

    def test_asked(self) -> None:
        """The other one asks for it; what this side does not see as the same is not verified."""
        chat = self.pair()
        self.chat(self.ben, chat).comparisons.begin(self.ann.account)
        self.settle()
        self.assertIsNone(self.told("client.secure.compared")["words"])
        self.step(chat, "agree")
        self.assertIsNotNone(self.told("client.secure.compared")["words"])
        self.step(chat, "different")
        self.assertIs(self.told("client.secure.compared")["same"], False)
        self.assertEqual(self.trust(), "pinned")
        self.assertEqual(self.step(chat, "cancel")["data"]["code"], Code.WRONG_STATE.value.code)

    def test_number(self) -> None:
        """It is the other one's, or nobody is verified."""
        self.pair()
        number = self.ben.secure.safety_number(self.ann.account)
        other = number.translate(str.maketrans("0123456789", "1234567890"))
        about = {"account": self.ben.account}
        refused = self.refused("client.secure.verify", **about, safety_number=other)
        self.assertEqual((refused, self.trust()), (Code.INVALID_PARAMS.value.code, "pinned"))
        known = self.ask("client.secure.person", **about)
        self.assertEqual((known["safety_number"], known["offered"]), (number, None))
        self.assertEqual(self.ask("client.secure.verify", **about, safety_number=number), {})
        self.assertEqual(self.trust(), "verified")
        unknown = self.refused("client.secure.person", account=self.ann.account.replace("@", "@x", 1)[:27])
        self.assertEqual(unknown, Code.INVALID_PARAMS.value.code)

    def test_other_keys(self) -> None:
        """They are taken by their hash, so that no others are which have come meanwhile."""
        self.pair()
        other = self.device().login("ben").unlock(1)
        other.do(other.secure.replace_keys())
        self.settle(5)
        about = {"account": self.ben.account}
        known = self.ask("client.secure.person", **about)
        refused = self.refused("client.secure.accept_keys", **about, hash=known["hash"])
        self.assertEqual(refused, Code.NOT_FOUND.value.code)
        self.assertEqual(self.ask("client.secure.accept_keys", **about, hash=known["offered"]), {})
        now = self.ask("client.secure.person", **about)
        self.assertEqual((now["trust"], now["hash"], now["offered"]), ("changed", known["offered"], None))
        other.client.close()
