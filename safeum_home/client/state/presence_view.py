"""How it is with contacts, as far as the node has told on this connection."""

from msgspec import Struct

from safeum_home.protocol.events import ContactChanged, PresenceChanged, PrivacyChanged
from safeum_home.protocol.presence import NOTHING_HIDDEN, Presence, PresenceState, Privacy
from safeum_home.protocol.types import ContactState


class PresenceView:
    """Part of `state.State`. A connection begins with knowing nothing, and it is never loaded: it is told."""

    def __init__(self) -> None:
        self._known: dict[str, Presence] = {}
        self.privacy: Privacy = NOTHING_HIDDEN
        """What this account hides, and so is not shown of others."""

    def of(self, account: str) -> Presence:
        """How it is with an account: `unknown` where nothing was told, or it hides."""
        return self._known.get(account) or Presence(account, PresenceState.UNKNOWN)

    def is_online(self, account: str) -> bool:
        return self.of(account).state is PresenceState.ONLINE

    def clear(self) -> None:
        """Another connection, or one on which nothing more is told of others."""
        self._known.clear()

    def begin(self) -> None:
        """A connection has begun."""
        self.clear()
        self.privacy = NOTHING_HIDDEN

    def take(self, event: Struct) -> None:
        """Apply an event, also before the rest was loaded: it does not come again."""
        if isinstance(event, PresenceChanged):
            if event.reset:
                self.clear()
            for each in event.changes:
                self._put(each)
        elif isinstance(event, PrivacyChanged):
            self.privacy = event.privacy
        elif isinstance(event, ContactChanged) and event.contact.state is not ContactState.ACCEPTED:
            self._known.pop(event.contact.account, None)

    def _put(self, presence: Presence) -> None:
        if presence.state is PresenceState.UNKNOWN:
            self._known.pop(presence.account, None)
        else:
            self._known[presence.account] = presence
