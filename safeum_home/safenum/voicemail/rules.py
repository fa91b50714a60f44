"""What accounts have set for their voicemail: when it takes a call, and what callers hear. Sealed at rest."""

from collections.abc import Callable

import msgspec
from sqlalchemy import Connection

from safeum_home.damage import undamaged
from safeum_home.ids import AccountId
from safeum_home.ports import Database, Owner, Owners
from safeum_home.ports.voicemail import Unanswered
from safeum_home.protocol.voicemail_types import VoicemailRule
from safeum_home.storage import voicemails as rows

_encoder = msgspec.msgpack.Encoder()
_RULE, _GREETING = b"voicemail rule", b"voicemail greeting"


def takes(rule: VoicemailRule, why: Unanswered) -> bool:
    """Whether the voicemail takes a call that nobody has answered for this reason."""
    if not rule.enabled:
        return False
    return (
        rule.always
        or {
            Unanswered.NO_ANSWER: rule.no_answer,
            Unanswered.BUSY: rule.busy,
            Unanswered.DECLINED: rule.declined,
            Unanswered.OFFLINE: rule.offline,
            Unanswered.ALWAYS: rule.always,
        }[why]
    )


class MailboxRules:
    """Rows are sealed under the accounts' own keys, and go with the accounts."""

    def __init__(self, database: Database, owners: Owners) -> None:
        self._database = database
        self._owners = owners

    async def rule(self, account: AccountId) -> VoicemailRule:
        """That of an account; the one that all have at first, where it has set none. Raises `not_found`."""
        owner = await self._owners.need(account)
        return await self._database.read(lambda c: _rule(c, owner))

    async def greeting(self, account: AccountId) -> bytes | None:
        """An account's own greeting (Ogg Opus); None where it has none. Raises `not_found`."""
        owner = await self._owners.need(account)
        return await self._database.read(lambda c: _greeting(c, owner))

    async def has_greeting(self, account: AccountId) -> bool:
        owner = await self._owners.need(account)
        return await self._database.read(lambda c: rows.greeting(c, owner.blind) is not None)

    async def change(
        self, account: AccountId, change: Callable[[VoicemailRule], VoicemailRule]
    ) -> VoicemailRule:
        """Have another rule; done when it is on disk. Raises `not_found`."""
        owner = await self._owners.need(account)

        def store(c: Connection) -> VoicemailRule:
            rule = change(_rule(c, owner))
            _put(c, owner, rule, rows.greeting(c, owner.blind))
            return rule

        return await self._database.transact(store)

    async def greet(self, account: AccountId, greeting: bytes | None) -> None:
        """Have another greeting, or none of one's own; done when it is on disk. Raises `not_found`."""
        owner = await self._owners.need(account)
        sealed = None if greeting is None else owner.key.seal(greeting, _GREETING + owner.blind)
        await self._database.transact(lambda c: _put(c, owner, _rule(c, owner), sealed))


def _put(c: Connection, owner: Owner, rule: VoicemailRule, greeting: bytes | None) -> None:
    rows.put_mailbox(c, owner.blind, owner.key.seal(_encoder.encode(rule), _RULE + owner.blind), greeting)


def _rule(c: Connection, owner: Owner) -> VoicemailRule:
    sealed = rows.rule(c, owner.blind)

    def opened(row: bytes) -> VoicemailRule:
        return msgspec.msgpack.decode(owner.key.open(row, _RULE + owner.blind), type=VoicemailRule)

    found = undamaged([] if sealed is None else [sealed], opened, "rules of voicemail")
    return found[0] if found else VoicemailRule()


def _greeting(c: Connection, owner: Owner) -> bytes | None:
    sealed = rows.greeting(c, owner.blind)

    def opened(row: bytes) -> bytes:
        return owner.key.open(row, _GREETING + owner.blind)

    found = undamaged([] if sealed is None else [sealed], opened, "greetings")
    return found[0] if found else None
