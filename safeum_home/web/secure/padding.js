/** What is sealed is filled up to a few sizes: it does not tell by its length what it is. */

import { malformed, Reason, Refused } from "./refused.js";

export const BUCKETS = [256, 512, 1024, 2048, 4096, 8192, 16384, 32768];

/** `plain`, 0x80, and zeros up to the next size (ISO/IEC 7816-4); throws `Refused`. */
export function padded(plain, buckets = BUCKETS) {
  const size = buckets.find((each) => plain.length < each);
  if (size === undefined) throw new Refused(Reason.TOO_LARGE);
  const octets = new Uint8Array(size);
  octets.set(plain);
  octets[plain.length] = 0x80;
  return octets;
}

/** What was filled up; throws `Refused`. */
export function unpadded(octets, buckets = BUCKETS) {
  let end = octets.length;
  while (end && octets[end - 1] === 0) end -= 1;
  const wanted = buckets.find((each) => end - 1 < each);
  if (!buckets.includes(octets.length) || octets[end - 1] !== 0x80 || wanted !== octets.length) throw malformed();
  return octets.slice(0, end - 1);
}

/** The size that a file is filled up to: Padmé (Nikitin et al., PoPETs 2019, section 4). */
export function padme(size) {
  if (size < 256) return 256;
  const exponent = Math.floor(Math.log2(size));
  const whole = 2 ** exponent > size ? exponent - 1 : 2 ** (exponent + 1) <= size ? exponent + 1 : exponent;
  const free = whole - (Math.floor(Math.log2(whole)) + 1);
  const step = 2 ** free;
  return Math.ceil(size / step) * step;
}
