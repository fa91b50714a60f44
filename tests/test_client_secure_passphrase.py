"""A passphrase that is thought to be weak: it is taken by nobody, and entered by who has it."""

from twisted.internet.defer import Deferred, fail, succeed

from safeum_home.client.entry.own_passphrase import entered
from safeum_home.client.secure.refused import Reason, Refused
from safeum_home.client.secure.unique_key import UniqueKey
from safeum_home.protocol.signing import encode_octets
from tests.secure_sdk_case import SecureDevice, SecureSdkCase, key_of


class EnteredTests(SecureSdkCase):
    """Ben's was strong enough when he took it."""

    def enter(self, device: SecureDevice, version: int) -> UniqueKey:
        def derive(account: str, known: str | None) -> "Deferred[UniqueKey]":
            key = key_of(account, version)
            if known == encode_octets(key.hash):
                return succeed(key)
            return fail(Refused(Reason.WEAK_PASSPHRASE))

        found: UniqueKey = device.do(Deferred.fromCoroutine(entered(device.client, device.account, derive)))
        return found

    def test_entered(self) -> None:
        """The one that the account has, and no other one."""
        self.assertEqual(self.enter(self.ben, 0).hash, self.ben.secure.own.hash)
        with self.assertRaises(Refused) as caught:
            self.enter(self.ben, 1)
        self.assertEqual(caught.exception.reason, Reason.WEAK_PASSPHRASE)

    def test_first(self) -> None:
        """An account without keys takes none that is weak."""
        dan = self.device().register("dan")
        self.assertRaises(Refused, self.enter, dan, 0)
        dan.client.close()
