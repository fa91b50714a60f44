"""What another node tells of a history: what it has erased is erased here, what is of before is passed over.

Whoever hears of a life that is not the present one has three cases: it is of before, and nothing comes of it;
nobody has told of it yet, as after a backup was put back, and it is heard of by that; or both have begun one
at once, and the one that follows from both is told back.
"""

from collections.abc import Callable

from sqlalchemy import Connection
from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import deferLater

from safeum_home.chats import lives
from safeum_home.chats.across.telling import Telling
from safeum_home.chats.contents import Chat
from safeum_home.chats.history_changes import Change, HistoryChanges, Switched
from safeum_home.chats.lives import HistoryState, Life
from safeum_home.chats.opening import ChatOpener
from safeum_home.chats.registry import ChatRegistry
from safeum_home.errors import Code, Problem
from safeum_home.ids import AccountId
from safeum_home.limits import RateLimit
from safeum_home.ports import Database, EpochTurns
from safeum_home.ports.federation import Applied
from safeum_home.protocol.federation.events import node_of
from safeum_home.spawn import spawn
from safeum_home.storage import owed


class LivesAcross:
    """Hears of them."""

    def __init__(
        self,
        clock: IReactorTime,
        database: Database,
        registry: ChatRegistry,
        opener: ChatOpener,
        changes: HistoryChanges,
        telling: Telling,
        turns: EpochTurns,
        after: tuple[Callable[[], object], ...],
        limit: RateLimit,
    ) -> None:
        """`after` has done what is due when the keyring was turned for what was erased.

        `limit` is how often an account has it turned.
        """
        self._clock = clock
        self._database = database
        self._registry = registry
        self._opener = opener
        self._changes = changes
        self._telling = telling
        self._turns = turns
        self._after = after
        self._limit = limit
        self._late = False

    async def caught_up(self, chat: Chat, sender: AccountId, life: Life) -> Chat:
        """The chat, in `life` or a later one; go on in the turn of the answer.

        Where this node has not heard of it, since it was put back from a backup, it erases what `sender` had
        erased before that.
        """
        if lives.is_known(life, lives.life_of(chat.record)):
            return chat
        heard = self.hear(chat, sender, HistoryState(life, False))
        try:
            heard.placed()
            await self._database.transact(heard.store)
            heard.publish()
        finally:
            heard.ended()
        if (again := await self._registry.load(chat.id)) is None:
            raise Problem(Code.NOT_A_CONTACT)
        return again

    def is_now(self, c: Connection, chat: Chat, node: str, life: Life) -> bool:
        """Whether what `node` tells is of the present life; else it hears (again) of that.

        Inside the transaction that would store it, of a chat that is not changing.
        """
        if lives.plain(life) == lives.life_of(chat.record):
            return True
        self._telling.history(c, (node,), chat.blind, False)
        return False

    def wake(self, node: str) -> None:
        """That it is to hear of the present life is committed."""
        self._telling.wake((node,))

    def hear(self, chat: Chat, sender: AccountId, told: HistoryState) -> Applied:
        """What comes of it that `sender`, a member, tells how the history is."""
        change: Change | None = None
        done: list[Switched] = []
        erased: list[bool] = []
        node = node_of(sender)
        self._registry.changing(chat.id)

        def placed() -> None:
            nonlocal change
            change = self._changes.take(chat.blind)

        def store(c: Connection) -> None:
            done.clear()
            erased.clear()
            opened = self._opener.read(c, chat.id)
            if opened is None or sender not in opened.members or change is None:
                raise Problem(Code.NOT_A_CONTACT)  # it was erased as a whole
            own = lives.state_of(opened.record)
            state = lives.merged(own, told)
            across = lives.told_of(opened.record, state.life, change.at) if state.life else None
            if state.life != own.life:
                done.append(self._changes.erase(c, opened, sender, change, kept=state.kept, across=across))
                self._telling.forget(c, (node,), opened.blind, change.position)
            elif state.kept and not own.kept:
                done.append(self._changes.keep(c, opened, sender, change, across))
            if state.life:
                # Also where it was known: who asks again has not got the receipt.
                owed.owe(c, opened.blind)
                erased.append(state.life != own.life)
            if state != HistoryState(lives.plain(told.life), told.kept):
                self._telling.history(c, (node,), opened.blind, False)

        def publish() -> None:
            for each in done:
                if change is not None:
                    self._changes.tell(each, change)
            self._telling.wake((node,))
            if erased:
                spawn(self.finish(sender, erased[0]), "what another node has erased")

        return Applied(store, publish, lambda: self._registry.changed(chat.id), placed)

    async def finish(self, account: AccountId, erased: bool) -> None:
        """Turn the keyring, where anything was erased, and have the receipt given."""
        if erased and not await self._turn(account):
            return
        for have_done in self._after:
            have_done()

    async def _turn(self, account: AccountId) -> bool:
        """Whether the keyring was turned. An account that switches all the time has to wait for that."""
        try:
            self._limit.take(account)
        except Problem as problem:
            if self._late:
                return False  # the turn that is waited for is for this as well
            self._late = True
            await deferLater(self._clock, problem.retry_after or 60.0)
            self._late = False
        try:
            await self._turns.turned()
        except Problem:
            return False  # the node stops: its next start makes it good
        return True
