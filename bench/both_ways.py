"""Two people who write to each other at the same time, each over one connection."""

from bench.flows import NodeFlow, RelayFlow, is_answer
from bench.framing import Spans
from bench.wire import Line, OnFrames


class _Half:
    """One of the two roles that a connection has in a conversation: it sends, or it receives."""

    def __init__(self, line: Line) -> None:
        self.send = line.send
        self.on_frames: OnFrames = lambda data, spans: None


class _Both(_Half):
    """A connection to a node: answers are for the half that sends, all else for the one that receives."""

    def __init__(self, line: Line) -> None:
        super().__init__(line)
        self.sending, self.receiving = _Half(line), _Half(line)
        line.on_frames = self._sort

    def _sort(self, data: bytes, spans: Spans) -> None:
        answers = [span for span in spans if is_answer(data, span[0])]
        if len(answers) < len(spans):
            others = spans if not answers else [span for span in spans if not is_answer(data, span[0])]
            self.receiving.on_frames(data, others)
        if answers:
            self.sending.on_frames(data, answers)


def node_flows(first: Line, second: Line, chat: str, run: str) -> list[NodeFlow]:
    """There and back, between two nodes. `run` is as for `NodeFlow`."""
    one, other = _Both(first), _Both(second)
    return [
        NodeFlow(one.sending, other.receiving, chat, run),
        NodeFlow(other.sending, one.receiving, chat, run),
    ]


def relay_flows(first: Line, second: Line) -> list[RelayFlow]:
    """There and back, through the relay: all that comes on a connection is what the other one has sent."""
    return [RelayFlow(_Half(first), second), RelayFlow(_Half(second), first)]
