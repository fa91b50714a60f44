"""What `safeum pipe` does so that nobody is in between: whose keys are known, and comparing them."""

from collections.abc import Callable
from typing import Literal

from safeum_home.client.errors import local
from safeum_home.client.pipe.command import ChatCommand, SecureCommand
from safeum_home.client.secure.people import Trust
from safeum_home.client.secure.refused import Reason, Refused
from safeum_home.client.unlocked.comparisons import Comparisons
from safeum_home.client.unlocked.conversation import Conversation
from safeum_home.client.unlocked.secure_chats import SecureChats
from safeum_home.errors import Code
from safeum_home.protocol.commands import Done, Params, Result
from safeum_home.protocol.signing import encode_octets

Step = Literal["begin", "agree", "same", "different", "cancel"]


class Person(SecureCommand, frozen=True):
    """`client.secure.person`: how well the keys of an account are known, and what to compare with it."""

    account: str

    async def run(self, secure: SecureChats) -> Result:
        number = secure.safety_number(self.account)
        known = secure.people.get(self.account)
        assert known is not None  # else there is no number
        offered = None if known.offered is None else encode_octets(known.offered.hash)
        return Known(known.trust, encode_octets(known.keys.hash), number, offered)


class Known(Result, frozen=True):
    """`hash` is that of the keys in force, `offered` that of others, which nobody has accepted yet."""

    trust: Trust
    hash: str
    safety_number: str
    offered: str | None


class Verify(SecureCommand, frozen=True):
    """`client.secure.verify`: the other one has this number, as was compared by another way."""

    account: str
    safety_number: str

    async def run(self, secure: SecureChats) -> Result:
        if self.safety_number.split() != secure.safety_number(self.account).split():
            raise local(Code.INVALID_PARAMS, "safety_number: it is another one here, so nothing is verified")
        secure.verify(self.account)
        return Done()


class AcceptKeys(SecureCommand, frozen=True):
    """`client.secure.accept_keys`: take the keys with this hash, once their owner was asked."""

    account: str
    hash: str

    async def run(self, secure: SecureChats) -> Result:
        known = secure.people.get(self.account)
        if known is None or known.offered is None or encode_octets(known.offered.hash) != self.hash:
            raise local(Code.NOT_FOUND, "no keys with this hash are offered")
        secure.accept_keys(self.account)
        return Done()


class Compare(ChatCommand, frozen=True):
    """`client.secure.compare`: compare emoji with a member; what comes of it is `client.secure.compared`."""

    account: str
    step: Step

    async def within(self, conversation: Conversation, secure: SecureChats) -> Result:
        try:
            _STEPS[self.step](conversation.comparisons, self.account)
        except Refused as refused:
            if refused.reason is not Reason.NOT_A_MEMBER:
                raise
            raise local(Code.WRONG_STATE, "nothing is compared with this account") from None
        return Done()


_STEPS: dict[Step, Callable[[Comparisons, str], None]] = {
    "begin": Comparisons.begin,
    "agree": Comparisons.agree,
    "same": lambda comparisons, account: comparisons.judge(account, True),
    "different": lambda comparisons, account: comparisons.judge(account, False),
    "cancel": Comparisons.stop,
}

PEOPLE: dict[str, type[Params]] = {
    "client.secure.person": Person,
    "client.secure.verify": Verify,
    "client.secure.accept_keys": AcceptKeys,
    "client.secure.compare": Compare,
}
