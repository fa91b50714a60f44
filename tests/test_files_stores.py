"""Stores of files: what each of them has to do, and what is particular to one."""

import atexit
import contextlib
import os
import socket
import stat
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from bridges.files import s3
from bridges.files.s3 import S3Store
from safeum_home.chats.files import janitor
from safeum_home.config import FileSection
from safeum_home.errors import Code, Problem
from safeum_home.ports.files import BlobLost, BlobStore
from safeum_home.storage.folder import FolderStore
from tests.e2e.node_process import _free_port
from tests.e2e.registries import pypi
from tests.file_case import FileCase
from tests.memory_store import MemoryStore

A, B, C = b"\x00" * 16, b"\x80" + b"\x00" * 15, b"\xff" * 16


class Stores:
    """What holds for every store: mix in, with `store`."""

    store: Any
    assertEqual: Any
    assertRaises: Any

    def test_grows(self) -> None:
        """What is appended can be read, in whatever pieces."""
        parts = [os.urandom(size) for size in (1, 70_000, 5, 200_000)]
        whole = b"".join(parts)
        at = 0
        for part in parts:
            self.store.append(A, at, part)
            at += len(part)
        self.store.sync(A)
        for offset, size in (
            (0, at),
            (0, 1),
            (1, 70_000),
            (0, 70_001),
            (70_000, 10),
            (at - 1, 1),
            (3, 270_000),
        ):
            self.assertEqual(self.store.read(A, offset, size), whole[offset : offset + size], (offset, size))
            self.assertEqual(self.store.read(A, offset, size), whole[offset : offset + size], (offset, size))

    def test_nothing_there(self) -> None:
        """What is not there is lost, and can be deleted all the same."""
        self.assertRaises(BlobLost, self.store.read, A, 0, 1)
        self.assertRaises(BlobLost, self.store.truncate, A, 1)
        self.store.delete(A)
        self.store.append(A, 0, b"12345")
        self.assertRaises(BlobLost, self.store.read, A, 0, 6)
        self.assertRaises(BlobLost, self.store.read, A, 5, 1)
        self.assertRaises(BlobLost, self.store.truncate, A, 6)
        self.assertRaises(BlobLost, self.store.read, B, 0, 1)
        self.assertEqual(self.store.read(A, 0, 5), b"12345")

    def test_truncated(self) -> None:
        """What is behind the end that is known goes, wherever that is; then the blob goes on."""
        for kept in (5, 3, 8, 10):
            self.store.append(A, 0, b"12345")
            self.store.append(A, 5, b"67890")
            self.store.append(A, 10, b"left behind")
            self.store.truncate(A, kept)
            self.assertRaises(BlobLost, self.store.read, A, 0, kept + 1)
            self.store.append(A, kept, b"more")
            self.assertEqual(self.store.read(A, 0, kept + 4), b"1234567890"[:kept] + b"more")
            self.assertRaises(BlobLost, self.store.read, A, 0, kept + 5)

    def test_made_anew(self) -> None:
        """At offset 0 a blob begins, whatever there was."""
        self.store.append(A, 0, b"12345")
        self.store.append(A, 5, b"67890")
        self.store.append(A, 0, b"abc")
        self.assertEqual(self.store.read(A, 0, 3), b"abc")
        self.assertRaises(BlobLost, self.store.read, A, 0, 4)

    def test_names(self) -> None:
        """All blobs are found in their order, a few at a time, and a deleted one no more."""
        for blob in (C, A, B):
            self.store.append(blob, 0, b"1")
            self.store.append(blob, 1, b"2")
        self.assertEqual(self.store.blobs(b"", 10), [A, B, C])
        self.assertEqual(self.store.blobs(b"", 2), [A, B])
        self.assertEqual(self.store.blobs(B, 10), [C])
        self.assertEqual(self.store.blobs(C, 10), [])
        self.store.delete(B)
        self.assertEqual(self.store.blobs(b"", 10), [A, C])
        self.assertRaises(BlobLost, self.store.read, B, 0, 1)

    def test_deleted_meanwhile(self) -> None:
        """What is appended to a blob that was deleted is refused, or can be deleted as any other."""
        self.store.append(A, 0, b"12345")
        self.store.delete(A)
        with contextlib.suppress(BlobLost):
            self.store.append(A, 5, b"x")
        self.assertRaises(BlobLost, self.store.read, A, 0, 1)
        self.store.delete(A)
        self.assertEqual(self.store.blobs(b"", 10), [])


class MemoryStoreTests(Stores, SynchronousTestCase):
    """The one of the tests does as the others do."""

    def setUp(self) -> None:
        self.store = MemoryStore()


