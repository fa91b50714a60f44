"""Who follows what the guide says of secure chats at the terminal, word by word, gets what it promises."""

import re
from pathlib import Path

from safeum_home.client.secure.refused import Reason
from safeum_home.client.slash.slash import SLASHES
from safeum_home.client.unlocked.events import VaultRefused
from tests.secure_desk_case import OTHER, PASSPHRASE, SecureDeskCase, SecureWorldDesk

GUIDE = (Path(__file__).parent.parent / "docs/client-guide.md").read_text().partition("## Talking")[2]
TOPICS = ("Secure chats", "Nobody in between", "Alarms")


def topic(name: str) -> str:
    """What the guide says of something."""
    return GUIDE.partition(f"- **{name}.**")[2].partition("\n- **")[0]


def commands(text: str) -> set[str]:
    """Those in a text, as they are shown there."""
    return set(re.findall(r"`/([^`]+)`", text))


class GuideTests(SecureDeskCase):
    def setUp(self) -> None:
        super().setUp()
        self.followed: set[str] = set()

    def do(self, who: SecureWorldDesk, line: str, *sees: str) -> None:
        """Enter what the guide says, and see what it promises."""
        who.enter(line)
        self.settle()
        shown = f"{who.header()}\n{who.reading() or who.screen(rows=80)}\n{who.status()}"
        for words in sees:
            self.assertIn(words, shown, f"{line}\n{shown}")
        self.followed.add(re.sub(r"\b(Ann|Ben|Cay|Dan)\b", "NAME", line).removeprefix("/"))

    def test_every_command(self) -> None:
        """The terminal has what the guide names, and the guide names all that there is."""
        named = {each.partition(" ")[0] for each in commands(GUIDE)}
        self.assertEqual(named - SLASHES.keys(), set())
        everywhere = (Path(__file__).parent.parent / "docs/client-guide.md").read_text()
        self.assertEqual(SLASHES.keys() - {each.partition(" ")[0] for each in commands(everywhere)}, set())

    def test_followed(self) -> None:
        """From the passphrase to the vault: each command that the guide names on the way is entered."""
        self.locking()
        self.talking()
        self.comparing()
        self.changing()
        self.vault()
        named: set[str] = set().union(*(commands(topic(each)) for each in TOPICS))
        self.assertEqual(named - self.followed, set())

    def locking(self) -> None:
        self.do(self.cay, "/unlock", "no passphrase yet")
        self.assertTrue(self.cay.desk.questions.hidden)
        self.do(self.cay, PASSPHRASE)
        self.do(self.cay, PASSPHRASE, "unlocked")
        self.do(self.cay, "/passphrase")
        for line in (PASSPHRASE, OTHER, OTHER):
            self.do(self.cay, line)
        self.assertIn("From now on it is the other passphrase", self.cay.screen())
        self.do(self.ann, "/lock", "are locked")
        self.ann.unlock()

    def talking(self) -> None:
        self.do(self.ann, "/secure Ben", "🔒 Ben", "is invited")
        self.do(self.ben, "/accept", "🔒 Ann  not verified")
        self.do(self.ann, "/secure group Ben, Cay", "Ben and Cay can join now")
        self.followed.add("secure group NAME, NAME")
        self.do(self.ben, "/decline", "Declined")
        self.do(self.cay, "/accept", "🔒 Ann")
        self.do(self.ann, "/invite Ben", "Ben (ben) is invited")
        self.do(self.ben, "/accept", "🔒 Ann, Cay")
        self.do(self.ann, "/members", "Ben  not verified")
        self.do(self.ann, "/kick Cay")
        self.do(self.ann, "yes", "Cay is not in this group any more")
        self.do(self.ben, "/leave")
        self.do(self.ben, "yes")
        self.assertEqual(len(self.ben.desk.state.chats), len(self.ann.desk.state.chats) - 1)
        self.followed |= {"invite", "kick"}
        self.do(self.ann, "/secure", "🔒 Ben  not verified")
        dan = SecureWorldDesk(self.world, "dan", "Dan")
        dan.enter(f"/add {self.ann.desk.state.address}")
        self.ann.enter(f"/accept {dan.desk.state.address}")
        self.do(self.ann, "/secure Dan", "waits for their keys")
        self.do(self.ann, "psst", "Waits, on this computer alone, for the keys of Dan")
        self.do(self.ann, "/drop", "Dropped 1 message")
        dan.client.close()
        self.do(self.ann, "/profile Ben", "Security key: not verified")
        self.do(self.ann, "/contacts", "Ben  ben@home.example  not verified")

    def comparing(self) -> None:
        self.do(self.ann, "/secure Ben")
        assert self.ben.client.secure is not None
        number = self.ben.client.secure.safety_number(self.ann.account)
        self.do(self.ann, "/verify Ben", *number.split())
        self.do(self.ann, "/verify Ben picture", "█")
        said = self.ben.client.secure.scan_text(self.ann.account)
        self.do(self.ann, f"/verify Ben scan {said}", "🔒✓ Ben  verified")
        self.do(self.ann, "/verify Ben doubt", "🔒 Ben  not verified")
        self.do(self.ann, "/verify Ben yes")
        self.do(self.ann, "yes", "🔒✓ Ben  verified")
        self.do(self.ann, "/verify Ben emoji", "is asked to compare")
        self.do(self.ann, "/verify Ben cancel", "was given up")
        for judged in ("different", "same"):
            self.do(self.ann, "/verify Ben emoji")
            self.do(self.ben, "/secure Ann")
            self.do(self.ben, "/verify Ann emoji", "in numbers: ")
            self.do(self.ann, f"/verify Ben {judged}")
        self.do(self.ben, "/verify same", "🔒✓ Ann  verified")
        self.do(self.ann, "/chat Cay")
        self.do(self.ann, "/verify", "Ben  verified")

    def changing(self) -> None:
        self.do(self.ben, "/lock")
        self.do(self.ben, "/unlock new")
        for line in ("yes", OTHER, OTHER):
            self.do(self.ben, line)
        self.settle(5)
        self.assertTrue(self.ann.info().startswith("⚠ /alarms"), self.ann.info())
        self.assertIn("alarm", self.ann.status())
        self.do(self.ann, "/alarms", "The security key of Ben is said to be another one")
        self.ann.enter("")
        self.do(self.ann, "/verify Ben accept")
        self.do(self.ann, "yes", "The other key of Ben is used from now on")

    def vault(self) -> None:
        secure = self.ann.client.secure
        assert secure is not None
        for line in ("/vault take", "/vault renew"):
            secure._vault.refused = VaultRefused(Reason.ROLLED_BACK, 1)
            self.do(self.ann, line)
            self.assertTrue(self.ann.desk.questions.open)
            self.do(self.ann, "no", "Nothing was changed")
