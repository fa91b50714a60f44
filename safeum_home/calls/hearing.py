"""What the other halves of calls say: at this node, or at another one, which answers for who speaks."""

from safeum_home.calls.leg import Leg
from safeum_home.calls.legs import Legs
from safeum_home.calls.limits import CallLimits
from safeum_home.calls.means import LegMeans
from safeum_home.calls.partners import Partners
from safeum_home.calls.stages import LOST, MISSED, OUTGOING, REPLACED, UNREACHABLE, Ending, Stage
from safeum_home.errors import Problem
from safeum_home.ids import AccountId, DeviceId
from safeum_home.protocol.call_types import Ended
from safeum_home.protocol.federation.calls import Answer, End, GoesOn, Invite, Ringing, Said, Word


class Hearing:
    """Tells legs what was said to them, and answers what is for none."""

    def __init__(self, means: LegMeans, legs: Legs, limits: CallLimits, partners: Partners) -> None:
        self._means = means
        self._legs = legs
        self._limits = limits
        self._partners = partners

    async def hear_foreign(self, sender: AccountId, word: Word) -> None:
        """From another node: as `hear`, but that who calls has to be a contact, and nobody floods."""
        leg = self._legs.find(AccountId(word.to), word.call)
        if leg is not None and isinstance(word, Said):
            key = leg.account, leg.call, leg.is_with(sender)
            self._limits.take_signal(key, sender, len(word.data))
        if leg is None and isinstance(word, Invite):
            try:
                self._limits.take_invite(sender)
            except Problem:
                self._end(sender, word, Ended.BUSY)
                return
            try:
                await self._partners.check(AccountId(word.to), sender)
            except Problem:
                self._end(sender, word, Ended.UNREACHABLE)
                return
        self.hear(sender, word)

    def hear(self, sender: AccountId, word: Word) -> None:
        """`sender` says it. What is not of the other half of that call has nothing to say in it."""
        account = AccountId(word.to)
        leg = self._legs.find(account, word.call)
        if leg is None:
            self._hear_nobody(sender, account, word)
        elif leg.is_with(sender):
            self._tell(leg, word)
        elif isinstance(word, Invite):
            self._end(sender, word, Ended.UNREACHABLE)

    def lost(self, node: str) -> None:
        """It cannot be told: calls that ring are over; those that go on do so without it."""
        for leg in self._legs.with_node(node):
            if leg.stage is not Stage.ACTIVE:
                leg.machine.end(UNREACHABLE)

    def missed(self, sender: AccountId, word: Word) -> None:
        """A half of ours has said it, and nobody was told: that call is over, unless it goes on."""
        leg = self._legs.find(sender, word.call)
        if leg is None or not leg.is_with(AccountId(word.to)) or leg.stage is Stage.ACTIVE:
            return
        if isinstance(word, Invite | Ringing | Answer):
            leg.machine.end(MISSED)

    def back(self, node: str) -> None:
        """It may have forgotten all: it is told again of calls that are to ring there."""
        for leg in self._legs.with_node(node):
            if leg.stage in OUTGOING:
                leg.invite()

    def _tell(self, leg: Leg, word: Word) -> None:
        match word:
            case Invite():
                self._again(leg, word)
            case Ringing():
                leg.machine.rang(DeviceId(word.device), word.hello)
            case Answer():
                self._answered(leg, DeviceId(word.device))
            case Said():
                leg.machine.spoken(DeviceId(word.device), DeviceId(word.target), word.data)
            case GoesOn():
                other = None if word.other is None else DeviceId(word.other)
                leg.machine.goes_on(DeviceId(word.device), other)
            case End():
                leg.machine.end(Ending(word.reason, None))

    def _answered(self, leg: Leg, device: DeviceId) -> None:
        if leg.stage is Stage.RINGING and leg.rings_on(device):
            leg.machine.answered(device)
        elif leg.stage is Stage.ACTIVE and leg.meets(device):
            leg.say_it_goes_on()  # it has not heard that we know

    def _again(self, leg: Leg, word: Invite) -> None:
        if leg.is_caller:
            self._end(leg.peer, word, Ended.UNREACHABLE)
        elif (leg.peer_device, leg.media, leg.hello) == (word.device, word.media, word.hello):
            leg.say_again()

    def _hear_nobody(self, sender: AccountId, account: AccountId, word: Word) -> None:
        over = self._legs.over_before(account, word.call)
        if over is not None and over.peer != sender:
            over = None
        if isinstance(word, Invite):
            if over is None:
                self._invited(sender, account, word)
            else:
                self._end(sender, word, over.reason)
        elif isinstance(word, Ringing | Answer):
            self._end(sender, word, LOST.reason if over is None else over.reason)
        elif isinstance(word, GoesOn) and over is not None and over.reason is not Ended.LOST:
            self._end(sender, word, over.reason)

    def _invited(self, sender: AccountId, account: AccountId, word: Invite) -> None:
        others = self._legs.crossing(account, sender, word.call, OUTGOING)
        if others is None:
            self._legs.remember(account, word.call, sender, Ended.REPLACED)
            self._end(sender, word, Ended.REPLACED)
        elif others or self._may_ring(account, sender):
            # What takes the place of a call of one's own is not one more.
            for other in others:
                other.machine.end(REPLACED)
            self._ring(sender, account, word)
        else:
            self._end(sender, word, Ended.BUSY)

    def _may_ring(self, account: AccountId, caller: AccountId) -> bool:
        if not self._legs.may_ring(account):
            return False
        try:
            self._limits.take_ring(account, caller)
        except Problem:
            return False
        return True

    def _ring(self, sender: AccountId, account: AccountId, word: Invite) -> None:
        leg = Leg(
            self._means,
            word.call,
            account,
            sender,
            is_caller=False,
            media=word.media,
            hello=word.hello,
            peer_device=DeviceId(word.device),
        )
        self._legs.add(leg).machine.invited()

    def _end(self, sender: AccountId, word: Word, reason: Ended) -> None:
        self._means.line.say(AccountId(word.to), End(word.call, sender, reason))