class FolderTests(Stores, SynchronousTestCase):
    """A folder."""

    def setUp(self) -> None:
        self.folder = Path(self.mktemp())
        self.store = FolderStore(self.folder)

    def test_modes(self) -> None:
        """Nobody else may read, or see a name, whatever the umask."""
        before = os.umask(0)
        self.addCleanup(os.umask, before)
        self.store.append(A, 0, b"12345")
        folders = [self.folder, self.folder / "00"]
        self.assertEqual({stat.S_IMODE(each.stat().st_mode) for each in folders[1:]}, {0o700})
        [file] = (self.folder / "00").iterdir()
        self.assertEqual((file.name, stat.S_IMODE(file.stat().st_mode)), ("0" * 32, 0o600))

    def test_others(self) -> None:
        """Files that are none of ours are left alone."""
        self.store.append(A, 0, b"1")
        for name in ("00/note.txt", "00/" + "g" * 32, "00/" + "01" * 16, "lost+found", "zz"):
            (self.folder / name).write_text("x")
        self.assertEqual(self.store.blobs(b"", 10), [A])

    def test_not_begun(self) -> None:
        """A blob that was deleted meanwhile does not come back in the middle."""
        self.assertRaises(BlobLost, self.store.append, A, 5, b"x")
        self.assertEqual(self.store.blobs(b"", 10), [])

    def test_gone(self) -> None:
        """A folder that cannot be made is told as what it is."""
        (self.folder / "file").write_text("x")
        self.assertRaises(OSError, FolderStore, self.folder / "file" / "files")


class Moto:
    """moto's server on the loopback, with a bucket."""

    def __init__(self) -> None:
        packages = pypi("moto", "moto[server]==5.2.5")
        self.port = _free_port()
        environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(packages)}
        self._server = subprocess.Popen(
            [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(self.port)],
            env=environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        deadline = time.monotonic() + 60
        while True:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self.port)) == 0:
                    break
            assert self._server.poll() is None and time.monotonic() < deadline, "moto did not start"
            time.sleep(0.05)

    def stop(self) -> None:
        self._server.terminate()
        self._server.wait()

    def store(self, name: str) -> S3Store:
        """A store in a new bucket."""
        section = FileSection(store=f"s3://{name}/some/prefix", endpoint=f"http://127.0.0.1:{self.port}")
        store = S3Store(section, lambda name: b"of " + name.encode())
        store._client().create_bucket(Bucket=name)
        return store


_moto: list[Moto] = []


def moto() -> Moto:
    """One server for all tests of this module that need one, started by the first."""
    if not _moto:
        _moto.append(Moto())
        atexit.register(_moto[0].stop)
    return _moto[0]


