"""The process that answers calls. It has two pipes to the node and UDP, and ends with the node."""

import asyncio
import sys
from contextlib import suppress
from typing import Any

from safeum_home.answering.call import AnsweredCall
from safeum_home.answering.confining import confine
from safeum_home.answering.opus import OpusWriter, decoded
from safeum_home.answering.wire import (
    Answer,
    Malformed,
    Press,
    Ready,
    Stop,
    ToNode,
    ToWorker,
    Unframing,
    framed,
    to_worker,
)

DESCRIPTORS = 4096
"""A call has some for each address of the machine."""
READ = 64 * 1024


class Worker:
    """The calls that are being answered, and the pipe to the node."""

    def __init__(self, pipe: asyncio.StreamWriter) -> None:
        self._pipe = pipe
        self._calls: dict[int, AnsweredCall] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    async def say(self, message: ToNode) -> None:
        """Tell the node. Where it does not read, its calls wait here, and what comes for them is left out."""
        self._pipe.write(framed(message))
        await self._pipe.drain()

    def hear(self, message: ToWorker) -> None:
        """What the node says."""
        if isinstance(message, Answer):
            self._answer(message)
        elif (call := self._calls.get(message.call)) is not None:
            if isinstance(message, Press):
                call.press(message.digits)
            elif isinstance(message, Stop):
                call.stop()

    def _answer(self, order: Answer) -> None:
        if order.call in self._calls:
            raise Malformed("there is such a call")
        call = self._calls[order.call] = AnsweredCall(order, self.say)
        task = asyncio.get_running_loop().create_task(call.run())
        self._tasks.add(task)

        def over(task: "asyncio.Task[None]") -> None:
            self._tasks.discard(task)
            del self._calls[order.call]

        task.add_done_callback(over)


async def serve(shut: tuple[str, ...]) -> None:
    """Until the node closes its pipe."""
    loop = asyncio.get_running_loop()
    # What a library has to say when a call breaks could tell who calls.
    loop.set_exception_handler(lambda loop, context: None)
    reader = asyncio.StreamReader()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin.buffer)
    transport, protocol = await loop.connect_write_pipe(_Drained, sys.stdout.buffer)
    writer = asyncio.StreamWriter(transport, protocol, None, loop)
    worker = Worker(writer)
    await worker.say(Ready(shut))
    unframing = Unframing(to_worker)
    while octets := await reader.read(READ):
        for message in unframing.take(octets):
            worker.hear(message)


class _Drained(asyncio.streams.FlowControlMixin):
    """The pipe to the node is only written."""

    def _get_close_waiter(self, stream: Any) -> "asyncio.Future[None]":
        closed: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        closed.set_result(None)
        return closed


def main() -> int:
    # What is imported late is imported by this.
    writer = OpusWriter()
    writer.end()
    decoded_nothing(writer.take())
    shut = confine(DESCRIPTORS)
    sys.stderr.close()
    try:
        asyncio.run(serve(shut))
    except (Malformed, ConnectionError):
        return 2
    return 0


def decoded_nothing(octets: bytes) -> None:
    """Have the decoder loaded."""
    with suppress(ValueError):
        decoded(octets, 1.0)


if __name__ == "__main__":
    sys.exit(main())
