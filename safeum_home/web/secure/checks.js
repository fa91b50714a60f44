/** Values from outside, of which each is checked: throws `Refused` for what is not as it should be. */

import { malformed } from "./refused.js";

export const ACCOUNT = /^@[a-z2-7]{26}:[a-z0-9.:[\]-]{1,255}$/;
export const CHAT = /^![a-z2-7]{26}$/;
// The last character has bits that stand for nothing: they are zeros in the one form that octets have.
export const HASH = /^[A-Za-z0-9_-]{42}[AEIMQUYcgkosw048]$/;
export const STREAM = /^[A-Za-z0-9_-]{21}[AQgw]$/;
export const BOXED = /^[A-Za-z0-9_-]{106}[AEIMQUYcgkosw048]$/;
export const CURSOR = /^[A-Za-z0-9_-]{22}$/;
export const FILE = /^F[a-z2-7]{26}$/;
export const FILE_NAME = /^(?!\.{1,2}$)[^\x00-\x1f\x7f-\x9f/\\\u2028\u2029]{1,255}$/u; // eslint-disable-line no-control-regex
export const MEDIA_TYPE = /^[A-Za-z0-9][A-Za-z0-9!#$&^_.+-]{0,126}\/[A-Za-z0-9][A-Za-z0-9!#$&^_.+-]{0,126}$/;

const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;

function must(holds) {
  if (!holds) throw malformed();
}

export function aText(value, { least = 0, most, pattern = null }) {
  must(typeof value === "string" && value.isWellFormed());
  const size = characters(value);
  must(size >= least && size <= most && (!pattern || pattern.test(value)));
  return value;
}

/** How many there are: of two UTF-16 units for some. */
function characters(text) {
  let size = text.length;
  for (let at = 0; at < text.length; at += 1) if ((text.charCodeAt(at) & 0xfc00) === 0xd800) size -= 1;
  return size;
}

export function named(value, pattern) {
  return aText(value, { least: 1, most: 300, pattern });
}

export function anInteger(value, least = 0, most = 2 ** 53 - 1) {
  must(Number.isSafeInteger(value) && value >= least && value <= most);
  return value;
}

export function truth(value) {
  must(typeof value === "boolean");
  return value;
}

export function anObject(value) {
  must(value !== null && typeof value === "object" && !Array.isArray(value));
  return value;
}

export function aList(value, each, least, most) {
  must(Array.isArray(value) && value.length >= least && value.length <= most);
  return value.map(each);
}

/** An object whose names and values are checked. */
export function entries(value, name, each, most) {
  const all = Object.entries(anObject(value));
  must(all.length <= most);
  return Object.fromEntries(all.map(([key, inner]) => [name(key), each(inner)]));
}

export function oneOf(value, values) {
  must(values.includes(value));
  return value;
}

/** Octets in base64, of which there are at most `most`. */
export function octets(value, most) {
  must(typeof value === "string" && value.length <= Math.ceil(most / 3) * 4 && BASE64.test(value));
  const plain = Uint8Array.from(atob(value), (character) => character.charCodeAt(0));
  must(plain.length <= most);
  return plain;
}

/** What is left out where it is not there, or is null. */
export function optional(value, check) {
  return value === undefined || value === null ? undefined : check(value);
}

/** An account, in its one form: its node, too. */
export function account(value) {
  return named(value, ACCOUNT);
}

export function aHash(value) {
  return named(value, HASH);
}
