"""Whether another node can be told anything just now: asked for by an operator, before anybody writes."""

import msgspec

from federation.answers import SENSELESS, code_in
from federation.greeting import Request
from safeum_home.outgoing.answers import NoAnswer
from safeum_home.protocol.federation.transactions import HELLO_PATH, Hello

_LONGEST = 4096


async def check(request: Request, node: str) -> str:
    """Say hello to a node, as one does at a start; "" where it has taken that, else why not.

    So the way there was found, its certificate is good, it has fetched this one's keys, and neither keeps
    the other out. Why not is in the words of `outgoing.answers`, or a code that it gave.
    """
    try:
        answer = await request(node, "POST", HELLO_PATH, b"{}", _LONGEST)
    except NoAnswer as none:
        return none.reason
    if answer.status != 200:
        return code_in(answer.body) or SENSELESS
    try:
        msgspec.json.decode(answer.body, type=Hello)
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError):
        return SENSELESS
    return ""