class S3Tests(Stores, SynchronousTestCase):
    """An S3 service."""

    def setUp(self) -> None:
        self.moto = moto()
        self.store = self.moto.store("bucket-" + os.urandom(4).hex())

    def test_many_parts(self) -> None:
        """More objects than one page has are deleted all the same."""
        self.patch(s3, "_PAGE", 3)
        for at in range(1, 11):
            self.store._client().put_object(Bucket=self.store._bucket, Key=self.store._key(A, at), Body=b"x")
        self.store.append(A, 0, b"x")
        self.assertEqual(self.store.blobs(b"", 10), [A])
        self.store.append(B, 0, b"y")
        self.store.delete(A)
        self.assertEqual(self.store.blobs(b"", 10), [B])

    def test_keys(self) -> None:
        """Keys are the prefix, the blob's name and a number: nothing else is told."""
        self.store.append(A, 0, b"12345")
        self.store.append(A, 5, b"6")
        page = self.store._client().list_objects_v2(Bucket=self.store._bucket)
        start = "some/prefix/" + "00" * 16
        self.assertEqual(
            [each["Key"] for each in page["Contents"]],
            [f"{start}/7ffffffffffffffa", f"{start}/7fffffffffffffff"],
        )

    def test_others(self) -> None:
        """Objects that are none of ours are left alone, and so is another prefix."""
        self.store.append(A, 0, b"1")
        for key in (
            "some/prefix/note.txt",
            "some/prefix/zz/1",
            "other/" + "00" * 16 + "/1",
            "some/prefix/01/1",
        ):
            self.store._client().put_object(Bucket=self.store._bucket, Key=key, Body=b"x")
        self.assertEqual(self.store.blobs(b"", 10), [A])

    def test_many_others(self) -> None:
        """More of them than a page has, before, between and behind ours: all of ours are found."""
        for blob in (A, B, C):
            self.store.append(blob, 0, b"1")
        for number in range(7):
            for key in (f"!{number}.txt", f"0{number}/1", f"8{number}/~", f"zz{number}/~/1", f"~{number}"):
                self.store._client().put_object(
                    Bucket=self.store._bucket, Key=f"some/prefix/{key}", Body=b"x"
                )
        for limit in (1, 2, 3, 5, 200):
            found: list[bytes] = []
            while page := self.store.blobs(found[-1] if found else b"", limit):
                self.assertLessEqual(len(page), limit)
                found += page
            self.assertEqual(found, [A, B, C], limit)

    def test_a_list_that_breaks_off(self) -> None:
        """A list that the service does not finish is a failure, and none that has nothing more."""
        self.store.append(A, 0, b"1")
        client = self.store._client()
        self.patch(client, "list_objects_v2", lambda **_: {"IsTruncated": True})
        self.assertRaises(OSError, self.store.blobs, b"", 5)
        self.assertRaises(OSError, self.store.delete, A)

    def test_refused(self) -> None:
        """No such bucket, no such service, no such secret: they fail as a disk does."""
        section = FileSection(store="s3://no-such-bucket", endpoint=f"http://127.0.0.1:{self.moto.port}")
        nowhere = S3Store(section, lambda name: b"x")
        error = self.assertRaises(OSError, nowhere.append, A, 0, b"x")
        self.assertNotIn("127.0.0.1", str(error))
        away = S3Store(FileSection(store="s3://bucket", endpoint="http://127.0.0.1:9"), lambda name: b"x")
        self.assertRaises(OSError, away.read, A, 0, 1)

        def unset(name: str) -> bytes:
            raise Problem(Code.NOT_FOUND)

        self.assertRaises(OSError, S3Store(section, unset).read, A, 0, 1)

    def test_cut_and_gone_on_with(self) -> None:
        """Where objects began before a blob was cut says nothing of where they begin now."""
        self.store.append(A, 0, b"12345")
        self.store.append(A, 5, b"67890")
        self.assertEqual(self.store.read(A, 0, 5), b"12345")
        self.store.append(A, 0, b"12345678")
        self.assertEqual(self.store.read(A, 5, 3), b"678")

    def test_one_request_reads_on(self) -> None:
        """Whoever reads on needs no list of objects."""
        for at in range(0, 50, 10):
            self.store.append(A, at, b"0123456789")
        asked: list[str] = []
        client = self.store._client()
        client.meta.events.register("before-call.s3", lambda model, **_: asked.append(model.name))
        self.assertEqual(b"".join(self.store.read(A, at, 10) for at in range(0, 50, 10)), b"0123456789" * 5)
        self.assertEqual(asked, ["GetObject"] * 5)


class S3FileTests(FileCase):
    """A node that keeps its files there."""

    def test_others(self) -> None:
        """Uploads that are under way stay, however much else is in the bucket."""
        ticket, path = self.create(300_000)
        self.assertEqual(self.patch_upload(ticket, path, 0, b"x" * 200_000).status, 204)
        for number in range(4):
            key = f"some/prefix/!{number}.txt"
            self.store._client().put_object(Bucket=self.store._bucket, Key=key, Body=b"x")
        self.patch(janitor, "_BATCH", 2)
        self.tidy()
        self.assertEqual(self.offset(ticket, path), 200_000)

    def new_store(self) -> BlobStore:
        return moto().store("bucket-" + os.urandom(4).hex())

    def test_through_a_node(self) -> None:
        """Uploads in parts, resumed, downloaded in part, deleted: as with a folder."""
        octets = os.urandom(3_000_000)
        ticket, path = self.create(len(octets))
        self.assertEqual(self.patch_upload(ticket, path, 0, octets[:1_500_001]).status, 204)
        self.store.append(self.store.blobs(b"", 1)[0], 1_500_000 // 65536 * 65577, b"left behind")
        self.assertEqual(self.offset(ticket, path), 1_500_001)
        self.assertEqual(self.patch_upload(ticket, path, 1_500_001, octets[1_500_001:]).status, 204)
        message = self.send(self.body(path.rpartition("/")[2], len(octets)))
        link = self.link(self.bob, message["id"])
        self.assertEqual(self.fetch(link).body, octets)
        part = self.fetch(link, Range="bytes=1499999-2000000")
        self.assertEqual((part.status, part.body), (206, octets[1_499_999:2_000_001]))
        self.tidy()
        self.assertEqual(len(self.store.blobs(b"", 10)), 1)
        self.world.database.execute("DELETE FROM events WHERE chat IN (SELECT chat FROM files)")
        self.tidy()
        self.assertEqual(self.store.blobs(b"", 10), [])
