"""Blobs in an S3 bucket (https://docs.aws.amazon.com/AmazonS3/latest/API), by botocore, in threads.

Objects of S3 cannot grow, so a blob is as many objects as it was appended in batches: what was acknowledged
is an object by then, and nothing is held back in memory until a part of a multipart upload is full. Their
keys are `PREFIX/BLOB/REST`, where REST is 2^63-1 less the offset, in 16 hexadecimal digits: so the object
that holds an octet is the first one behind a key that can be told, and one request finds it. Whoever reads
on asks for the next one by its key.
"""

from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Lock
from typing import Any, NamedTuple

import botocore.session
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from safeum_home.config_files import FileSection
from safeum_home.errors import Problem
from safeum_home.ports.files import BLOB_SIZE, BlobLost

BATCH = 1024 * 1024
_LAST = 2**63 - 1
_KNOWN = 4096
_PAGE = 1000
"""Objects in one list, and in one request to delete."""
_MISSING = ("404", "NoSuchKey", "NotFound")


class _Part(NamedTuple):
    """An object of a blob."""

    offset: int
    size: int
    key: str

    @property
    def end(self) -> int:
        return self.offset + self.size


class S3Store:
    """`ports.files.BlobStore`. Its keys are opened when they are first used, and may be set until then."""

    def __init__(self, section: FileSection, secret: Callable[[str], bytes]) -> None:
        """`secret` opens a sealed secret by its name."""
        self._section = section
        self._secret = secret
        bucket, _, prefix = section.store.removeprefix("s3://").partition("/")
        self._bucket = bucket
        self._prefix = f"{prefix.strip('/')}/" if prefix.strip("/") else ""
        self._made: Any = None
        self._lock = Lock()
        self._starts: OrderedDict[tuple[bytes, int], None] = OrderedDict()

    @property
    def batch(self) -> int:
        return BATCH

    def append(self, blob: bytes, offset: int, data: bytes) -> None:
        if offset == 0:
            self.delete(blob)
        with self._asking() as s3:
            s3.put_object(Bucket=self._bucket, Key=self._key(blob, offset), Body=data)

    def sync(self, blob: bytes) -> None:
        """An object is durable when it was accepted."""

    def truncate(self, blob: bytes, size: int) -> None:
        parts = list(self._parts(blob))
        if not parts or parts[0].end < size:
            raise BlobLost
        for part in parts:
            if part.offset < size < part.end:
                kept = self.read(blob, part.offset, size - part.offset)
                with self._asking() as s3:
                    s3.put_object(Bucket=self._bucket, Key=part.key, Body=kept)
        self._delete([part.key for part in parts if part.offset >= size])

    def read(self, blob: bytes, offset: int, size: int) -> bytes:
        found = []
        while size:
            data, end = self._part(blob, offset, size)
            found.append(data)
            self._remember(blob, end)
            offset, size = offset + len(data), size - len(data)
        return b"".join(found)

    def delete(self, blob: bytes) -> None:
        self._delete([part.key for part in self._parts(blob)])

    def blobs(self, after: bytes, limit: int) -> list[bytes]:
        # Behind all objects of `after`: a digit is never as high as `~`.
        start = f"{self._prefix}{after.hex()}/~" if after else self._prefix
        found: list[bytes] = []
        for page in self._pages(self._prefix, start, limit, "/"):
            names = [each["Prefix"] for each in page.get("CommonPrefixes", ())]
            found += [blob for name in names if (blob := self._blob(name)) is not None and blob > after]
            if len(found) >= limit:
                break
        return found[:limit]

    def _parts(self, blob: bytes) -> Iterator[_Part]:
        """The objects of a blob, the last of it first."""
        for page in self._pages(self._folder(blob), "", _PAGE):
            for each in page.get("Contents", ()):
                key = each["Key"]
                yield _Part(_LAST - int(key.rpartition("/")[2], 16), each["Size"], key)

    def _pages(self, prefix: str, after: str, most: int, delimiter: str = "") -> Iterator[Any]:
        """A list to its end: a page with nothing that is wanted may be followed by others."""
        place = {"StartAfter": after}
        while True:
            with self._asking() as s3:
                page = s3.list_objects_v2(
                    Bucket=self._bucket, Prefix=prefix, Delimiter=delimiter, MaxKeys=most, **place
                )
            yield page
            if not page.get("IsTruncated"):
                return
            token = page.get("NextContinuationToken")
            if not token:
                raise OSError("the S3 service does not say how a list goes on")
            place = {"ContinuationToken": token}

    def _start_of(self, blob: bytes, offset: int) -> int:
        """Where the object begins that holds the octet at `offset`."""
        with self._asking() as s3:
            page = s3.list_objects_v2(
                Bucket=self._bucket,
                Prefix=self._folder(blob),
                StartAfter=self._key(blob, offset + 1),
                MaxKeys=1,
            )
        for each in page.get("Contents", ()):
            begins = _LAST - int(each["Key"].rpartition("/")[2], 16)
            if offset < begins + each["Size"]:
                return int(begins)
        raise BlobLost

    def _part(self, blob: bytes, offset: int, size: int) -> tuple[bytes, int]:
        if self._is_start(blob, offset):
            try:
                return self._get(blob, offset, 0, size)
            except BlobLost:
                # What was remembered is of before the blob was cut: ask.
                self._forget(blob, offset)
        start = self._start_of(blob, offset)
        return self._get(blob, start, offset - start, size)

    def _get(self, blob: bytes, start: int, skip: int, size: int) -> tuple[bytes, int]:
        """Octets of one object, as many of them as it has; and where it ends in the blob."""
        with self._asking() as s3:
            span = f"bytes={skip}-{skip + size - 1}"
            answer = s3.get_object(Bucket=self._bucket, Key=self._key(blob, start), Range=span)
            data: bytes = answer["Body"].read()
        if not data:
            raise BlobLost
        return data, start + int(answer["ContentRange"].rpartition("/")[2])

    def _delete(self, keys: list[str]) -> None:
        for first in range(0, len(keys), _PAGE):
            objects = [{"Key": key} for key in keys[first : first + _PAGE]]
            with self._asking() as s3:
                answer = s3.delete_objects(Bucket=self._bucket, Delete={"Objects": objects, "Quiet": True})
            if answer.get("Errors"):
                raise OSError("the S3 service did not delete what it should")

    def _is_start(self, blob: bytes, offset: int) -> bool:
        with self._lock:
            return (blob, offset) in self._starts or offset == 0

    def _remember(self, blob: bytes, offset: int) -> None:
        with self._lock:
            self._starts[blob, offset] = None
            self._starts.move_to_end((blob, offset))
            if len(self._starts) > _KNOWN:
                self._starts.popitem(last=False)

    def _forget(self, blob: bytes, offset: int) -> None:
        with self._lock:
            self._starts.pop((blob, offset), None)

    def _folder(self, blob: bytes) -> str:
        return f"{self._prefix}{blob.hex()}/"

    def _key(self, blob: bytes, offset: int) -> str:
        return f"{self._folder(blob)}{_LAST - offset:016x}"

    def _blob(self, name: str) -> bytes | None:
        """The blob whose objects have keys that begin so."""
        try:
            blob = bytes.fromhex(name[len(self._prefix) :].rstrip("/"))
        except ValueError:
            return None
        return blob if len(blob) == BLOB_SIZE and name == self._folder(blob) else None

    @contextmanager
    def _asking(self) -> Iterator[Any]:
        """The client; what goes wrong with it becomes OSError or `BlobLost`, with nothing of the request."""
        try:
            yield self._client()
        except ClientError as error:
            code = str(error.response.get("Error", {}).get("Code", ""))
            if code in _MISSING:
                raise BlobLost from None
            raise OSError(f"the S3 service refuses: {code[:40]}") from None
        except BotoCoreError as error:
            raise OSError(f"the S3 service cannot be used: {type(error).__name__}") from None
        except Problem:
            raise OSError("a secret for S3 is not set") from None

    def _client(self) -> Any:
        with self._lock:
            if self._made is None:
                self._made = self._make()
            return self._made

    def _make(self) -> Any:
        section = self._section
        opened = [
            self._secret(name.removeprefix("secret:")).decode().strip()
            for name in (section.access_key, section.secret_key)
        ]
        return botocore.session.Session().create_client(
            "s3",
            region_name=section.region,
            endpoint_url=section.endpoint or None,
            aws_access_key_id=opened[0],
            aws_secret_access_key=opened[1],
            config=Config(
                connect_timeout=5,
                read_timeout=30,
                retries={"total_max_attempts": 3, "mode": "standard"},
                max_pool_connections=section.threads,
                s3={"addressing_style": "path" if section.endpoint else "auto"},
                # Services other than Amazon's do not know the newer checksums; ours are in the chunks.
                request_checksum_calculation="when_required",
                response_checksum_validation="when_required",
            ),
        )
