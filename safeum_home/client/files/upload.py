"""One upload of a client over tus 1.0: what the node has of it, and what is still to be sent."""

from base64 import b64encode
from collections.abc import Awaitable, Callable

from safeum_home.client.connection.web import Source, Web
from safeum_home.client.errors import BadAnswer, RemoteProblem
from safeum_home.errors import Code, Problem
from safeum_home.protocol.commands import UploadTicket
from safeum_home.protocol.files import OFFSET_TYPE, TUS_VERSION, UPLOADS_PATH
from safeum_home.protocol.frames import problem_details


class FileTooLarge(RemoteProblem):
    """`too_large`, before an octet was sent. `most` is what the node takes, in octets."""

    def __init__(self, most: int) -> None:
        problem = Problem(Code.TOO_LARGE, f"{most} octets are the most")
        super().__init__(problem_details(problem), problem.code.value.rpc)
        self.most = most


class Upload:
    """`ticket` asks the node for one, given the file's id where the upload was begun."""

    piece: int | None = None
    """Octets that are sent at the most before the node has acknowledged them."""

    def __init__(
        self,
        web: Web,
        ticket: Callable[[str | None], Awaitable[UploadTicket]],
        source: Source,
        size: int,
        kind: str,
        progress: Callable[[int, int], object] | None,
    ) -> None:
        self._web = web
        self._ask_ticket = ticket
        self._source = source
        self._size = size
        self._kind = kind
        self._progress = progress
        self.file: str | None = None
        self.offset = 0
        """What the node has said that it has."""

    async def go_on(self) -> None:
        """Send the rest; raises where that did not get to its end."""
        try:
            ticket = await self._ask_ticket(self.file)
        except RemoteProblem as error:
            if self.file is None or not error.of(Code.NOT_FOUND):
                raise
            # The node has thrown it away: begin anew.
            self.file, self.offset = None, 0
            ticket = await self._ask_ticket(None)
        if self._size > ticket.largest:
            raise FileTooLarge(ticket.largest)
        fields = {"Tus-Resumable": TUS_VERSION, "Authorization": f"Bearer {ticket.ticket}"}
        if self.file is None:
            await self._create(fields)
        else:
            self.offset = await self._told("HEAD", fields)
            self._acknowledged()
        while self.offset < self._size:
            await self._send(fields)
            self._acknowledged()

    def _begun(self) -> None:
        """The node has a new upload, with nothing in it."""

    def _acknowledged(self) -> None:
        """The node has said how much it has: `offset`."""

    async def _create(self, fields: dict[str, str]) -> None:
        kind = b64encode(self._kind.encode()).decode()
        about = {"Upload-Length": str(self._size), "Upload-Metadata": f"filetype {kind}"}
        reply = await self._web.ask("POST", UPLOADS_PATH, {**fields, **about})
        start, _, file = (reply["Location"] or "").rpartition("/")
        if reply.status != 201 or not start.endswith(UPLOADS_PATH) or not file:
            raise BadAnswer("The node did not say where the upload is.")
        self.file, self.offset = file, 0
        self._begun()

    async def _send(self, fields: dict[str, str]) -> None:
        sent = self.offset

        def moved(octets: int) -> None:
            nonlocal sent
            sent += octets
            if self._progress is not None:
                self._progress(min(sent, self._size), self._size)

        about = {"Content-Type": OFFSET_TYPE, "Upload-Offset": str(self.offset)}
        length = min(self._size - self.offset, self.piece or self._size)
        end = self.offset + length
        self.offset = await self._told(
            "PATCH", {**fields, **about}, (self._source, self.offset, length), moved
        )
        if self.offset != end:
            raise BadAnswer("The node says that it has less of the file than was sent.")

    async def _told(
        self,
        method: str,
        fields: dict[str, str],
        source: tuple[Source, int, int] | None = None,
        moved: Callable[[int], object] = lambda octets: None,
    ) -> int:
        """Ask, and return the offset that the node tells."""
        reply = await self._web.ask(method, f"{UPLOADS_PATH}/{self.file}", fields, source=source, moved=moved)
        told = reply["Upload-Offset"] or ""
        if not told.isascii() or not told.isdigit() or int(told) > self._size:
            raise BadAnswer("The node did not say how far the upload is.")
        return int(told)
