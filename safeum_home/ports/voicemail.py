"""What answers calls from the telephone network where nobody does."""

from enum import Enum
from typing import Protocol

from safeum_home.ids import AccountId
from safeum_home.ports.carrier import CarrierCall, CarrierListener, Incoming


class Unanswered(Enum):
    """Why nobody has answered."""

    NO_ANSWER = "no_answer"
    BUSY = "busy"
    DECLINED = "declined"
    OFFLINE = "offline"
    ALWAYS = "always"
    """By the account's own rule: it does not ring at all."""


class Mailbox(Protocol):
    """The voicemail of all accounts of a node."""

    async def takes_at_once(self, account: AccountId) -> bool:
        """Whether the rule of an account is that it does not ring."""

    async def take(
        self, account: AccountId, call: CarrierCall, offer: Incoming, why: Unanswered
    ) -> CarrierListener | None:
        """Answer the call with a greeting, and record. None: by the account's rule it is not answered, or
        there is no room. Of the call that is taken everything is told to the listener from now on, too.
        """
