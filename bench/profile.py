"""Where a target spends its time, by py-spy."""

import subprocess
import sys
from collections import Counter, defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from signal import SIGINT

RATE = 200
TOP = 40
WAITING = 0.97


class Profiler:
    """Samples a process for the length of a block.

    Writes `<stem>.stacks` (collapsed stacks, for speedscope or flame graphs) and `<stem>.txt` (see `flat`).
    """

    def __init__(self, stem: Path, *, gil: bool) -> None:
        self._stem, self._gil = stem, gil

    @contextmanager
    def of(self, pid: int) -> Iterator[None]:
        self._stem.parent.mkdir(parents=True, exist_ok=True)
        stacks = self._stem.with_suffix(".stacks")
        command = [str(Path(sys.executable).parent / "py-spy"), "record", "--pid", str(pid)]
        command += [
            "--rate",
            str(RATE),
            "--format",
            "raw",
            "--output",
            str(stacks),
            "--threads",
            "--function",
        ]
        command += ["--gil"] if self._gil else []
        spy = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            yield
        finally:
            spy.send_signal(SIGINT)
            spy.wait(60)
        self._stem.with_suffix(".txt").write_text(flat(stacks.read_text()))


def flat(stacks: str) -> str:
    """Collapsed stacks as tables: for each thread its functions by own time, and by time with what they call.

    A thread that is nearly always at one place waits there, and is left out.
    """
    own: dict[str, Counter[str]] = defaultdict(Counter)
    whole: dict[str, Counter[str]] = defaultdict(Counter)
    for line in stacks.splitlines():
        stack, _, count = line.rpartition(" ")
        thread, *frames = stack.split(";")
        if frames:
            own[thread][frames[-1]] += int(count)
            for name in set(frames):
                whole[thread][name] += int(count)
    tables = []
    for thread, counts in own.items():
        if max(counts.values()) < WAITING * counts.total():
            tables += [f"{thread}: {counts.total()} samples", _table("own time", counts, counts.total())]
            tables += [_table("with what it calls", whole[thread], counts.total())]
    return "\n\n".join(tables) + "\n"


def _table(title: str, counts: Counter[str], total: int) -> str:
    return "\n".join([title, *(f"{count / total:7.1%}  {name}" for name, count in counts.most_common(TOP))])
