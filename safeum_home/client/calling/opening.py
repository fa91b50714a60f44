"""The initiator's keys of a call, committed to before it is known whom they will be shown to."""

from safeum_home.client.calling.handshake import Shown, commitments
from safeum_home.client.secret import Secret, fresh
from safeum_home.protocol.signing import encode_octets


class Opening:
    """A key and a nonce for each device that the commitment may be opened to: `seats` of them.

    None is shown twice. Whoever has seen one could look, as somebody else, for keys of its own with which
    the same words come out.
    """

    def __init__(self, sign: bytes, seats: int) -> None:
        self._secrets = [Secret.random() for _ in range(seats)]
        self._shown = [Shown(sign, secret.public(), fresh()) for secret in self._secrets]
        self._next = 0
        self.octets = commitments(self._shown)
        self.hello = encode_octets(self.octets)

    def take(self) -> tuple[int, Secret, Shown] | None:
        """The next one, with its number; None where all were shown. Who takes it wipes it."""
        number = self._next
        if number >= len(self._secrets) or self._secrets[number].wiped:
            return None
        self._next += 1
        return number, self._secrets[number], self._shown[number]

    def wipe(self) -> None:
        """Nobody else is shown any."""
        for secret in self._secrets[self._next :]:
            secret.wipe()
