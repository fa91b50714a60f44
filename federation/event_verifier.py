"""Whether events are by the nodes of their senders: those of a batch together, each with its own answer."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from twisted.internet.defer import Deferred, gatherResults

from federation.key_cache import EVERY, KeyCache
from federation.own_keys import OwnKeys
from federation.policy import Policy
from safeum_home.errors import Code, Problem
from safeum_home.protocol.federation.events import Event, key_ids, read_event, verify_event
from safeum_home.protocol.federation.keys import VerifyKeys

InThread = Callable[[Callable[[], Any]], "Deferred[Any]"]
MayPassOn = Callable[[Event], bool]
"""Whether who sends an event of another node may do so: the home of a group, of its members."""


def _nobody(event: Event) -> bool:
    return False


class EventVerifier:
    """Verifies batches off the reactor's thread; keys are fetched for those alone that may be there."""

    def __init__(self, node: str, policy: Policy, keys: KeyCache, own: OwnKeys, in_thread: InThread) -> None:
        """`node` is this one: events of its own may come back to it, and need no fetch."""
        self._node = node
        self._policy = policy
        self._keys = keys
        self._own = own
        self._in_thread = in_thread

    async def verified(
        self, batch: Sequence[bytes], origin: str, may_pass_on: MayPassOn = _nobody
    ) -> list[Event | Problem]:
        """Each event of a batch that `origin` has sent, or why it is refused, in their order.

        They are `malformed_event`, `wrong_sender_node`, `unknown_key`, `bad_signature`, `federation_refused`;
        and `node_unreachable` and `busy`, which pass, where the keys of a node could not be fetched. What
        `origin` says itself needs a key in force, and has `retry_after` where that is not known; what it
        passes on may have an old one: see `VerifyKeys.at`.
        """
        # Mostly all are of who sends them, and its keys are here: then there is nothing to wait for.
        held = self._keys.held(origin)
        read: list[Event | Problem]
        read, are_verified = await self._in_thread(lambda: _read_all(batch, origin, held))
        if are_verified:
            return read
        allowed = [self._allowed(each, origin, may_pass_on) for each in read]
        wanted: dict[str, set[str]] = {}
        for each in allowed:
            if isinstance(each, Event):
                wanted.setdefault(each.node, set()).update(key_ids(each))
        fetching = [Deferred.fromCoroutine(self._of(node, ids)) for node, ids in wanted.items()]
        keys = dict(zip(wanted, await gatherResults(fetching), strict=True))
        checked: list[Event | Problem] = await self._in_thread(
            lambda: [_verified(each, origin, keys) for each in allowed]
        )
        for node in {each.node for each in checked if isinstance(each, Event)} - {origin}:
            self._keys.proven(node)
        return checked

    def _allowed(self, event: Event | Problem, origin: str, may_pass_on: MayPassOn) -> Event | Problem:
        if isinstance(event, Problem) or event.node == origin:
            return event
        if not may_pass_on(event):
            return Problem(Code.WRONG_SENDER_NODE, "the node that sends it is not the node of its sender")
        if event.node != self._node and not self._policy.allows(event.node):
            return Problem(Code.FEDERATION_REFUSED)
        return event

    async def _of(self, node: str, key_ids: set[str]) -> VerifyKeys | Problem:
        if node == self._node:
            return self._own.verify_keys()
        try:
            return await self._keys.keys(node, lambda keys: key_ids <= keys.current.keys() | keys.old.keys())
        except Problem as problem:
            return problem


def _read_all(
    batch: Sequence[bytes], origin: str, held: VerifyKeys | None
) -> tuple[list[Event | Problem], bool]:
    """A batch, and whether it is verified: where all of it is of its `origin`, by keys that are `held`."""
    read = [_read(octets) for octets in batch]
    if held is None:
        return read, False
    known = held.current.keys() | held.old.keys()
    for each in read:
        if isinstance(each, Event) and not (each.node == origin and key_ids(each) <= known):
            return read, False
    return [_verified(each, origin, {origin: held}) for each in read], True


def _read(octets: bytes) -> Event | Problem:
    try:
        return read_event(octets)
    except Problem as problem:
        return problem


def _verified(
    event: Event | Problem, origin: str, keys: Mapping[str, VerifyKeys | Problem]
) -> Event | Problem:
    if isinstance(event, Problem):
        return event
    published = keys[event.node]
    if isinstance(published, Problem):
        return published
    try:
        verify_event(event, published.current if event.node == origin else published.at(event.at))
    except Problem as problem:
        if problem.code is Code.UNKNOWN_KEY and event.node == origin:
            return Problem(problem.code, retry_after=EVERY)  # it knows by itself which key it has
        return problem
    return event
