/** libsodium (libsodium-wrappers-sumo), which is handed in once it is ready, and what is made of it here. */

let sodium;
/** Where in libsodium's memory calls are laid out, and its size; anew for each libsodium. */
let desk = null;
const DESK = 65536;

/** Take libsodium: `await sodium.ready; use(sodium)`, before anything else of this module is called. */
export function use(instance) {
  sodium = instance;
  desk = null;
}

export const KEY = 32;
export const NONCE = 24;
export const TAG = 16;
export const BOX = 48;
export const SIGNATURE = 64;
const SECRET = 64;
const BLAKE2B = 384;
const NOTHING = new Uint8Array(0);

/** libsodium itself. */
export function lib() {
  return sodium;
}

/** Random octets, of the engine: libsodium asks for four at a time. */
export function fresh(size = KEY) {
  return globalThis.crypto.getRandomValues(new Uint8Array(size));
}

/** Zero octets. JavaScript, and libsodium's own memory, may have copies: docs/secure-chats.md. */
export function wipe(...several) {
  for (const octets of several) {
    if (octets) sodium.memzero(octets);
  }
}

/**
 * Call libsodium below its wrappers, which copy keys into memory that they let go as it is, and have no BLAKE2b with
 * a message and a person. `work(raw, places, out)` is given the places of `parts`, which lie one after the other, and
 * that of `size` octets behind them, which are the result where it answers 0: null otherwise. All is zeroed then.
 */
function call(parts, size, work) {
  const raw = sodium.libsodium;
  let whole = size;
  for (const part of parts) whole += part.length;
  const isSmall = whole <= DESK;
  if (isSmall) desk ??= raw._malloc(DESK);
  const begin = isSmall ? desk : raw._malloc(whole);
  let end = begin;
  const places = [];
  for (const part of parts) {
    raw.HEAPU8.set(part, end);
    places.push(end);
    end += part.length;
  }
  try {
    return work(raw, places, end) ? null : raw.HEAPU8.slice(end, end + size);
  } finally {
    raw.HEAPU8.fill(0, begin, begin + whole);
    if (!isSmall) raw._free(begin);
  }
}

/** The X25519 key (RFC 7748) that goes with a secret one. */
export function publicOf(secret) {
  return call([secret], KEY, (raw, [at], out) => raw._crypto_scalarmult_base(out, at));
}

/** What both come to; null for a key of small order (RFC 7748, section 6.1). */
export function agree(secret, key) {
  return call([secret, key], KEY, (raw, [own, theirs], out) => raw._crypto_scalarmult(out, own, theirs));
}

/** The Ed25519 key pair of a seed: `{publicKey, privateKey}`, the latter seed and public key. */
export function signingOf(seed) {
  const pair = call([seed], KEY + SECRET, (raw, [at], out) => raw._crypto_sign_seed_keypair(out, out + KEY, at));
  const made = { publicKey: pair.slice(0, KEY), privateKey: pair.slice(KEY) };
  wipe(pair);
  return made;
}

/**
 * What libsodium's `crypto_box_seal` makes of octets for each of these keys, 48 more. One ephemeral key is for all of
 * them, which takes a third of the cost away; nonces differ as the keys do. Throws for a key of small order.
 */
export function boxesTo(keys, octets) {
  const secret = fresh(KEY);
  try {
    const mine = publicOf(secret);
    return keys.map((key) => boxTo(key, octets, mine, secret));
  } finally {
    wipe(secret);
  }
}

function boxTo(key, octets, mine, secret) {
  const sealed = new Uint8Array(octets.length + BOX);
  sealed.set(mine);
  sealed.set(key, KEY);
  const nonce = digest(sealed.subarray(0, 2 * KEY), "", NONCE);
  const box = call([octets, nonce, key, secret], octets.length + TAG, (raw, [plain, once, other, own], out) => (
    raw._crypto_box_easy(out, plain, octets.length, 0, once, other, own)
  ));
  if (box === null) throw new Error("nothing can be sealed to this key");
  sealed.set(box, KEY);
  return sealed;
}

