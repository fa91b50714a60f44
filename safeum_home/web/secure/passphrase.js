/** What a unique key is made of: a passphrase, or words that are generated. */

import { utf8 } from "./octets.js";
import { Reason, Refused } from "./refused.js";
import { fresh, lib } from "./sodium.js";
import { WORDS } from "./words.js";

/** Below 10^12 guesses a passphrase is refused. */
export const FLOOR = 12;
export const COUNTS = [12, 15, 18, 21, 24];
const MOST = 1024;
const LOOKED_AT = 72;

/** New random words of the English list of BIP-39, with single spaces between them. */
export function words(count = 12) {
  const entropy = fresh((count * 4) / 3);
  return spelt(entropy);
}

/** The words that stand for octets (BIP-39). */
export function spelt(entropy) {
  const check = lib().crypto_hash_sha256(entropy);
  const bits = [...entropy, check[0]].map((octet) => octet.toString(2).padStart(8, "0")).join("");
  const count = (entropy.length * 3) / 4;
  return Array.from({ length: count }, (_, at) => WORDS[Number.parseInt(bits.slice(11 * at, 11 * at + 11), 2)]).join(" ");
}

/** What Unicode calls white space, and four separators that other languages take for it. */
const SPACE = /[\p{White_Space}\x1c-\x1f]+/u; // eslint-disable-line no-control-regex

/** The one written form of a passphrase: NFKC, white space at its ends gone and single within. */
export function normal(text) {
  return text.normalize("NFKC").split(SPACE).filter(Boolean).join(" ");
}

/** Whether these are generated words: their last bits check them. */
export function areWords(text) {
  const listed = normal(text).split(" ");
  const places = listed.map((word) => WORDS.indexOf(word));
  if (!COUNTS.includes(listed.length) || places.includes(-1)) return false;
  const bits = places.map((place) => place.toString(2).padStart(11, "0")).join("");
  const size = (listed.length * 4) / 3;
  const entropy = Uint8Array.from({ length: size }, (_, at) => Number.parseInt(bits.slice(8 * at, 8 * at + 8), 2));
  return spelt(entropy) === listed.join(" ");
}

/**
 * How strong it is, as the logarithm to base 10 of the guesses that it takes. `zxcvbn` is the function of that
 * package, which is handed in; generated words need none.
 */
export function strength(text, zxcvbn) {
  const passphrase = normal(text);
  if (!passphrase) return { guesses: 0, score: 0, advice: "" };
  if (areWords(passphrase)) return { guesses: (passphrase.split(" ").length * 32 * 0.30103) / 3, score: 4, advice: "" };
  const found = zxcvbn([...passphrase].slice(0, LOOKED_AT).join(""));
  return { guesses: found.guesses_log10, score: found.score, advice: found.feedback.warning ?? "" };
}

/** Whether it is strong enough to be taken. */
export function isStrong(text, zxcvbn) {
  return strength(text, zxcvbn).guesses >= FLOOR;
}

/** What is stretched: to be wiped after use. Throws `Refused` for what is too long, or too weak. */
export function octetsOf(text, zxcvbn, evenWeak = false) {
  const passphrase = normal(text);
  const octets = utf8(passphrase);
  if (octets.length > MOST) throw new Refused(Reason.TOO_LARGE);
  if (!evenWeak && !isStrong(passphrase, zxcvbn)) throw new Refused(Reason.WEAK_PASSPHRASE);
  return octets;
}
