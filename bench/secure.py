"""What secure chats cost clients: no node takes part in it."""

from collections.abc import Iterator

from bench.comparing import Line
from bench.options import Options
from tests.secure_timing import EPOCH, SIZE, TEXT, Cost, in_javascript, in_python

ROUNDS = 60


def measures(options: Options) -> Iterator[Line]:
    """A message of 200 octets in a group of 50, in both languages."""
    rounds = options.scaled(ROUNDS)
    for language, measure in (("python", in_python), ("javascript", in_javascript)):
        yield {"language": language, "members": SIZE, "octets": len(TEXT), **_line(measure(rounds))}


def _line(cost: Cost) -> Line:
    """`ed25519_ratio`: taking a message against the verification alone that it needs, of the same minute."""
    return {
        "messages": cost.received,
        "epochs": cost.epochs,
        "epoch_messages": EPOCH,
        "say_us": round(cost.say, 1),
        "take_us": round(cost.take, 1),
        "sign_us": round(cost.sign, 1),
        "verify_us": round(cost.verify, 1),
        "ed25519_ratio": round(cost.take / cost.verify, 2),
    }
