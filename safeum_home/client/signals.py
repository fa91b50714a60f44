"""What a client says of the person who uses it, while there is a connection to say it on."""

from safeum_home.client.calls import Calls
from safeum_home.client.finding import Finding
from safeum_home.protocol import commands as c


class Signals(Finding):
    """A client that says when its person types, and whether they are there."""

    _calls: Calls
    _put_away = False

    def typing(self, chat: str, active: bool = True) -> bool:
        """Say that something is being typed; False where there is no connection to say it on."""
        return self._calls.notify(c.ChatTyping(chat, active))

    def set_active(self, active: bool) -> bool:
        """Say whether somebody uses this device; it is said again after each reconnect.

        While nobody does, nothing is told of others, and `state.presence` is empty. Without this a
        device counts as used for 3 minutes after each command.
        """
        if not active:
            self.state.presence.clear()
        self._put_away = not active
        return self._calls.notify(c.PresenceSet(active))

    def _begin_presence(self) -> None:
        """A session is open on a new connection."""
        self.state.presence.begin()
        if self._put_away:
            self._calls.notify(c.PresenceSet(False))
