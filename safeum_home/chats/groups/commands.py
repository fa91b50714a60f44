"""Groups: who makes them, comes and goes, and what each member may do to others."""

from collections.abc import Callable

from safeum_home import ids
from safeum_home.chats.groups.changes import Change, GroupChanges
from safeum_home.chats.groups.departures import DEPARTING, GroupLeaving
from safeum_home.chats.groups.draft import Draft, Entry
from safeum_home.chats.groups.entrance import JOINING, GroupEntrance
from safeum_home.chats.groups.rights import Action, changing_role, may
from safeum_home.chats.groups.roster import Role, RosterState
from safeum_home.chats.infos import ChatInfos
from safeum_home.chats.record import ChatRecord, GroupRecord
from safeum_home.chats.registry import ChatRegistry
from safeum_home.errors import Code, Problem
from safeum_home.ids import AccountId, ChatId
from safeum_home.ports import Blinder, Caller, Committed
from safeum_home.ports.premium import Premium
from safeum_home.protocol.commands import (
    Done,
    GroupAccept,
    GroupCreate,
    GroupCreated,
    GroupDecline,
    GroupInvite,
    GroupInvited,
    GroupLeave,
    GroupRemove,
    GroupSetRole,
)
from safeum_home.protocol.federation.groups import seed_kind
from safeum_home.protocol.group_types import SECURE_NAME, NotInvited
from safeum_home.protocol.signing import encode_octets

_ROLES = {role.word: role for role in Role}


