"""Envelopes of one chat on their way to the node: the next one goes once the one before is there."""

from collections import deque
from collections.abc import Callable, Iterable

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import deferLater

from safeum_home.client.errors import ClientError, RemoteProblem
from safeum_home.client.methods.client_ids import new_client_id
from safeum_home.client.methods.group import GroupMethods
from safeum_home.client.secure.events import Post
from safeum_home.client.unlocked.sealed_bodies import body_of
from safeum_home.protocol.commands import Sent
from safeum_home.protocol.files import SealedFile
from safeum_home.spawn import spawn

MOST_WAIT = 30.0
"""Seconds between two tries, where the node does not ask for more."""


class Posting:
    """`sent` is told of each that is there, `refused` of all that will never be.

    Over reconnects one is the same message, by its `client_id`.
    """

    def __init__(
        self,
        client: GroupMethods,
        clock: IReactorTime,
        chat: str,
        sent: Callable[[Post, Sent], None],
        refused: Callable[[list[Post], ClientError], None],
    ) -> None:
        self._client = client
        self._clock = clock
        self._chat = chat
        self._sent = sent
        self._refused = refused
        self._posts: deque[Post] = deque()
        self._files: dict[str, SealedFile] = {}
        """Of those that tell of one, by their reference."""
        self._running: Deferred[None] | None = None
        self._busy = False

    def attach(self, reference: str, file: SealedFile) -> None:
        """What will be posted with this reference goes with a file."""
        self._files[reference] = file

    def detach(self, reference: str) -> None:
        """It will not."""
        self._files.pop(reference, None)

    def put(self, posts: Iterable[Post]) -> None:
        """In their order."""
        self._posts.extend(posts)
        if self._posts and not self._busy:
            self._busy = True
            self._running = spawn(self._run(), "posting into a secure chat")

    def close(self) -> None:
        """What is not there yet is dropped."""
        self._posts.clear()
        self._files.clear()
        if self._running is not None:
            self._running.cancel()

    async def _run(self) -> None:
        try:
            while self._posts:
                post = self._posts[0]
                try:
                    sent = await self._send(post)
                except ClientError as error:
                    gone, self._posts = list(self._posts), deque()
                    self._refused(gone, error)
                    continue
                if self._posts and self._posts[0] is post:
                    self._posts.popleft()
                    self._sent(post, sent)
        finally:
            self._busy = False

    async def _send(self, post: Post) -> Sent:
        client_id, wait = new_client_id(self._clock.seconds() * 1000), 1.0
        body = body_of(post, self._files.pop(post.reference or "", None))
        while True:
            try:
                return await self._client.send_body(self._chat, body, client_id)
            except RemoteProblem as error:
                if not error.passing:
                    raise
                await deferLater(self._clock, max(wait, error.retry_after or 0.0))
                wait = min(2 * wait, MOST_WAIT)