/** The octets in a box to a key pair; null where it is none, or is for somebody else. */
export function openBox(sealed, key, secret) {
  if (sealed.length < BOX) return null;
  return call([sealed, key, secret], sealed.length - BOX, (raw, [box, open, own], out) => (
    raw._crypto_box_seal_open(out, box, sealed.length, 0, open, own)
  ));
}

const persons = new Map();

function personal(person) {
  if (!persons.has(person)) persons.set(person, new TextEncoder().encode(person.padEnd(16, "\0")));
  return persons.get(person);
}

const SALT = new Uint8Array(16);

/** BLAKE2b (RFC 7693) of octets; `person` is a text that says what is hashed, `key` makes it a key derivation. */
export function digest(octets, person, size = 32, key = NOTHING) {
  const made = call([octets, key, SALT, personal(person)], size, (raw, [message, secret, salt, who], out) => (
    raw._crypto_generichash_blake2b_salt_personal(
      out, size, message, octets.length, 0, key.length ? secret : 0, key.length, salt, who,
    )
  ));
  if (key.length) digest(NOTHING, ""); // the last result stays on libsodium's stack
  return made;
}

/** The same hash, without a key, of octets that come one after the other. */
export class Digest {
  #state = sodium.libsodium._malloc(BLAKE2B);

  constructor(person) {
    const raw = sodium.libsodium;
    const about = raw._malloc(32);
    raw.HEAPU8.fill(0, about, about + 32);
    raw.HEAPU8.set(new TextEncoder().encode(person), about + 16);
    const failed = raw._crypto_generichash_blake2b_init_salt_personal(this.#state, 0, 0, 32, about, about + 16);
    raw._free(about);
    if (failed) throw new Error("BLAKE2b failed");
  }

  add(octets) {
    const raw = sodium.libsodium;
    const place = raw._malloc(Math.max(1, octets.length));
    raw.HEAPU8.set(octets, place);
    raw._crypto_generichash_blake2b_update(this.#state, place, octets.length, 0);
    raw._free(place);
  }

  /** Of all of them, once. */
  end() {
    const raw = sodium.libsodium;
    const out = raw._malloc(32);
    raw._crypto_generichash_blake2b_final(this.#state, out, 32);
    const hash = raw.HEAPU8.slice(out, out + 32);
    raw._free(out);
    this.wipe();
    return hash;
  }

  /** Give the memory back. Twice is harmless. */
  wipe() {
    if (this.#state !== null) sodium.libsodium._free(this.#state);
    this.#state = null;
  }
}

/** Whether 64 octets are the Ed25519 signature (RFC 8032) of a key over some octets, one after the other. */
export function isSigned(sign, signature, ...octets) {
  if (sign.length !== KEY || signature.length !== SIGNATURE) return false;
  return call([sign, signature, ...octets], 0, (raw, [key, signed, message], end) => (
    raw._crypto_sign_verify_detached(signed, message, end - message, 0, key)
  )) !== null;
}

/** The signature of some octets, one after the other; `secret` is seed and public key. */
export function sign(secret, ...octets) {
  if (secret.length !== SECRET) throw new Error("not a key to sign with");
  return call([secret, ...octets], SIGNATURE, (raw, [key, message], out) => (
    raw._crypto_sign_detached(out, 0, message, out - message, 0, key)
  ));
}

/** XChaCha20-Poly1305: `plain` encrypted, and bound to `about`. */
export function seal(plain, about, nonce, key) {
  sized(nonce, key);
  return call([plain, about, nonce, key], plain.length + TAG, (raw, [message, bound, once, secret], out) => (
    raw._crypto_aead_xchacha20poly1305_ietf_encrypt(
      out, 0, message, plain.length, 0, bound, about.length, 0, 0, once, secret,
    )
  ));
}

/** What was sealed; null where it was not so. */
export function open(sealed, about, nonce, key) {
  sized(nonce, key);
  if (sealed.length < TAG) return null;
  return call([sealed, about, nonce, key], sealed.length - TAG, (raw, [message, bound, once, secret], out) => (
    raw._crypto_aead_xchacha20poly1305_ietf_decrypt(
      out, 0, 0, message, sealed.length, 0, bound, about.length, 0, once, secret,
    )
  ));
}

function sized(nonce, key) {
  if (nonce.length !== NONCE || key.length !== KEY) throw new Error("not a nonce, or a key");
}
