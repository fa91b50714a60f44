"""Comparing emoji with members of a secure chat: one comparison at a time with each of them."""

from collections.abc import Callable

from safeum_home.client.sas import Words
from safeum_home.client.secure import comparing
from safeum_home.client.secure.comparing import Comparison, Pair
from safeum_home.client.secure.payloads import Compare, CompareStart, Payload, Unknown
from safeum_home.client.secure.refused import Reason, Refused
from safeum_home.client.unlocked.events import CompareChanged
from safeum_home.client.unlocked.home import Home


class _Running:
    """What one of them says and shows."""

    def __init__(self, owner: "Comparisons", account: str, hash: bytes) -> None:
        self._owner = owner
        self._account = account
        self.hash = hash
        """Of their keys, as they are compared."""
        self.compare = ""
        self.doubtful = False
        """Whether the two have something to compare, so that ending it without a word means something."""
        self.machine: Comparison

    def say(self, payload: Compare) -> None:
        self.compare = payload.compare
        self._owner.say(payload)

    def show(self, seen: Words) -> None:
        self.doubtful = True
        self._owner.tell(self._account, words=seen)

    def done(self, same: bool) -> None:
        self._owner.done(self._account, self, same)

    def stop(self) -> None:
        """Its owner gives it up: what was known of the other's keys is so still."""
        self.doubtful = False
        self.machine.stop()


class Comparisons:
    """`say` posts; what is to be shown is told as `CompareChanged`."""

    def __init__(
        self, home: Home, chat: str, say: Callable[[Payload], None], check_open: Callable[[], None]
    ) -> None:
        self._home = home
        self._chat = chat
        self._check_open = check_open
        self.say: Callable[[Payload], None] = say
        self._running: dict[str, _Running] = {}

    def begin(self, account: str) -> None:
        """Ask a member to compare; raises `Refused(NO_KEYS)`, `wrong_state`."""
        self._check_open()
        running = self._new(account)
        own = self._home.own
        running.machine = comparing.begins(
            Pair(self._chat, (own.account, own.hash), (account, running.hash)), running
        )
        running.machine.begin()

    def agree(self, account: str) -> None:
        """Compare with who has asked for it."""
        self._of(account).machine.agree()

    def judge(self, account: str, same: bool) -> None:
        """Whether the other sees the same: by another way than through nodes."""
        self._of(account).machine.judge(same)

    def stop(self, account: str) -> None:
        """Give it up. Nothing is verified by that, and nothing doubted."""
        self._of(account).stop()

    def heard(self, sender: str, payload: Payload | Unknown) -> None:
        """Something of a comparison has come."""
        if isinstance(payload, CompareStart):
            self._asked(sender, payload)
        elif isinstance(payload, Compare):
            running = self._running.get(sender)
            if running is not None and payload.compare == running.compare:
                running.machine.heard(payload)

    def _asked(self, sender: str, start: CompareStart) -> None:
        own = self._home.own
        if start.to != own.account or sender == own.account or sender in self._running:
            return
        try:
            running = self._new(sender)
            pair = Pair(self._chat, (sender, running.hash), (own.account, own.hash))
            running.machine = comparing.asked(pair, start, running)
        except Refused:
            self._running.pop(sender, None)
            return
        running.compare = start.compare
        self.tell(sender)

    def tell(self, account: str, words: Words | None = None, same: bool | None = None) -> None:
        self._home.tell(CompareChanged(self._chat, account, words, same))

    def done(self, account: str, running: _Running, same: bool) -> None:
        if self._running.get(account) is running:
            del self._running[account]
        people, now = self._home.people, int(self._home.clock.seconds() * 1000)
        if same:
            same = people.verify(account, running.hash, now)
        elif running.doubtful:
            people.doubt(account, now)
        self._home.changed(urgent=True)
        self.tell(account, same=same)

    def close(self) -> None:
        """Nothing is compared any more."""
        self.say = lambda payload: None
        self.stop_all()

    def stop_all(self) -> None:
        """What is being compared is none any more: keys are others."""
        running, self._running = list(self._running.values()), {}
        for each in running:
            each.stop()

    def _new(self, account: str) -> _Running:
        person = self._home.people.get(account)
        if person is None or account == self._home.own.account:
            raise Refused(Reason.NO_KEYS)
        if (before := self._running.get(account)) is not None:
            before.stop()
        running = self._running[account] = _Running(self, account, person.keys.hash)
        return running

    def unsaid(self, payload: Compare) -> None:
        """It does not come to the other one: nothing comes of that comparison."""
        for running in list(self._running.values()):
            if running.compare == payload.compare:
                running.stop()

    def _of(self, account: str) -> _Running:
        self._check_open()
        running = self._running.get(account)
        if running is None:
            raise Refused(Reason.NOT_A_MEMBER)
        return running
