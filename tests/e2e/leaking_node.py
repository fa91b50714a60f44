"""twistd with a node that leaks: what people write is written down in ways that tests must find.

`python -m tests.e2e.leaking_node` takes twistd's arguments. `LEAK` names the folder to write into.
"""

import mmap
import os
from base64 import b64encode
from pathlib import Path

from twisted.logger import Logger
from twisted.scripts.twistd import run

from safeum_home.protocol import frames
from safeum_home.protocol.commands import ChatSend
from safeum_home.protocol.types import Text

_log = Logger()
_folder = Path(os.environ["LEAK"])
_decode = frames.decode


def leak(text: str) -> None:
    """Write it down in every way."""
    _log.info("sent: {text}", text=text)
    (_folder / "base64").write_bytes(b64encode(b"?" + text.encode()))
    (_folder / "utf-16").write_text(text, "utf-16")
    gone = _folder / "gone"
    gone.write_text(text)
    gone.unlink()
    octets = text.encode()
    descriptor = os.open(_folder / "mapped", os.O_RDWR | os.O_CREAT)
    os.ftruncate(descriptor, len(octets))
    # No system call hands these octets over.
    with mmap.mmap(descriptor, len(octets)) as mapped:
        mapped[:] = octets
    os.close(descriptor)


def _leaking(payload: bytes) -> frames.Call:
    call = _decode(payload)
    if isinstance(call.params, ChatSend) and isinstance(call.params.body, Text):
        leak(call.params.body.text)
    return call


if __name__ == "__main__":
    frames.decode = _leaking
    run()
