/** Short authentication strings: emoji and numbers that two people compare (Matrix's "SAS method: emoji"). */

/** Octets that they are made of. */
export const SIZE = 11;
const TABLE = (
  "🐶 Dog/🐱 Cat/🦁 Lion/🐎 Horse/🦄 Unicorn/🐷 Pig/🐘 Elephant/🐰 Rabbit/🐼 Panda/🐓 Rooster/" +
  "🐧 Penguin/🐢 Turtle/🐟 Fish/🐙 Octopus/🦋 Butterfly/🌷 Flower/🌳 Tree/🌵 Cactus/🍄 Mushroom/" +
  "🌏 Globe/🌙 Moon/☁️ Cloud/🔥 Fire/🍌 Banana/🍎 Apple/🍓 Strawberry/🌽 Corn/🍕 Pizza/🎂 Cake/" +
  "❤️ Heart/😀 Smiley/🤖 Robot/🎩 Hat/👓 Glasses/🔧 Spanner/🎅 Santa/👍 Thumbs Up/☂️ Umbrella/" +
  "⌛ Hourglass/⏰ Clock/🎁 Gift/💡 Light Bulb/📕 Book/✏️ Pencil/📎 Paperclip/✂️ Scissors/" +
  "🔒 Lock/🔑 Key/🔨 Hammer/☎️ Telephone/🏁 Flag/🚂 Train/🚲 Bicycle/✈️ Aeroplane/🚀 Rocket/" +
  "🏆 Trophy/⚽ Ball/🎸 Guitar/🎺 Trumpet/🔔 Bell/⚓ Anchor/🎧 Headphones/📁 Folder/📌 Pin"
).split("/").map((entry) => {
  const [symbol, ...name] = entry.split(" ");
  return { symbol, name: name.join(" ") };
});

/** What 11 octets look like: the first 42 bits as seven emoji, the next 39 as three numbers of four digits. */
export function words(octets) {
  const bits = octets.reduce((all, octet) => (all << 8n) | BigInt(octet), 0n);
  const emoji = [0n, 1n, 2n, 3n, 4n, 5n, 6n].map((place) => TABLE[Number((bits >> (82n - 6n * place)) & 63n)]);
  const numbers = [33n, 20n, 7n].map((shift) => String(1000 + Number((bits >> shift) & 8191n)));
  return { emoji, numbers };
}
