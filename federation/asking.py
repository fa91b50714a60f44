"""Questions to other nodes, and what they answer."""

from typing import TypeVar

import msgspec
from msgspec import Struct

from federation.greeting import Request
from safeum_home.errors import Code, Problem
from safeum_home.outgoing.answers import NoAnswer
from safeum_home.protocol.federation.questions import NAME_OF
from safeum_home.protocol.federation.transactions import ASK_PATH
from safeum_home.protocol.frames import ProblemDetails

R = TypeVar("R", bound=Struct)
LONGEST_ANSWER = 256 * 1024
LONGEST_WAIT = 3600.0
PASSED_ON = {
    each.code: each
    for each in (
        Code.NOT_FOUND,
        Code.NOT_A_CONTACT,
        Code.WRONG_CONTACT_STATE,
        Code.LIMIT_REACHED,
        Code.INVALID_PARAMS,
        Code.FEDERATION_REFUSED,
        Code.NOT_PERMITTED,
        Code.MESSAGE_GONE,
        Code.WRONG_MEMBER_STATE,
        Code.GROUP_FULL,
        Code.NOT_ACROSS_NODES,
        Code.INVALID_IMAGE,
        Code.ANIMATED_IMAGE,
        Code.CALL_OVER,
        Code.CALL_EXISTS,
        Code.CONFERENCE_FULL,
    )
}
"""What a node may refuse a question with, as far as it is told to who asked. All else: it gives no answer."""


async def ask(request: Request, node: str, question: Struct, result: type[R]) -> R:
    """Ask a node one of `protocol.federation.questions`.

    Raises `Problem`: one of `PASSED_ON`, `rate_limited`, or `node_unreachable`. Nothing that it says in
    words is passed on.
    """
    path = ASK_PATH + NAME_OF[type(question)]
    try:
        answer = await request(node, "POST", path, msgspec.json.encode(question), LONGEST_ANSWER)
    except NoAnswer:
        raise Problem(Code.NODE_UNREACHABLE) from None
    try:
        if answer.status == 200:
            return msgspec.json.decode(answer.body, type=result)
        problem = msgspec.json.decode(answer.body, type=ProblemDetails)
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError):
        raise Problem(Code.NODE_UNREACHABLE) from None
    if problem.code == Code.RATE_LIMITED.code:
        raise Problem(Code.RATE_LIMITED, retry_after=min(problem.retry_after or 1.0, LONGEST_WAIT))
    raise Problem(PASSED_ON.get(problem.code, Code.NODE_UNREACHABLE))
