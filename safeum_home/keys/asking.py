"""Keys of accounts of other nodes: these are asked, and what they answer is held for a moment."""

from collections import OrderedDict
from collections.abc import Callable, Sequence
from typing import Any

from twisted.internet.defer import Deferred, FirstError, TimeoutError, gatherResults
from twisted.logger import Logger

from safeum_home.errors import Code, Problem
from safeum_home.ids import AccountId
from safeum_home.keys.answers import Untrue, believed
from safeum_home.keys.hearing import ForeignKeys, News
from safeum_home.keys.log import Entry
from safeum_home.keys.shown import KeysShown
from safeum_home.ports import Database
from safeum_home.ports.federation import Peers
from safeum_home.protocol.federation.events import node_of
from safeum_home.protocol.federation.questions import KeysHeld, KeysOf
from safeum_home.protocol.key_types import AccountKeys

PATIENCE = 3.0
"""Seconds for which a node is waited for."""
FRESH = 10.0
"""Seconds for which an answer is good, and for which a node that gave none is left alone."""
MOST_HELD = 20_000
_log = Logger()

InThread = Callable[[Callable[[], Any]], "Deferred[Any]"]


class Remembered:
    """What is good for `FRESH` seconds, by what it is of: a bounded number, the oldest go first."""

    def __init__(self, seconds: Callable[[], float]) -> None:
        self._seconds = seconds
        self._held: OrderedDict[Any, tuple[float, Any]] = OrderedDict()

    def get(self, key: Any) -> Any:
        """None where there is nothing, or no more."""
        until, value = self._held.get(key, (0.0, None))
        return value if until > self._seconds() else None

    def put(self, key: Any, value: Any) -> None:
        self._held.pop(key, None)
        self._held[key] = self._seconds() + FRESH, value
        while len(self._held) > MOST_HELD or next(iter(self._held.values()))[0] <= self._seconds():
            self._held.popitem(last=False)


class KeysElsewhere:
    """`keys.queries.Elsewhere`. `clock` provides IReactorTime; `in_thread` runs what takes its time."""

    def __init__(
        self,
        clock: Any,
        database: Database,
        peers: Peers,
        shown: KeysShown,
        heard: ForeignKeys,
        now: Callable[[], int],
        in_thread: InThread,
    ) -> None:
        """`now` is in milliseconds."""
        self._clock = clock
        self._database = database
        self._peers = peers
        self._shown = shown
        self._heard = heard
        self._now = now
        self._in_thread = in_thread
        self._answers = Remembered(clock.seconds)
        """Of account and viewer: a node shows each no more than it is to see."""
        self._silent = Remembered(clock.seconds)

    async def of(
        self, viewer: AccountId, accounts: Sequence[AccountId], launches: bool
    ) -> dict[AccountId, AccountKeys]:
        """What cannot be had within `PATIENCE` seconds is `unavailable`, with the hash that is known."""
        known = await self._shown.known(viewer, accounts)
        found: dict[AccountId, AccountKeys] = {}
        by_node: dict[str, list[AccountId]] = {}
        for account, entry in known.entries.items():
            held = None if launches else self._answers.get((viewer, account))
            if held is not None and entry is not None and held.hash == entry.hash:
                found[account] = held
            else:
                by_node.setdefault(node_of(account), []).append(account)
        asking = [
            Deferred.fromCoroutine(self._ask(node, viewer, asked, launches))
            for node, asked in by_node.items()
        ]
        try:
            for answer in await gatherResults(asking, consumeErrors=True):
                found.update(answer)
        except FirstError as error:
            error.subFailure.raiseException()
        return found

    async def _ask(
        self, node: str, viewer: AccountId, asked: list[AccountId], launches: bool
    ) -> dict[AccountId, AccountKeys]:
        answer = await self._answered(node, KeysOf(viewer, list(asked), launches), asked)
        # They may have changed while the node was asked.
        known = await self._database.read(lambda c: self._shown.newest(c, asked))
        news = {}
        for account in asked:
            said = answer.get(account)
            if said is None or said.hash is None or said.since is None:
                continue
            if not _is_known(known[account], said):
                news[account] = News(said.hash, said.since)
        learned = await self._heard.learn(news) if news else set()
        found = {}
        for account in asked:
            said = answer.get(account)
            if said is None or said.hash is None:
                found[account] = _as_known(account, known[account], said)
            elif account in news and account not in learned:
                found[account] = _as_known(account, known[account], None)
            else:
                found[account] = said
                if said.identity is not None and not launches:  # else they are asked for each time
                    self._answers.put((viewer, account), said)
        return found

    async def _answered(
        self, node: str, question: KeysOf, asked: list[AccountId]
    ) -> dict[AccountId, AccountKeys]:
        """What a node says, as far as that is believed; nothing where it is not there."""
        if self._silent.get(node):
            return {}
        try:
            told = await self._peers.ask(node, question, KeysHeld).addTimeout(PATIENCE, self._clock)
            now = self._now()
            answer: dict[AccountId, AccountKeys] = await self._in_thread(
                lambda: believed(asked, told.keys, now)
            )
        except (Problem, TimeoutError) as error:
            # A refusal is of this question: others may be answered all the same.
            if not isinstance(error, Problem) or error.code is Code.NODE_UNREACHABLE:
                self._silent.put(node, True)
            return {}
        except Untrue:
            _log.warn("{node} has answered with keys that nobody has asked it for.", node=node)
            self._silent.put(node, True)
            return {}
        return answer


def _is_known(entry: Entry | None, said: AccountKeys) -> bool:
    return entry is not None and entry.hash == said.hash and entry.at >= (said.since or 0)


def _as_known(account: AccountId, entry: Entry | None, said: AccountKeys | None) -> AccountKeys:
    """The hash that is known stands, also where a node says that there are no keys."""
    launches = () if said is None else said.launches
    if entry is None:
        return AccountKeys(account, unavailable=said is None, launches=launches)
    if not entry.is_readable:
        return AccountKeys(account, unavailable=True, launches=launches)
    return AccountKeys(account, entry.hash, entry.at, None, True, launches)
