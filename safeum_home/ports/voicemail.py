"""What answers calls from the telephone network where nobody does."""

from enum import Enum
from typing import NamedTuple, Protocol

from twisted.internet.defer import Deferred

from safeum_home.errors import Code, Problem
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


class Over(Enum):
    """Why a call is over for what has answered it."""

    HANGUP = "hangup"
    TIME = "time"
    SILENCE = "silence"
    KEY = "key"
    REFUSED = "refused"
    """The offer of the bridge cannot be answered."""
    LOST = "lost"
    """No sound gets through, or what answers has died."""


class CannotAnswer(Problem):
    """Nothing is there that answers, or it answers as many as it may."""

    def __init__(self) -> None:
        super().__init__(Code.VOICEMAIL_UNAVAILABLE)


class AnsweringListener(Protocol):
    """Is told of one call, in order, and nothing after `ended`, which always comes."""

    def answered(self, sdp: str) -> None:
        """The answer to the offer of the bridge. The greeting is played when the sound gets through."""

    def sound(self, octets: bytes, milliseconds: int, heard: int) -> None:
        """The next octets of the recording, an Ogg Opus file, of which each part can be played.

        It is so long by now; `heard` is where something was heard last.
        """

    def ended(self, why: Over) -> None: ...


class AnsweredCall(Protocol):
    """A call that is answered. What is asked of one that is over does nothing."""

    def press(self, digits: str) -> None:
        """The caller has pressed keys: # leaves out the rest of the greeting, and ends a recording."""

    def stop(self) -> None:
        """The caller has hung up. What was recorded still comes, and `ended` behind it."""


class Answering(Protocol):
    """Answers calls, plays and records. Nothing of what it hears is ever in a file."""

    @property
    def is_up(self) -> bool:
        """Whether it answers, and has room for one more."""

    def answer(self, sdp: str, greeting: bytes, seconds: int, listener: AnsweringListener) -> AnsweredCall:
        """Answer the offer of a bridge, play a greeting (Ogg Opus), record for so long at the most.

        Raises `CannotAnswer`.
        """

    def greeting(self, octets: bytes) -> "Deferred[bytes]":
        """A greeting that somebody has recorded (Ogg or WAV), made anew; fails with `bad_greeting`,
        `busy`, `voicemail_unavailable`."""


class Recorded(NamedTuple):
    """What a caller has left. `at` is when he called (milliseconds since 1970); `sound` is Ogg Opus."""

    caller: str
    """E.164; empty where withheld."""
    at: int
    milliseconds: int
    sound: bytes


class VoicemailChats(Protocol):
    """The chats in which accounts find what callers have left."""

    async def has_room(self, account: AccountId) -> bool:
        """Whether one more may be left."""

    async def deliver(self, account: AccountId, recorded: Recorded) -> None:
        """Store and tell; done when it is on disk. Raises `not_found`, `storage_unavailable`."""
