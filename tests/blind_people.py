"""People with whatever is personal made up at random, and the life that wakes somebody's devices."""

from ipaddress import IPv4Address, IPv6Address
from random import Random
from string import ascii_lowercase

from safeum_home.ids import AccountId, direct_chat_id
from safeum_home.ports import Published, Waking
from safeum_home.ports.push import Wake
from tests.blind_rig import TOKENS, Rig
from tests.blind_search import Secrets
from tests.world import CONSENT, LAPTOP, PASSWORD, Client, World, world_clock


class Somebody:
    """Number, name, text and address of one who writes."""

    def __init__(self, random: Random) -> None:
        self.number = f"+49171{random.randrange(10**6, 10**7)}"
        self.name = _word(random, 12).capitalize()
        self.text = f"{_word(random, 9)} {_word(random, 14)}"
        address = random.choice((_ipv4, _ipv6))(random)
        self.host = str(address)
        self.secrets: list[str | bytes] = [self.number[1:], self.name, self.text, self.host]
        if address.version == 6:
            self.secrets.append(address.packed)


def _word(random: Random, length: int) -> str:
    return "".join(random.choices(ascii_lowercase, k=length))


def _ipv4(random: Random) -> IPv4Address:
    return IPv4Address(bytes(random.randrange(100, 224) for _ in range(4)))


def _ipv6(random: Random) -> IPv6Address:
    return IPv6Address(b"\x20\x01" + random.randbytes(14))


def enter(world: World, somebody: Somebody) -> Client:
    """He proves his number, and is in."""
    ask = Client(world, somebody.host)
    verification = ask.call("verification.create", number=somebody.number)["verification"]
    ask.call("verification.request", verification=verification)
    about = {"password": PASSWORD, "device": LAPTOP, "consent": CONSENT}
    code = world.texts.code
    return ask.opened(ask.call("verification.submit", verification=verification, code=code, **about))


class BlindNode:
    """A node in memory, of which somebody has a sleeping device with each provider of push."""

    def __init__(self, seed: int) -> None:
        self._random = Random(seed)
        clock = world_clock()
        self.rig = Rig(clock)
        self.world = World(pushes=self.rig.sender, clock=clock)
        self.secrets = Secrets()
        owner = Somebody(self._random)
        self._known = False
        self._devices = {kind: self._device(kind, owner) for kind in TOKENS}
        self._owner = self._devices["apns"]
        for secret in (self._owner.account, "receiver-of-all", owner.host):
            self.secrets.add(secret)
        self._sleep()

    def live(self, people: int) -> None:
        """Each of them asks to be a contact, writes, and calls: every time all four devices are woken."""
        for _ in range(people):
            somebody = Somebody(self._random)
            client = enter(self.world, somebody)
            client.call("profile.set", profile={"display_name": somebody.name})
            client.call("contact.request", account=self._owner.account, address=self._owner.address)
            self._wake_and_sleep()
            self._owner.resume(self.world.cursor)
            self._owner.call("contact.accept", account=client.account)
            self._sleep()
            chat = direct_chat_id(AccountId(client.account), AccountId(self._owner.account))
            client.write(chat, somebody.text)
            self._wake_and_sleep()
            self._ring(client, somebody)
            self._wake_and_sleep()
            client.drop()
            for secret in (*somebody.secrets, client.account, client.device, client.token, chat):
                self.secrets.add(secret)

    def _device(self, kind: str, owner: Somebody) -> Client:
        """One that is woken by the provider of that kind."""
        enter = self.world.login if self._known else self.world.register
        device = enter("receiver-of-all", host=owner.host)
        self._known = True
        device.call("push.set", **self.rig.registration(kind))
        self.secrets.add(device.device)
        self.secrets.add(device.token)
        return device

    def _ring(self, client: Client, somebody: Somebody) -> None:
        """A call, as far as waking goes."""
        about = f'{{"from":"{client.account}","name":"{somebody.name}"}}'.encode()
        event = Published(about, wake=Waking(Wake.CALL))
        self.world.services.bus.publish(AccountId(self._owner.account), event)

    def _wake_and_sleep(self) -> None:
        self._let_pass()
        for device in self._devices.values():
            device.resume(self.world.cursor)
        self._sleep()

    def _sleep(self) -> None:
        """All devices say that they have all, and go."""
        self._let_pass()
        for device in self._devices.values():
            if not device.connection.over:
                device.call("session.ack", cursor=self.world.cursor)
                device.drop()
                device.take()
        self._let_pass(2.0)

    def _let_pass(self, seconds: float = 0.3) -> None:
        for _ in range(6):
            self.world.clock.advance(seconds / 6)
            self.rig.wire.flush()
