"""The way that media takes to one other device: a link at a time, each with a number, the epoch.

A link that has failed is not mended: another is offered in its place. What a link that was given up still has
to say is not heard.
"""

import re
from collections.abc import Callable, Sequence
from typing import Protocol

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger
from twisted.python.failure import Failure

from safeum_home.client.calling.media import Flow, MediaLink, MediaSource, Relay
from safeum_home.client.calling.payloads import (
    LINE_PATTERN,
    MOST_EPOCHS,
    MOST_SDP,
    Candidate,
    DescriptionKind,
)
from safeum_home.client.calling.timer import Timer
from safeum_home.errors import Problem
from safeum_home.limits import RateLimit

MOST_CANDIDATES = 64
"""Addresses of one epoch, of each side: those beyond are left out."""
OFFERS, OFFERS_SECONDS = 5, 1.0
"""So many that the other offers are answered at once, then one in so many seconds: each opens sockets."""
Relays = Callable[[], "Deferred[Sequence[Relay]]"]
"""Says which relays there are now; it never fails."""
_log = Logger()


class Described(Protocol):
    """Where a way tells what has come of it."""

    def describe(self, kind: DescriptionKind, epoch: int, sdp: str) -> None:
        """The other has to be told this."""

    def say(self, payload: Candidate) -> None:
        """And this."""

    def flow(self, flow: Flow) -> None:
        """How it is with the link of now."""


class Way:
    """It may begin before it is known whom it leads to: `attach` is told what there is by then."""

    def __init__(
        self, source: MediaSource, relays: Relays, clock: IReactorTime, *, video: bool, relay_only: bool
    ) -> None:
        self._source = source
        self._relays = relays
        self._offers = RateLimit(1 / OFFERS_SECONDS, OFFERS, clock.seconds)
        self._later = Timer(clock)
        """Until an offer is answered."""
        self._video = video
        self._relay_only = relay_only
        self._told: Described | None = None
        self._waiting: list[Callable[[Described], None]] = []
        self._media: MediaLink | None = None
        self._found: list[str] | None = []
        """Addresses of this side that wait for its description; None once that was told."""
        self._early: list[str] = []
        """Addresses of the other that wait for the link."""
        self._candidates = self._theirs = 0
        self._sends = (True, True)
        self._closed = False
        self.epoch = -1

    def attach(self, told: Described) -> bool:
        """Who is told from now on. Whether it was begun before anybody was."""
        begun = self._told is None and self.epoch >= 0
        self._told = told
        waiting, self._waiting = self._waiting, []
        for each in waiting:
            each(told)
        return begun

    def _tell(self, what: Callable[[Described], None]) -> None:
        if self._told is not None:
            what(self._told)
        elif len(self._waiting) <= MOST_CANDIDATES:
            self._waiting.append(what)

    # --- this side

    def expect(self) -> None:
        """A link will be wanted soon: ask for relays now."""
        self._relays()

    def offer(self) -> None:
        """Begin another link, as the initiator."""
        if self.epoch + 1 < MOST_EPOCHS:
            self._renew(self.epoch + 1)
            self._make(self.epoch, DescriptionKind.OFFER, lambda media: media.offer())

    def is_newer(self, epoch: int) -> bool:
        """Whether it is of a link that was not there yet."""
        return epoch > self.epoch

    def offered(self, epoch: int, sdp: str) -> None:
        """The other has: begin one, as the responder. Of too many the newest is answered, later."""
        self._renew(epoch)
        self._answer(epoch, sdp)

    def _answer(self, epoch: int, sdp: str) -> None:
        try:
            self._offers.take(None)
        except Problem as wait:
            self._later.start(wait.retry_after or OFFERS_SECONDS, lambda: self._answer(epoch, sdp))
        else:
            self._make(epoch, DescriptionKind.ANSWER, lambda media: media.answer(sdp))

    def _renew(self, epoch: int) -> None:
        """Nothing of what was there before counts any more."""
        self._drop()
        self.epoch, self._found, self._early, self._candidates, self._theirs = epoch, [], [], 0, 0

    def _make(
        self, epoch: int, kind: DescriptionKind, describe: Callable[[MediaLink], "Deferred[str]"]
    ) -> None:
        self._watch(epoch, Deferred.fromCoroutine(self._describe(epoch, kind, describe)))

    async def _describe(
        self, epoch: int, kind: DescriptionKind, describe: Callable[[MediaLink], "Deferred[str]"]
    ) -> None:
        relays = await self._relays()
        if self._over(epoch):
            return
        if self._relay_only and not relays:
            raise ValueError("there is no relay")
        media = self._media = self._source.link(
            relays,
            video=self._video,
            relay_only=self._relay_only,
            on_flow=lambda flow: self._flow(epoch, flow),
            on_candidate=lambda line: self._finds(epoch, line),
        )
        media.send(audio=self._sends[0], video=self._sends[1])
        describing = describe(media)
        early, self._early = self._early, []
        for line in early if kind is DescriptionKind.ANSWER else []:
            self._watch(epoch, media.candidate(line))
        sdp = await describing
        if not 0 < len(sdp) <= MOST_SDP:
            raise ValueError(f"a description of {len(sdp)} characters")
        if self._over(epoch):
            return
        self._tell(lambda told: told.describe(kind, epoch, sdp))
        found, self._found = self._found or [], None
        for line in found:
            self._tell_candidate(epoch, line)

    def _watch(self, epoch: int, step: "Deferred[None]") -> None:
        def failed(failure: Failure) -> None:
            if failure.check(ValueError) is None:
                _log.failure("A media link failed", failure)
            self._flow(epoch, Flow.FAILED)

        step.addErrback(failed)

    def _over(self, epoch: int) -> bool:
        return self._closed or epoch != self.epoch

    def _flow(self, epoch: int, flow: Flow) -> None:
        if not self._over(epoch):
            self._tell(lambda told: told.flow(flow))

    def _finds(self, epoch: int, line: str) -> None:
        if self._over(epoch) or self._candidates >= MOST_CANDIDATES or not re.match(LINE_PATTERN, line):
            return
        self._candidates += 1
        if self._found is None:
            self._tell_candidate(epoch, line)
        else:
            self._found.append(line)

    def _tell_candidate(self, epoch: int, line: str) -> None:
        self._tell(lambda told: told.say(Candidate(epoch, line)))

    def send(self, *, audio: bool, video: bool) -> None:
        """What of this side's goes to the other, on this link and those to come."""
        self._sends = audio, video
        if self._media is not None:
            self._media.send(audio=audio, video=video)

    # --- the other side

    def answered(self, epoch: int, sdp: str) -> None:
        """The other has answered; of an epoch that is over nothing happens."""
        if self._media is not None and not self._over(epoch):
            self._watch(epoch, self._media.answered(sdp))

    def candidate(self, epoch: int, line: str) -> None:
        """The other can be reached there, too."""
        if self._over(epoch) or self._theirs >= MOST_CANDIDATES:
            return
        self._theirs += 1
        if self._media is None:
            self._early.append(line)
        else:
            self._watch(epoch, self._media.candidate(line))

    def close(self) -> None:
        """It is over; twice is harmless."""
        self._closed = True
        self._waiting.clear()
        self._drop()

    def _drop(self) -> None:
        self._later.stop()
        media, self._media = self._media, None
        if media is not None:
            media.close().addErrback(lambda failure: _log.failure("Closing a media link failed", failure))
