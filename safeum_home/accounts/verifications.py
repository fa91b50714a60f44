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
from safeum_home.limits import RateLimit, network, site
from safeum_home.ports import Caller, TextMessages
from safeum_home.protocol.commands import CodeSent, Verification, VerificationCreate, VerificationRequest
from safeum_home.protocol.commands.verification import NOTICE

_Held = OrderedDict[str, tuple[Progress, VerificationMachine]]
SITE = 10
"""How many times more verifications an IPv6 /48 may begin than an address."""
_NOT_ASKED = (Code.RATE_LIMITED, Code.BUSY, Code.INVALID_PARAMS)
"""Said only before a provider was asked; `sms_unavailable` may be said of a text that went out."""


@dataclass(frozen=True, slots=True)
class VerificationLimits:
    """How many verifications an address may begin, and how many codes a number is sent."""

    begun: RateLimit
    begun_by_site: RateLimit
    codes: RateLimit

    @classmethod
    def of(cls, section: LimitSection, now: Callable[[], float]) -> "VerificationLimits":
        rate, burst = section.verifications_per_address, section.verifications_per_address_burst
        return cls(
            RateLimit(rate, burst, now),
            RateLimit(rate * SITE, burst * SITE, now),
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
        # Apart, so that beginning any number of them, which is free, ends none that somebody has a code of.
        # In each the one that expires first is the first: all have the same time from when they came there.
        self._begun, self._sent = _Held(), _Held()

    def __len__(self) -> int:
        return len(self._begun) + len(self._sent)

    def create(self, caller: Caller, params: VerificationCreate) -> Verification:
        # Said here, of all numbers alike, and not after a text message was paid for.
        self._check_open()
        number = e164(params.number)
        self._limits.begun.take(network(caller.host))
        try:
            self._limits.begun_by_site.take(site(caller.host))
        except Problem:
            self._limits.begun.give_back(network(caller.host))
            raise
        name = token_urlsafe(16)
        progress = Progress(number, self._expiry())
        self._put(self._begun, name, (progress, new_verification(progress)))
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
        # Also where others have pushed it out meanwhile: its code is on its way.
        for held in (self._begun, self._sent):
            held.pop(params.verification, None)
        self._put(self._sent, params.verification, (progress, machine))
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
        except Problem as problem:
            if problem.code in _NOT_ASKED:
                self._limits.codes.give_back(key)
            raise
        return self._hash(verification, code)

    def _check_delay(self, progress: Progress) -> None:
        now = self._now()
        if progress.codes and progress.resend_after is None:
            raise Problem(Code.RATE_LIMITED, "no more codes", retry_after=progress.expires - now)
        if now < progress.next_code:
            raise Problem(Code.RATE_LIMITED, retry_after=progress.next_code - now)

    def _get(self, verification: str) -> tuple[Progress, VerificationMachine]:
        held = self._sent.get(verification) or self._begun.get(verification)
        if held is None or held[0].expires <= self._now():
            raise Problem(Code.VERIFICATION_OVER)
        return held

    def _put(self, held: "_Held", name: str, one: tuple[Progress, VerificationMachine]) -> None:
        """Make it the newest of those in `held`, at the cost of the oldest there."""
        now = self._now()
        for each in (self._begun, self._sent):
            while each and next(iter(each.values()))[0].expires <= now:
                each.popitem(last=False)
        while len(held) >= self._section.verifications:
            held.popitem(last=False)
        held[name] = one

    def _expiry(self) -> float:
        return self._now() + self._section.code_seconds

    def _hash(self, verification: str, text: str) -> bytes:
        return blake2b(f"{verification}\0{text}".encode(), digest_size=16, key=self._key).digest()
