/** What octets say, in a form that tests can compare: octets in base64url, members as pairs. */

const NAMES = ["envelope", "epoch", "message", "octets", "roster", "succession"];

/** A reader with the modules of `from`: of an envelope, and, with a key and a place, of what is sealed in it. */
export async function reader(from) {
  const [envelopes, epochs, messages, { decode, encode, Reader }, rosters, succession] = await Promise.all(NAMES.map(from));
  const { Kind, Place } = envelopes;

  function message(envelope, key, place) {
    const sealed = messages.read(envelope);
    if (key === null) return [sealed.epoch, encode(sealed.nonce), encode(sealed.sealed)];
    const { at, vault, seen, payload } = messages.open(envelope, sealed, new Place(...place), decode(key));
    return [at, vault, seen.map((each) => [each.stream, each.number, each.half]), encode(payload)];
  }

  function epoch(envelope) {
    const { at, commitment, roster, previous, members } = epochs.read(envelope);
    return [at, commitment, roster, previous, ...[...members].map(([account, each]) => [account, each.hash, encode(each.extra)])];
  }

  return (octets, key, place) => {
    const envelope = envelopes.read(encode(octets));
    const { kind, quiet, stream, number, previous } = envelope.head;
    const head = [kind, quiet, stream, number, previous];
    if (kind === Kind.EPOCH) return [...head, ...epoch(envelope)];
    if (kind === Kind.MESSAGE) return [...head, ...message(envelope, key, place)];
    if (kind === Kind.SUCCESSION) return [...head, encode(succession.take(new Reader(envelope.content)).octets)];
    const { at, previous: before, members } = rosters.read(envelope);
    return [...head, at, before, ...members];
  };
}
