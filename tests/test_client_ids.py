"""Names for messages."""

from uuid import RFC_4122, UUID

from twisted.trial.unittest import SynchronousTestCase

from safeum_home.client.methods.client_ids import new_client_id
from safeum_home.sealing.blind import SIDE_BY_SIDE


class ClientIdTests(SynchronousTestCase):
    def test_expected(self) -> None:
        """The example of RFC 9562, appendix A.6."""
        random = bytes.fromhex("0cc3 18c4 dc0c 0c07 398f")
        self.assertEqual(
            new_client_id(0x017F22E279B0, lambda _: random), "017f22e2-79b0-7cc3-98c4-dc0c0c07398f"
        )

    def test_form(self) -> None:
        """Version and variant whatever the random octets are; no two are the same."""
        for octets in (bytes(10), b"\xff" * 10):
            uuid = UUID(new_client_id(1, lambda _, octets=octets: octets))  # type: ignore[misc] # a default
            self.assertEqual((uuid.version, uuid.variant), (7, RFC_4122))
        self.assertEqual(len({new_client_id(1) for _ in range(100)}), 100)

    def test_side_by_side(self) -> None:
        """Those of 16 milliseconds begin alike."""
        beginnings = {new_client_id(1_800_000_000_000 + at)[:SIDE_BY_SIDE] for at in range(16)}
        self.assertEqual(len(beginnings), 1)
        self.assertNotIn(new_client_id(1_800_000_000_016)[:SIDE_BY_SIDE], beginnings)
