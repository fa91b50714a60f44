"""Verifications of mobile numbers: the commands `verification.create` and `.request`, and checking codes.

All of it is in memory only: a restart ends every verification. A verification belongs to whoever knows its id
(128 random bits) and the code, and to no connection: while somebody waits for a text message, phones change
networks and connections are lost. None of these steps looks up whether there is an account: so neither
answers nor times can tell.
"""

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import blake2b
from hmac import compare_digest
from math import ceil
from secrets import randbelow, token_bytes, token_urlsafe

from safeum_home.accounts.numbers import e164
from safeum_home.accounts.verification_machine import Progress, VerificationMachine, new_verification
from safeum_home.config import LimitSection, NumberSection
from safeum_home.errors import Code, Problem
from safeum_home.limits import RateLimit, network
from safeum_home.ports import Caller, TextMessages
from safeum_home.protocol.commands import CodeSent, Verification, VerificationCreate, VerificationRequest
from safeum_home.protocol.commands.verification import NOTICE


@dataclass(frozen=True, slots=True)
class VerificationLimits:
    """How many verifications an address may begin, and how many codes a number is sent."""

    begun: RateLimit
    codes: RateLimit

    @classmethod
    def of(cls, section: LimitSection, now: Callable[[], float]) -> "VerificationLimits":
        return cls(
            RateLimit(section.verifications_per_address, section.verifications_per_address_burst, now),
            RateLimit(section.codes_per_number, section.codes_per_number_burst, now),
        )


@dataclass(frozen=True, slots=True)
class Proof:
    """A number that was proved. Say `refused` or `end` once it is known whether that lets in."""

    number: str
    machine: VerificationMachine


class Verifications:
    """Those that are under way. `now` is in seconds; `text` is what is sent, with `{code}` in it.

    `check_open` raises where nobody may sign up.
    """

    def __init__(
        self,
        texts: TextMessages,
        limits: VerificationLimits,
        section: NumberSection,
        now: Callable[[], float],
        check_open: Callable[[], None],
        text: str,
    ) -> None:
        self._texts = texts
        self._limits = limits
        self._section = section
        self._now = now
        self._check_open = check_open
        self._text = text
        self._key = token_bytes(32)
        # The one that expires first is the first: each has the same time from when it was put there.
        self._held: OrderedDict[str, tuple[Progress, VerificationMachine]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._held)

    def create(self, caller: Caller, params: VerificationCreate) -> Verification:
        # Said here, of all numbers alike, and not after a text message was paid for.
        self._check_open()
        number = e164(params.number)
        self._limits.begun.take(network(caller.host))
        name = token_urlsafe(16)
        progress = Progress(number, self._expiry())
        self._forget_old()
        self._held[name] = progress, new_verification(progress)
        seconds = ceil(self._section.code_seconds)
        return Verification(name, number, "operator_learns_location", NOTICE, seconds)

    async def request(self, caller: Caller, params: VerificationRequest) -> CodeSent:
        progress, machine = self._get(params.verification)
        machine.ready()
        self._check_delay(progress)
        machine.send()
        try:
            secret = await self._send(caller, params.verification, progress.number)
        except BaseException:
            machine.not_sent()
            raise
        machine.sent(secret, self._now(), self._expiry())
        if params.verification in self._held:
            self._held.move_to_end(params.verification)
        after = progress.resend_after
        seconds = ceil(self._section.code_seconds)
        return CodeSent(progress.tries_left, None if after is None else ceil(after), seconds)

    def prove(self, verification: str, code: str) -> Proof:
        """The number, where the code is right; raises `wrong_code`, `verification_over` and others."""
        progress, machine = self._get(verification)
        machine.check()
        if not compare_digest(progress.secret, self._hash(verification, code)):
            machine.wrong()
            if progress.tries_left <= 0:
                machine.end()
                raise Problem(Code.VERIFICATION_OVER, "too many wrong codes")
            raise Problem(Code.WRONG_CODE, f"tries left: {progress.tries_left}")
        machine.proved()
        if progress.proofs == 1:
            self._texts.used(progress.number)
        return Proof(progress.number, machine)

    async def _send(self, caller: Caller, verification: str, number: str) -> bytes:
        """Send a new code; what recognises it."""
        key = self._hash("", number)
        self._limits.codes.take(key)
        code = f"{randbelow(1_000_000):06}"
        try:
            await self._texts.send(number, self._text.replace("{code}", code), caller.host)
        except BaseException:
            self._limits.codes.take(key, -1.0)  # nothing was sent to it
            raise
        return self._hash(verification, code)

    def _check_delay(self, progress: Progress) -> None:
        now = self._now()
        if progress.codes and progress.resend_after is None:
            raise Problem(Code.RATE_LIMITED, "no more codes", retry_after=progress.expires - now)
        if now < progress.next_code:
            raise Problem(Code.RATE_LIMITED, retry_after=progress.next_code - now)

    def _get(self, verification: str) -> tuple[Progress, VerificationMachine]:
        held = self._held.get(verification)
        if held is None or held[0].expires <= self._now():
            raise Problem(Code.VERIFICATION_OVER)
        return held

    def _forget_old(self) -> None:
        """Make room for one, at the cost of the oldest."""
        now, held = self._now(), self._held
        while held and (len(held) >= self._section.verifications or _first(held).expires <= now):
            held.popitem(last=False)

    def _expiry(self) -> float:
        return self._now() + self._section.code_seconds

    def _hash(self, verification: str, text: str) -> bytes:
        return blake2b(f"{verification}\0{text}".encode(), digest_size=16, key=self._key).digest()


def _first(held: "OrderedDict[str, tuple[Progress, VerificationMachine]]") -> Progress:
    return next(iter(held.values()))[0]
