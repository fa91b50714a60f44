"""A greeting that somebody has recorded, checked and made anew: its process does that, and ends.

It reads the file from its standard input and writes Ogg Opus to its standard output, or ends with an exit
code that is not 0. What decodes what strangers send has nothing else to do, so nothing can be taken from it.
"""

import sys

from safeum_home.answering.confining import confine
from safeum_home.answering.hearing import PIECE, is_silence
from safeum_home.answering.opus import NoSound, OpusWriter, decoded
from safeum_home.answering.wire import MOST_GREETING

MOST_SECONDS = 30.0
PROCESSOR_SECONDS = 20
BIT_RATE = 9_000
"""So 30 seconds fit a frame, in base64."""


def remade(octets: bytes) -> bytes:
    """The sound of a file as Ogg Opus; raises `NoSound`, also where nothing is heard in it."""
    samples = decoded(octets, MOST_SECONDS)
    pieces = [samples[start : start + PIECE] for start in range(0, len(samples), PIECE)]
    if all(map(is_silence, pieces)):
        raise NoSound("nothing is heard in it")
    writer = OpusWriter(BIT_RATE)
    for piece in pieces:
        writer.add(piece)
    writer.end()
    made = writer.take()
    if len(made) > MOST_GREETING:
        raise NoSound("it is too long")
    return made


def main() -> int:
    # What is imported late is imported by this.
    remade_once = OpusWriter()
    remade_once.end()
    confine(16, PROCESSOR_SECONDS)
    octets = sys.stdin.buffer.read(MOST_GREETING + 1)
    if len(octets) > MOST_GREETING:
        return 2
    try:
        made = remade(octets)
    except NoSound:
        return 2
    sys.stdout.buffer.write(made)
    sys.stdout.buffer.flush()
    return 0


if __name__ == "__main__":
    sys.exit(main())
