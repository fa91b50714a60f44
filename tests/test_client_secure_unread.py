"""A vault that a program could not read when it began: until it has, nobody's keys are taken."""

from collections.abc import Callable
from typing import Any

import msgspec

from safeum_home.client.errors import local
from safeum_home.client.methods.methods import Methods
from safeum_home.client.secure.events import KeysChanged
from safeum_home.client.secure.people import Trust
from safeum_home.client.secure.unique_key import UniqueKey
from safeum_home.client.unlocked import vault_store
from safeum_home.client.unlocked.items import Fate
from safeum_home.client.unlocked.vault_store import Kept
from safeum_home.errors import Code
from tests.secure_sdk_case import SecureDevice, SecureSdkCase, key_of


class UnreadTests(SecureSdkCase):
    """Ann's telephone begins anew while her tablet, which has verified Ben, runs on."""

    def setUp(self) -> None:
        super().setUp()
        self.chat_id = self.start(self.ben)
        self.say(self.ann, self.chat_id, "before")
        self.tablet = self.device().login("ann").unlock()
        self.everybody.append(self.tablet)
        self.tablet.secure.verify(self.ben.account)
        self.settle(40)
        self.ann.lock()
        self.ann.heard.clear()
        self.away = True
        get = vault_store.get

        async def failing(client: Methods) -> Kept:
            if client is self.ann.client and self.away:
                raise local(Code.BUSY)
            return await get(client)

        self.patch(vault_store, "get", failing)

    def trusted(self, device: SecureDevice) -> tuple[UniqueKey | bytes, Trust]:
        person = device.secure.people.get(self.ben.account)
        assert person is not None
        return person.keys.hash, person.trust

    def test_swapped(self) -> None:
        """A node that does not tell it, and other keys of Ben: no device takes these, and it is shown."""
        evil = key_of(self.ben.account, 7)
        self.ann.bent()
        self.ann.bend = _shows(evil, self.ben.account, self.world.clock.seconds)
        self.ann.do(self.ann.client.unlock_with(key_of(self.ann.account)))
        self.settle(5)
        self.assertEqual(dict(self.ann.secure.chats), {})
        self.assertIsNone(self.ann.secure.people.get(self.ben.account))
        self.away = False
        self.settle(60)
        right = self.ben.secure.own.hash, Trust.VERIFIED
        self.assertEqual([self.trusted(each) for each in (self.ann, self.tablet)], [right] * 2)
        [change] = self.ann.warnings(KeysChanged)
        self.assertEqual((change.before, change.after), (right[0], evil.hash))
        item = self.chat(self.ann, self.chat_id).send("for whom?")
        self.settle()
        self.assertIs(item.fate, Fate.WAITING)

    def test_begins_later(self) -> None:
        """Once it is there all is as it was, and nothing has to come from anybody."""
        self.ann.unlock()
        self.away = False
        self.settle(60)
        self.assertEqual(self.ann.said(self.chat_id), ["before"])
        self.assertEqual((self.ann.alarms, self.ann.refused), ([], []))

    def test_asked_for(self) -> None:
        """What needs it asks for it, and says where it is not to be had."""
        self.ann.unlock()
        for asked in (self.ann.secure.enter(self.chat_id), self.ann.secure.start([self.cay.account])):
            self.assertIs(self.failureResult(asked), Code.BUSY)
        self.away = False
        self.assertEqual(self.ann.do(self.ann.secure.enter(self.chat_id)).id, self.chat_id)

    def failureResult(self, asked: Any) -> Code:
        found: list[Any] = []
        asked.addErrback(lambda failure: found.append(failure.value))
        self.settle(1)
        return next(code for code in Code if found[0].of(code))


def _shows(key: UniqueKey, account: str, seconds: Callable[[], float]) -> Callable[[Any], list[Any]]:
    """Has the directory answer with another key of an account."""

    def bend(frame: dict[str, Any]) -> list[dict[str, Any]]:
        result = frame.get("result")
        for each in result.get("keys", ()) if isinstance(result, dict) else ():
            if each["account"] == account:
                each["identity"] = msgspec.to_builtins(key.identity(int(seconds() * 1000)))
        return [frame]

    return bend
