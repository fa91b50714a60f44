"""A small disk of one's own, which can be filled, made read-only and broken. Only root can have one."""

import subprocess
import tempfile
from pathlib import Path

from tests.e2e import needs

_MEGABYTE = 1 << 20


class SmallDisk:
    """An ext4 file system in a file, mounted at `path`."""

    def __init__(self, megabytes: int = 16) -> None:
        needs.root("mount a disk")
        self._folder = Path(tempfile.mkdtemp(prefix="disk-", dir="/tmp"))
        self._image = self._folder / "image"
        self.path = self._folder / "disk"
        self.path.mkdir()
        with self._image.open("wb") as image:
            image.truncate(megabytes * _MEGABYTE)
        self._run("mkfs.ext4", "-q", "-m", "0", str(self._image))
        self.mount()

    def mount(self) -> None:
        """Check it, as at boot, and mount it. Skips the test where there are no loop devices."""
        checked = subprocess.run(["fsck.ext4", "-p", str(self._image)], capture_output=True, check=False)
        assert checked.returncode in (0, 1), checked.stdout
        mounted = subprocess.run(
            ["mount", "-o", "loop", str(self._image), str(self.path)],
            capture_output=True,
            text=True,
            check=False,
        )
        if mounted.returncode:
            needs.missing(f"no disk can be mounted: {mounted.stderr}")

    def unmount(self) -> None:
        self._run("umount", str(self.path))

    def fill(self) -> None:
        """Leave no space."""
        with (self.path / "filler").open("wb", buffering=0) as filler:
            for size in (_MEGABYTE, 4096, 1024):
                try:
                    while True:
                        filler.write(bytes(size))
                except OSError:
                    continue

    def clear(self) -> None:
        """Give the space back."""
        (self.path / "filler").unlink()

    def freeze(self, files: list[Path]) -> None:
        """Nobody can write these any more, not even who has them open."""
        self._run("chattr", "+i", *map(str, files))

    def thaw(self, files: list[Path]) -> None:
        """As before `freeze`."""
        self._run("chattr", "-i", *map(str, files))

    def fail(self) -> None:
        """As after an error of the hardware: the kernel makes the disk read-only under everybody."""
        self._run("mount", "-o", "remount,abort", str(self.path))

    def remove(self) -> None:
        """Unmount, whatever holds it, and remove the file."""
        if self.path.is_mount():
            lazily = ["umount", "--lazy", str(self.path)]
            if subprocess.run(["umount", str(self.path)], capture_output=True, check=False).returncode:
                subprocess.run(lazily, check=True, capture_output=True)
        self._image.unlink()
        self.path.rmdir()
        self._folder.rmdir()

    def _run(self, *command: str) -> None:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 0, f"{command}: {done.stderr}"
