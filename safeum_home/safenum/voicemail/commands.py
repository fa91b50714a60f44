"""The commands `voicemail.*`."""

from collections.abc import Callable

from msgspec import UNSET, structs

from safeum_home.errors import Code, Problem
from safeum_home.ids import AccountId, ChatId
from safeum_home.limits import RateLimit
from safeum_home.ports import Caller
from safeum_home.ports.voicemail import Answering
from safeum_home.protocol.command import Done
from safeum_home.protocol.commands.voicemail import (
    VoicemailGet,
    VoicemailGreetingGet,
    VoicemailGreetingKept,
    VoicemailGreetingRemove,
    VoicemailGreetingSet,
    VoicemailSet,
    VoicemailState,
)
from safeum_home.protocol.voicemail_types import MAX_GREETING, VoicemailRule
from safeum_home.safenum.voicemail.rules import MailboxRules


class VoicemailCommands:
    """Rules can be set also while nothing answers: a node may get a carrier later."""

    def __init__(
        self,
        answering: Answering,
        rules: MailboxRules,
        chat: Callable[[AccountId], ChatId],
        greeting: bytes,
        seconds: int,
        days: int,
        limit: RateLimit,
    ) -> None:
        """`chat` tells an account's voicemail chat; `limit` is of new greetings, for each account."""
        self._answering = answering
        self._rules = rules
        self._chat = chat
        self._greeting = greeting
        self._seconds = seconds
        self._days = days
        self._limit = limit

    async def get(self, caller: Caller, params: VoicemailGet) -> VoicemailState:
        return await self._state(caller.account, await self._rules.rule(caller.account))

    async def set(self, caller: Caller, params: VoicemailSet) -> VoicemailState:
        wanted = {name: value for name, value in structs.asdict(params).items() if value is not UNSET}
        rule = await self._rules.change(caller.account, lambda rule: structs.replace(rule, **wanted))
        return await self._state(caller.account, rule)

    async def greeting_set(self, caller: Caller, params: VoicemailGreetingSet) -> VoicemailGreetingKept:
        self._limit.take(caller.account)
        greeting = await self._answering.greeting(params.data)
        if len(greeting) > MAX_GREETING:
            raise Problem(Code.BAD_GREETING)
        await self._rules.greet(caller.account, greeting)
        return VoicemailGreetingKept(greeting)

    async def greeting_get(self, caller: Caller, params: VoicemailGreetingGet) -> VoicemailGreetingKept:
        return VoicemailGreetingKept(await self._rules.greeting(caller.account) or self._greeting)

    async def greeting_remove(self, caller: Caller, params: VoicemailGreetingRemove) -> Done:
        await self._rules.greet(caller.account, None)
        return Done()

    async def _state(self, account: AccountId, rule: VoicemailRule) -> VoicemailState:
        return VoicemailState(
            rule,
            await self._rules.has_greeting(account),
            self._chat(account),
            self._answering.is_up,
            self._seconds,
            self._days,
        )
