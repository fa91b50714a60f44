"""Files of a secure chat that keeps no history: gone after a day, for those who have their keys as well."""

import os
from io import BytesIO
from typing import Any

from twisted.internet.defer import Deferred

from safeum_home.client.errors import RemoteProblem
from safeum_home.client.files.partial_file import partial_path
from safeum_home.client.secure.payloads import File
from safeum_home.errors import Code
from tests.secure_file_case import LIMITS, SecureFileCase


class ExpiredTests(SecureFileCase):
    """Ben has what Ann has said of her file, and has not fetched it."""

    def setUp(self) -> None:
        super().setUp()
        self.octets = os.urandom(300_000)
        self.chat_id = self.start(self.ben)
        self.ann.do(self.ann.client.set_history(self.chat_id, False))
        self.settle()
        self.ann.do(self.files(self.ann, self.chat_id).send(BytesIO(self.octets), name="a"))
        self.settle()
        self.item = self.last(self.ben, self.chat_id)
        self.target = self.folder / "a.bin"

    def expire(self) -> None:
        self.world.clock.advance(LIMITS.without_history_seconds + 1)
        tidying = self.world.domain.files.janitor.tidy()
        self.successResultOf(Deferred.fromCoroutine(tidying))

    def save(self) -> Any:
        return self.files(self.ben, self.chat_id).save(self.item, self.target)

    def test_in_time(self) -> None:
        self.assertEqual(self.ben.do(self.save()), len(self.octets))
        self.assertEqual(self.target.read_bytes(), self.octets)

    def test_gone(self) -> None:
        """It is said at once, and nothing is left of it here."""
        self.expire()
        for device, item in ((self.ben, self.item), (self.ann, self.last(self.ann, self.chat_id))):
            with self.assertRaises(RemoteProblem) as caught:
                device.do(self.files(device, self.chat_id).save(item, self.target))
            self.assertTrue(caught.exception.of(Code.NOT_FOUND), caught.exception)
        self.assertEqual(list(self.folder.iterdir()), [])

    def test_under_way(self) -> None:
        """What was broken off, and is gone when it would go on, ends: it has no name, and never will."""
        self.use(self.ben, 150_000, 0)
        saving = self.save()
        self.settle(0.2)
        self.expire()
        self.settle(20)
        failure = self.failureResultOf(saving, RemoteProblem)
        self.assertTrue(failure.value.of(Code.NOT_FOUND), failure.value)
        assert isinstance(self.item.payload, File)
        self.assertEqual(list(self.folder.iterdir()), [partial_path(self.target, self.item.payload.hash)])
