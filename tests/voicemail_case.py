"""Voicemail in a `World`: calls that nobody answers, and what answers them in the place of its process."""

from typing import Any, ClassVar

from twisted.internet.defer import Deferred, succeed

from safeum_home.errors import Code, Problem
from safeum_home.ids import AccountId, ChatId
from safeum_home.ports.carrier import CarrierEnd, CarrierListener, Incoming
from safeum_home.ports.voicemail import (
    AnsweredCall,
    AnsweringListener,
    CannotAnswer,
    Over,
    Unanswered,
)
from tests.file_case import FileCase
from tests.world import Client

CALLED, CALLER = "+3544900001", "+4930123456"
OFFER, ANSWER = "v=0\r\no=offer\r\n", "v=0\r\no=answer\r\n"
SOUND = b"OggS: hello, it is me. " * 4000
"""More than a chunk of a file."""
DAY = 86_400


class PlayedCall:
    """`ports.carrier.CarrierCall`: what was asked of it."""

    reference = "a84b4c76e66710"

    def __init__(self) -> None:
        self.asked: list[tuple[str, object]] = []

    def answer(self, sdp: str) -> None:
        self.asked.append(("answer", sdp))

    def decline(self, sip: int) -> None:
        self.asked.append(("decline", sip))

    def hang_up(self) -> None:
        self.asked.append(("hang_up", None))

    def dtmf(self, digits: str) -> None:
        self.asked.append(("dtmf", digits))


class Answered:
    """`ports.voicemail.AnsweredCall`, and what the process would say of it."""

    def __init__(self, sdp: str, greeting: bytes, seconds: int, listener: AnsweringListener) -> None:
        self.sdp, self.greeting, self.seconds, self.listener = sdp, greeting, seconds, listener
        self.pressed = ""
        self.stopped = False

    def press(self, digits: str) -> None:
        self.pressed += digits

    def stop(self) -> None:
        self.stopped = True

    def record(self, sound: bytes = SOUND, milliseconds: int = 23_400, heard: int = 23_000) -> None:
        """The greeting was heard, and somebody speaks."""
        self.listener.answered(ANSWER)
        half = len(sound) // 2
        self.listener.sound(sound[:half], milliseconds // 2, heard // 2)
        self.listener.sound(sound[half:], milliseconds, heard)


class _Deaf:
    """`ports.voicemail.AnsweringListener` that is told nothing."""

    def answered(self, sdp: str) -> None: ...
    def sound(self, octets: bytes, milliseconds: int, heard: int) -> None: ...
    def ended(self, why: Over) -> None: ...


NOBODY_HEARS = _Deaf()


class PlayedAnswering:
    """`node.voicemail.Answerer`, in memory."""

    def __init__(self) -> None:
        self.is_up = False
        self.calls: list[Answered] = []
        self.given: list[bytes] = []

    @property
    def taken(self) -> int:
        return len(self.calls)

    def start(self) -> None:
        self.is_up = True

    def stop(self) -> "Deferred[None]":
        self.is_up = False
        return succeed(None)

    def answer(self, sdp: str, greeting: bytes, seconds: int, listener: AnsweringListener) -> AnsweredCall:
        if not self.is_up:
            raise CannotAnswer
        self.calls.append(Answered(sdp, greeting, seconds, listener))
        return self.calls[-1]

    def greeting(self, octets: bytes) -> "Deferred[bytes]":
        if octets.startswith(b"not"):
            raise Problem(Code.BAD_GREETING)
        self.given.append(octets)
        return succeed(b"remade " + octets)


class VoicemailCase(FileCase):
    """Alice has a SafeNUM, and is called."""

    more: ClassVar[dict[str, Any]] = {}
    """Of the world."""

    def setUp(self) -> None:
        self.answering = PlayedAnswering()
        self.limits = {"answering": self.answering, **self.more}
        super().setUp()
        self.world.domain.voicemail.start()

    @property
    def voicemail_chat(self) -> ChatId:
        return self.world.domain.registry.voicemail_chat(AccountId(self.alice.account))

    def take(
        self, why: Unanswered = Unanswered.NO_ANSWER, caller: str = CALLER, client: Client | None = None
    ) -> tuple[PlayedCall, CarrierListener | None]:
        """A call that nobody has answered; whether the voicemail has taken it."""
        call, account = PlayedCall(), AccountId((client or self.alice).account)
        offer = Incoming(CALLED, caller, OFFER, "acme")
        taking = Deferred.fromCoroutine(self.world.domain.voicemail.mailbox.take(account, call, offer, why))
        return call, self.successResultOf(taking)

    def at_once(self) -> bool:
        """Whether a call to Alice is taken without having rung."""
        mailbox, account = self.world.domain.voicemail.mailbox, AccountId(self.alice.account)
        return self.successResultOf(Deferred.fromCoroutine(mailbox.takes_at_once(account)))

    def leave(self, caller: str = CALLER, sound: bytes = SOUND) -> None:
        """Somebody calls, speaks, and hangs up."""
        _, listener = self.take(caller=caller)
        assert listener is not None
        answered = self.answering.calls[-1]
        answered.record(sound)
        listener.ended(CarrierEnd(200))
        answered.listener.ended(Over.HANGUP)
        self.world.settle()

    def voicemails(self, client: Client | None = None) -> list[dict[str, Any]]:
        """What has come to a device."""
        found = [event["params"] for event in (client or self.alice).take("chat.message")]
        return [message for message in found if message["body"]["kind"] == "voicemail"]

    def fetched(self, message: dict[str, Any], client: Client | None = None) -> bytes:
        """The sound of a message, over HTTP."""
        told = (client or self.alice).call("file.download", chat=message["chat"], message=message["id"])
        body: bytes = self.fetch(told["path"]).body
        return body

    def days(self, days: float) -> None:
        """Time goes by."""
        self.world.clock.pump([3600.0] * int(days * 24))
