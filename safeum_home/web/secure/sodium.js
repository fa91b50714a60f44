/** libsodium (libsodium-wrappers-sumo), which is handed in once it is ready, and what is made of it here. */

let sodium;

/** Take libsodium: `await sodium.ready; use(sodium)`, before anything else of this module is called. */
export function use(instance) {
  sodium = instance;
}

export const KEY = 32;
export const NONCE = 24;
export const TAG = 16;
export const BOX = 48;
export const SIGNATURE = 64;
const BLAKE2B = 384;

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

/** What libsodium's `crypto_box_seal` makes of octets, 48 more; throws for a key of small order. */
export function boxTo(key, octets) {
  const secret = fresh(KEY);
  const ephemeral = sodium.crypto_scalarmult_base(secret);
  const sealed = new Uint8Array(octets.length + BOX);
  sealed.set(ephemeral);
  sealed.set(key, KEY);
  const nonce = sodium.crypto_generichash(NONCE, sealed.subarray(0, 2 * KEY));
  sealed.set(sodium.crypto_box_easy(octets, nonce, key, secret), KEY);
  sodium.memzero(secret);
  return sealed;
}

/**
 * BLAKE2b (RFC 7693) of octets; `person` is a text that says what is hashed, `key` makes it a key derivation.
 * The wrappers show this function without a message alone, so it is called below them.
 */
export function digest(octets, person, size = 32, key = new Uint8Array(0)) {
  const raw = sodium.libsodium;
  const given = [octets, key, new Uint8Array(16), new TextEncoder().encode(person.padEnd(16, "\0"))];
  const sizes = [...given.map((each) => each.length), size];
  const places = sizes.map((each) => raw._malloc(Math.max(1, each)));
  try {
    given.forEach((each, at) => raw.HEAPU8.set(each, places[at]));
    const [message, secret, salt, personal, out] = places;
    const failed = raw._crypto_generichash_blake2b_salt_personal(
      out, size, message, octets.length, 0, key.length ? secret : 0, key.length, salt, personal,
    );
    if (failed) throw new Error("BLAKE2b failed");
    return raw.HEAPU8.slice(out, out + size);
  } finally {
    places.forEach((place, at) => {
      raw.HEAPU8.fill(0, place, place + sizes[at]);
      raw._free(place);
    });
  }
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

/** Whether 64 octets are the Ed25519 signature (RFC 8032) of a key over octets. */
export function isSigned(sign, octets, signature) {
  try {
    return sodium.crypto_sign_verify_detached(signature, octets, sign);
  } catch {
    return false;
  }
}

export function sign(octets, secret) {
  return sodium.crypto_sign_detached(octets, secret);
}

/** XChaCha20-Poly1305: `plain` encrypted, and bound to `about`. */
export function seal(plain, about, nonce, key) {
  return sodium.crypto_aead_xchacha20poly1305_ietf_encrypt(plain, about, null, nonce, key);
}

/** What was sealed; null where it was not so. */
export function open(sealed, about, nonce, key) {
  try {
    return sodium.crypto_aead_xchacha20poly1305_ietf_decrypt(null, sealed, about, nonce, key);
  } catch {
    return null;
  }
}