class Groups:
    """The commands `group.create`, `invite`, `accept`, `decline`, `leave`, `remove` and `role`."""

    def __init__(
        self,
        node: str,
        blinder: Blinder,
        registry: ChatRegistry,
        infos: ChatInfos,
        changes: GroupChanges,
        entrance: GroupEntrance,
        leaving: GroupLeaving,
        erased: Callable[[], object],
        premium: Premium,
    ) -> None:
        """`erased` is called when a group was erased: its messages are to be swept away."""
        self._premium = premium
        self._node = node
        self._blinder = blinder
        self._registry = registry
        self._infos = infos
        self._changes = changes
        self._entrance = entrance
        self._leaving = leaving
        self._erased = erased

    # --- coming ----------------------------------------------------------------------------------

    async def create(self, caller: Caller, params: GroupCreate) -> Committed[GroupCreated]:
        owner = caller.account
        invited = _others(params.invite, owner)
        _check_secrecy(params, invited)
        # A keyed hash of what makes it, so that making it again is the same.
        kind = seed_kind(params.secure, params.pair)
        seed = kind + encode_octets(self._blinder.group(caller.device, params.client_id))
        chat_id = ids.group_id(self._node, seed)
        if (again := await self._made(owner, chat_id)) is not None:
            return again  # the answer was lost: that costs nothing
        if params.secure and not await self._premium.entitled(owner):
            raise Problem(Code.PREMIUM_NEEDED)
        limits = self._entrance.limits
        limits.changes.take(owner)
        if invited:
            limits.invitations.take(owner, len(invited))
        group = GroupRecord(
            self._node,
            params.name,
            params.about,
            earlier=params.earlier,
            seed=seed,
            secure=params.secure,
            pair=params.pair,
        )

        def work(draft: Draft) -> list[NotInvited]:
            self._entrance.check_room(draft.c, owner)
            draft.join(owner, None, Role.OWNER)
            if params.pair:  # with nobody else it would be none
                self._entrance.invite(draft, invited[0], owner)
                return []
            return self._invite(draft, invited, owner)

        positions = JOINING + len(invited)
        change = await self._changes.create(
            ChatRecord(chat_id, group=group), [owner, *invited], positions, work
        )
        if change is not None:
            return Committed(GroupCreated(self._infos.info(change.chat), change.result), change.publish)
        # It was asked for twice at once.
        limits.changes.give_back(owner)
        limits.invitations.give_back(owner, len(invited))
        if (again := await self._made(owner, chat_id)) is None:
            raise Problem(Code.NOT_FOUND)
        return again

    async def _made(self, owner: AccountId, chat_id: ChatId) -> Committed[GroupCreated] | None:
        """The answer about a group that was made before; None where there is none."""
        made = await self._registry.load(chat_id)
        if made is None or owner not in made.members:
            return None
        return Committed(GroupCreated(self._infos.info(made), []), _nothing)

    async def invite(self, caller: Caller, params: GroupInvite) -> Committed[GroupInvited]:
        invited = _others(params.accounts, caller.account)
        self._entrance.limits.invitations.take(caller.account, max(1, len(invited)))

        def work(draft: Draft) -> list[NotInvited]:
            draft.allowed(caller.account, Action.INVITE)
            if draft.group.pair and any(draft.stored(account) is None for account in invited):
                raise Problem(Code.GROUP_FULL)  # the two can come back
            refused = self._invite(draft, invited, caller.account)
            if invited and len(refused) == len(invited):
                code = next(code for code in Code if code.code == refused[0].code)
                raise Problem(code)
            return refused

        people = [caller.account, *invited]
        change = await self._changes.change(ChatId(params.chat), people, len(invited), work, caller.account)
        return Committed(GroupInvited(change.result), change.publish)

    def _invite(self, draft: Draft, invited: list[AccountId], by: AccountId) -> list[NotInvited]:
        refused = []
        for account in invited:
            try:
                self._entrance.invite(draft, account, by)
            except Problem as problem:
                refused.append(NotInvited(account, problem.code.code))
        return refused

    async def accept(self, caller: Caller, params: GroupAccept) -> Committed[Done]:
        def work(draft: Draft) -> None:
            found = draft.entry(caller.account)
            if found is not None and found.state is RosterState.MEMBER:
                return
            invited = _invited(found)
            self._entrance.admit(draft, caller.account, invited.by)

        return _done(await self._change(caller, params.chat, [], JOINING, work))

    async def decline(self, caller: Caller, params: GroupDecline) -> Committed[Done]:
        def work(draft: Draft) -> None:
            draft.part(_invited(draft.entry(caller.account)), RosterState.LEFT)

        return _done(await self._change(caller, params.chat, [], 1, work))

    # --- going -----------------------------------------------------------------------------------

    async def leave(self, caller: Caller, params: GroupLeave) -> Committed[Done]:
        def work(draft: Draft) -> bool:
            return self._leaving.depart(draft, draft.member(caller.account))

        change = await self._change(caller, params.chat, [], DEPARTING, work)
        if change.result:
            self._erased()
        return _done(change)

    async def remove(self, caller: Caller, params: GroupRemove) -> Committed[Done]:
        account = _other(params.account, caller)

        def work(draft: Draft) -> None:
            mine, theirs = draft.member(caller.account), draft.entry(account)
            if theirs is None or theirs.state not in (RosterState.INVITED, RosterState.MEMBER):
                raise Problem(Code.WRONG_MEMBER_STATE)
            member = theirs.state is RosterState.MEMBER
            if not (
                may(mine.role, Action.REMOVE, theirs.role) if member else may(mine.role, Action.WITHDRAW)
            ):
                raise Problem(Code.NOT_PERMITTED)
            draft.part(theirs, RosterState.REMOVED, caller.account)
            if member:
                draft.notice("removed", account, caller.account)

        return _done(await self._change(caller, params.chat, [account], 2, work))

    async def role(self, caller: Caller, params: GroupSetRole) -> Committed[Done]:
        account, role = _other(params.account, caller), _ROLES[params.role]

        def work(draft: Draft) -> None:
            mine, theirs = draft.member(caller.account), draft.entry(account)
            if theirs is None or theirs.state is not RosterState.MEMBER:
                raise Problem(Code.WRONG_MEMBER_STATE)
            if (action := changing_role(theirs.role, role)) is None:
                return
            if not may(mine.role, action, theirs.role):
                raise Problem(Code.NOT_PERMITTED)
            draft.put(account, RosterState.MEMBER, role, theirs.by, theirs.since)
            if action is Action.HAND_OVER:
                draft.put(mine.account, RosterState.MEMBER, Role.ADMIN, mine.by, mine.since)
            draft.notice(role.word, account, caller.account)

        return _done(await self._change(caller, params.chat, [account], 3, work))

    async def _change(
        self,
        caller: Caller,
        chat: str,
        others: list[AccountId],
        positions: int,
        work: Callable[[Draft], object],
    ) -> "Change[object]":
        self._entrance.limits.changes.take(caller.account)
        people = [caller.account, *others]
        return await self._changes.change(ChatId(chat), people, positions, work, caller.account)


def _check_secrecy(params: GroupCreate, invited: list[AccountId]) -> None:
    """Raises `invalid_params`, and `secure_only` where a secure chat would be called something in clear."""
    if params.pair and (not params.secure or len(invited) != 1):
        raise Problem(Code.INVALID_PARAMS, "a pair is a secure chat, into which one is invited")
    if params.secure and (params.name != SECURE_NAME or params.about):
        raise Problem(Code.SECURE_ONLY)


def _invited(entry: Entry | None) -> Entry:
    if entry is None or entry.state is not RosterState.INVITED:
        raise Problem(Code.NOT_FOUND)
    return entry


def _others(given: tuple[str, ...], caller: AccountId) -> list[AccountId]:
    return [AccountId(account) for account in dict.fromkeys(given) if account != caller]


def _other(account: str, caller: Caller) -> AccountId:
    if account == caller.account:
        raise Problem(Code.WRONG_MEMBER_STATE, "this is your own account")
    return AccountId(account)


def _done(change: Change[object]) -> Committed[Done]:
    return Committed(Done(), change.publish)


def _nothing() -> None:
    """Nothing is to be told."""
