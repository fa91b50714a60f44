"""Short authentication strings: what two people compare, to know that nobody is between their devices.

Seven of 64 emoji, of the table of the Matrix specification (client-server API, "SAS method: emoji"), and
three numbers of four digits for those who cannot see them: 42 and 39 bits, which are not the same.
"""

from typing import NamedTuple

SIZE = 11
"""Octets that they are made of: they have to follow from all that was agreed on, and from nothing before."""
EMOJI = 7
_TABLE = (
    "🐶 Dog/🐱 Cat/🦁 Lion/🐎 Horse/🦄 Unicorn/🐷 Pig/🐘 Elephant/🐰 Rabbit/🐼 Panda/🐓 Rooster/"
    "🐧 Penguin/🐢 Turtle/🐟 Fish/🐙 Octopus/🦋 Butterfly/🌷 Flower/🌳 Tree/🌵 Cactus/🍄 Mushroom/"
    "🌏 Globe/🌙 Moon/☁️ Cloud/🔥 Fire/🍌 Banana/🍎 Apple/🍓 Strawberry/🌽 Corn/🍕 Pizza/🎂 Cake/"
    "❤️ Heart/😀 Smiley/🤖 Robot/🎩 Hat/👓 Glasses/🔧 Spanner/🎅 Santa/👍 Thumbs Up/☂️ Umbrella/"
    "⌛ Hourglass/⏰ Clock/🎁 Gift/💡 Light Bulb/📕 Book/✏️ Pencil/📎 Paperclip/✂️ Scissors/"
    "🔒 Lock/🔑 Key/🔨 Hammer/☎️ Telephone/🏁 Flag/🚂 Train/🚲 Bicycle/✈️ Aeroplane/🚀 Rocket/"
    "🏆 Trophy/⚽ Ball/🎸 Guitar/🎺 Trumpet/🔔 Bell/⚓ Anchor/🎧 Headphones/📁 Folder/📌 Pin"
)


class Emoji(NamedTuple):
    """One of the table. Names are for those who read it out."""

    symbol: str
    name: str


TABLE = tuple(Emoji(*entry.split(" ", 1)) for entry in _TABLE.split("/"))


class Words(NamedTuple):
    """What both sides see, where there is nobody between them."""

    emoji: tuple[Emoji, ...]
    numbers: tuple[str, str, str]

    def __str__(self) -> str:
        return f"{' '.join(each.name for each in self.emoji)} · {' '.join(self.numbers)}"


def words(octets: bytes) -> Words:
    """What 11 octets look like: the first 42 bits as emoji, the next 39 as numbers from 1000 to 9191."""
    assert len(octets) == SIZE
    bits = int.from_bytes(octets, "big")
    emoji = tuple(TABLE[bits >> (82 - 6 * place) & 0x3F] for place in range(EMOJI))
    first, second, third = (str(1000 + (bits >> shift & 0x1FFF)) for shift in (33, 20, 7))
    return Words(emoji, (first, second, third))
