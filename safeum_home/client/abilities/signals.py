"""What a client says of the person who uses it, while there is a connection to say it on."""

from safeum_home.client.abilities.sleeping import Sleeping
from safeum_home.protocol import commands as c


class Signals(Sleeping):
    """A client that says when its person types, and whether they are there."""

    def typing(self, chat: str, active: bool = True) -> bool:
        """Say that something is being typed; False where there is no connection to say it on."""
        self.wake()
        return self._calls.notify(c.ChatTyping(chat, active))

    def set_active(self, active: bool) -> bool:
        """Say whether somebody uses this device; it is said again after each reconnect, and `True` wakes.

        While nobody does, nothing is told of others, and `state.presence` is empty. Without this a
        device counts as used for 3 minutes after each command.
        """
        self._put_away = not active
        if active:
            self.wake()
        else:
            self.state.presence.clear()
        return self._calls.notify(c.PresenceSet(active))

    def _begin_presence(self) -> None:
        """A session is open on a new connection."""
        self.state.presence.begin()
        if self._put_away:
            self._calls.notify(c.PresenceSet(False))
