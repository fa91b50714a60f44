"""Tests of secure chats at the terminal notice when what they test is gone."""

from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from safeum_home.client.desk import secure_shown
from safeum_home.client.desk.alarms import Alarms
from safeum_home.client.desk.secure_desk import SecureDesk
from safeum_home.client.entry import passphrase_entry
from safeum_home.client.screen import blocks
from safeum_home.client.unlocked.comparisons import Comparisons
from safeum_home.client.words import message_words, names
from tests.without import Defence, check

ALARMS = "tests.test_client_secure_alarms."
LOCKED = "tests.test_client_secure_locked."
DESK = "tests.test_client_secure_desk."
VERIFY = "tests.test_client_secure_verify."


def _at_the_edge(time: str, name: str, _names: int, _style: str, text: str, _mark: str, _columns: int) -> Any:
    """`blocks._said` that leaves lines of messages where they are."""
    first, *rest = text.split("\n")
    return [[("time", f"{time} {name} {first}")], *([("text", line)] for line in rest)]


def _as_told(message: Any) -> Any:
    """`secure_shown._locked` that shows whatever the node has."""
    return message


def _each_one(self: Any, chat: str | None, text: str) -> None:
    """`Alarms.sound` that counts nothing."""
    _sound(self, chat, f"{text}{'.' * len(self._known)}")


async def _anybodys(_client: Any, _key: Any, _known: str) -> bool:
    """`is_own` that takes every passphrase."""
    return True


async def _nowhere(self: Any, _view: Any) -> None:
    """`SecureDesk.reach` that loads nothing."""
    self.forget()


_sound = Alarms.sound

DEFENCES: dict[str, tuple[str, tuple[Defence, ...]]] = {
    "alarms in messages": (
        ALARMS + "ImitationTests.test_in_text",
        (Defence(blocks, "_said", _at_the_edge),),
    ),
    "escapes in messages": (
        ALARMS + "ImitationTests.test_in_text",
        (Defence(message_words, "safe", lambda text, newlines=False: text),),
    ),
    "signs in names": (
        ALARMS + "ImitationTests.test_in_a_name",
        (Defence(names, "_NO_MARKS", {}),),
    ),
    "a flood of alarms": (
        ALARMS + "SeenTests.test_again_and_again",
        (Defence(Alarms, "sound", _each_one),),
    ),
    "what is not sealed": (
        ALARMS + "RealTests.test_unsealed",
        (Defence(secure_shown, "_locked", _as_told),),
    ),
    "what is locked": (
        LOCKED + "LockTests.test_not_read",
        (Defence(SecureDesk, "sealed", lambda *_: False),),
    ),
    "passphrases that are mistyped": (
        LOCKED + "UnlockTests.test_mistyped",
        (Defence(passphrase_entry, "is_own", _anybodys),),
    ),
    "comparisons that were given up": (
        VERIFY + "EmojiTests.test_cancelled",
        (Defence(Comparisons, "stop", lambda self, account: self._of(account).machine.stop()),),
    ),
    "what is older than what was looked at": (
        DESK + "TalkTests.test_older",
        (Defence(SecureDesk, "reach", _nowhere),),
    ),
}


def _of(name: str) -> Any:
    test, defences = DEFENCES[name]

    def notices(self: "DeskDefenceTests") -> None:
        check(self, test, *defences)

    notices.__doc__ = f"Without it the test of {name} fails."
    return notices


class DeskDefenceTests(SynchronousTestCase):
    """A method for each of `DEFENCES`."""


for _number, _name in enumerate(DEFENCES):
    setattr(DeskDefenceTests, f"test_{_number:02}", _of(_name))
