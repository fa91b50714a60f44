"""`python -m tests.secure_timing`: what a message of 200 octets costs in a group of 50, each side, amortised.

Processor time of everything from the text to the envelope and back, epochs included: one in 100 messages.
"""

from time import process_time

from twisted.internet.task import Clock

from safeum_home.client.secure.events import Post, Received, Told
from safeum_home.client.secure.payloads import Text
from tests.secure_case import START, Program, account, unique_key

SIZE = 50
MESSAGES = 2000
TEXT = "x" * 200


def programs() -> tuple[Program, Program]:
    """Two of the members, each of whom knows all of them."""
    clock = Clock()
    clock.advance(START)
    keys = [unique_key(number) for number in range(SIZE)]
    alice, bob = (
        Program(number, clock).knows(*(key for key in keys if key is not keys[number])) for number in (0, 1)
    )
    (post,) = alice.chat.admit(account(number) for number in range(SIZE)).posts
    for each in (alice, bob):
        each.chat.take(told(alice, post))
    return alice, bob


def told(sender: Program, post: Post) -> Told:
    return Told(sender.account, post.data[-40:], post.data, post.quiet)


def measure() -> tuple[float, float, int]:
    """Microseconds for each message: to say it, and to take it; and how many epochs there were."""
    alice, bob = programs()
    begun = process_time()
    posts = [post for _ in range(MESSAGES) for post in alice.chat.say(Text(TEXT), "r").posts]
    said = process_time() - begun
    envelopes = [told(alice, post) for post in posts]
    begun = process_time()
    received = sum(isinstance(event, Received) for each in envelopes for event in bob.chat.take(each).events)
    taken = process_time() - begun
    assert received == MESSAGES
    return said / MESSAGES * 1e6, taken / MESSAGES * 1e6, len(posts) - MESSAGES


if __name__ == "__main__":
    saying, taking, epochs = min(measure() for _ in range(3))
    print(f"{MESSAGES} messages of {len(TEXT)} octets to {SIZE} members, {epochs} epochs:")
    print(f"    to say one {saying:.0f} us, to take one {taking:.0f} us")
