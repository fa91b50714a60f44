"""Where a target spends its time, by py-spy."""

import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from signal import SIGINT

RATE = 200
TOP = 40


class Profiler:
    """Samples a process for the length of a block.

    Writes `<stem>.stacks` (collapsed stacks, for speedscope or flame graphs) and `<stem>.txt` (functions
    by their own share and by the share that they take with what they call).
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
    """Collapsed stacks as two tables."""
    own: Counter[str] = Counter()
    whole: Counter[str] = Counter()
    for line in stacks.splitlines():
        stack, _, count = line.rpartition(" ")
        frames = stack.split(";")
        own[frames[-1]] += int(count)
        for name in set(frames):
            whole[name] += int(count)
    total = max(1, own.total())

    def table(title: str, counts: Counter[str]) -> str:
        rows = (f"{count / total:7.1%}  {name}" for name, count in counts.most_common(TOP))
        return "\n".join([title, *rows])

    return table("own time", own) + "\n\n" + table("with what it calls", whole) + "\n"
