"""What carries the sound of a call with the telephone network: a port, so that calls can be without any."""

from collections.abc import Sequence
from typing import Protocol

from safeum_home.client.calling.media import MediaLink, OnFlow, Relay


class TelephoneSource(Protocol):
    """Makes links to the bridge that leads to the carrier."""

    def telephone_link(self, relays: Sequence[Relay], *, relay_only: bool, on_flow: OnFlow) -> MediaLink:
        """A link that is to be offered or answered; raises `NoMedia`.

        One line of sound in both directions, by G.711 (PCMA, PCMU) alone: that is what the telephone network
        speaks, and nothing in between makes something else of it. Silence is sent where there is nothing to
        be heard. All candidates are in its description.
        """
