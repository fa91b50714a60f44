"""What can go wrong for a client, as exceptions. All are `ClientError`s."""

from dataclasses import dataclass

from safeum_home.errors import Code, Problem
from safeum_home.protocol.frames import ProblemDetails, problem_details

_PASSING = frozenset(
    code.code
    for code in (Code.BUSY, Code.RATE_LIMITED, Code.STORAGE_UNAVAILABLE, Code.SEALED, Code.SHUTTING_DOWN)
)


UNTRUSTED = 1015
"""The close code (RFC 6455 section 7.4.1, never sent) for a node that is not the one it should be."""


ASLEEP = 4012
"""The close code of a connection that the node has put to sleep: what it has not answered it has not done."""


class ClientError(Exception):
    """Anything that this SDK raises."""


class RemoteProblem(ClientError):
    """The node refused a command. Act on `code`; `retry_after` is in seconds.

    Codes are texts, so that those of a newer node come through; compare with `Code.BUSY.code`, or
    with `error.of(Code.BUSY)`.
    """

    def __init__(self, details: ProblemDetails, rpc: int) -> None:
        super().__init__(f"{details.code}: {details.title if details.detail is None else details.detail}")
        self.details = details
        self.rpc = rpc

    @property
    def code(self) -> str:
        return self.details.code

    @property
    def title(self) -> str:
        return self.details.title

    @property
    def detail(self) -> str | None:
        return self.details.detail

    @property
    def retry_after(self) -> float | None:
        return self.details.retry_after

    @property
    def passing(self) -> bool:
        """Whether the same command may well succeed later."""
        return self.code in _PASSING

    def of(self, *codes: Code) -> bool:
        """Whether it is one of these."""
        return self.code in [code.code for code in codes]


def local(code: Code, detail: str | None = None) -> RemoteProblem:
    """A refusal that needs no node: the same exception, so that callers know only one."""
    problem = Problem(code, detail)
    return RemoteProblem(problem_details(problem), code.value.rpc)


class BadAnswer(ClientError):
    """The node's answer is not what this version of the protocol says."""


class TimedOut(ClientError):
    """No answer in time. What was asked may or may not have been done."""


@dataclass(frozen=True, slots=True)
class Closing:
    """How a connection ended: a WebSocket close code (RFC 6455 section 7.4; 1006 where none came)."""

    code: int
    reason: str


class Disconnected(ClientError):
    """The connection failed or was lost. What was asked may or may not have been done."""

    def __init__(self, closing: Closing) -> None:
        super().__init__(f"{closing.reason} ({closing.code})")
        self.closing = closing


class SessionEnded(ClientError):
    """The session is over for good: log in again. `reason` is for people."""

    def __init__(self, reason: str, code: int = 1000) -> None:
        super().__init__(reason)
        self.reason = reason
        self.code = code


class NoMedia(ClientError):
    """Sound or pictures cannot be had here. The text is for people."""
