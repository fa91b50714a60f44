/**
 * A program in JavaScript that takes part in chats with others: a JSON object on each line of its input is a command,
 * and is answered by one. tests/secure_javascript.py speaks with it.
 */

import { createInterface } from "node:readline";

import { load, part } from "./libsodium.mjs";
import { reader } from "./reading.mjs";

const NAMES = ["index", "comparing", "octets", "sodium", "vault_content", "payloads", "strict_json", "passphrase"];
const hex = (text) => Uint8Array.from(Buffer.from(text, "hex"));
let [secure, payloads, strict, said, normal, Comparison, decode, encode, isSigned, check, People, PublicKeys, SecureChat, UniqueKey, Vault] = [];
let state = {};

/** Take part with these modules from now on. */
async function take(from) {
  const [index, comparing, octets, sodium, contents, ...others] = await Promise.all(NAMES.map(from));
  [secure, payloads, strict, { normal }] = [index, ...others];
  said = await reader(from);
  ({ Comparison } = comparing);
  ({ decode, encode } = octets);
  ({ isSigned } = sodium);
  ({ check } = contents);
  ({ People, PublicKeys, SecureChat, UniqueKey, Vault } = index);
}
await take(part);

/** What comes of each, null of what is refused. */
function each(values, read) {
  return values.map((value) => {
    try {
      return read(decode(value));
    } catch (error) {
      if (error instanceof secure.Refused) return null;
      throw error;
    }
  });
}

const COMMANDS = {
  /** Modules of another folder, from which a defence was taken out. */
  async load({ folder }) {
    await take(await load(folder));
    return null;
  },
  open({ account, master, chat, peer, now }) {
    const own = new UniqueKey(account, hex(master));
    const people = new People();
    state = { own, people, now, vault: new Vault(own), version: 0, line: new secure.OwnLine(people), former: [] };
    const { former } = state;
    const options = { chat, own, people, peer, former, now: () => state.now, vaultVersion: () => state.version };
    state.chat = new SecureChat(options);
    return own.identity(now);
  },
  knows({ account, identity }) {
    return state.people.told(account, PublicKeys.of(account, identity), state.now);
  },
  time({ now }) {
    state.now = now;
    return null;
  },
  keys_told: ({ account, keys }) => state.chat.keysTold(account, PublicKeys.read(keys)),
  take: ({ told }) => state.chat.take(told),
  past: ({ page }) => state.chat.past(page),
  say: ({ payload, reference }) => state.chat.say(payload, reference),
  admit: ({ accounts }) => state.chat.admit(accounts),
  dismiss: ({ accounts }) => state.chat.dismiss(accounts),
  members_told: ({ accounts }) => state.chat.membersTold(accounts),
  succeed({ master, line }) {
    const given = line === null ? null : secure.succession.ofText(line);
    return state.chat.succeed(new UniqueKey(state.own.account, hex(master)), given);
  },
  tell: ({ line }) => state.chat.tell(secure.succession.ofText(line)),
  know: ({ line }) => state.chat.know(secure.succession.ofText(line)) ?? null,
  is_own: ({ known, version, data }) => secure.isOwn(state.own, known, { n: version, data }),
  /** The keys before are let go. */
  forget() {
    state.former.splice(0).forEach((each) => each.wipe());
    return null;
  },
  /** Another passphrase: the vault that follows on this one, of the keys that take the place of its own. */
  move({ version, data, master, now }) {
    const next = new UniqueKey(state.own.account, hex(master));
    const content = state.vault.take(version, data);
    state.line.restore(content.own, state.own);
    const line = secure.succession.name(state.own, next.public, now, state.line.line);
    const moved = secure.moved({ ...content, previous: state.vault.previous }, state.own, next, line, now);
    state.vault.rekey(next);
    return state.vault.put(moved);
  },
  /** What a program that begins with a vault knows of its own keys, once it has told `told`. */
  line({ version, data, told }) {
    const { line } = state;
    line.restore(state.vault.take(version, data).own, state.own);
    const { unpublished } = line;
    line.published();
    for (const chat of told) line.told(chat);
    return { unpublished, keys: line.line?.keys.map((each) => each.hash) ?? [], kept: line.kept };
  },
  tick: () => state.chat.tick(),
  renew: ({ refused }) => state.chat.renew(refused ?? null) ?? null,
  members: () => Object.fromEntries(state.chat.members),
  memory: () => state.chat.memory(),
  restore: ({ memory }) => state.chat.restore(memory) ?? null,
  put({ content }) {
    const base = { ...secure.empty(state.vault.previous), people: secure.pin(state.people) };
    return state.vault.put({ ...base, ...content });
  },
  vault: ({ version, data }) => state.vault.take(version, data),
  payloads: ({ values }) => each(values, payloads.decode),
  envelopes: ({ values, key = null, place = null }) => each(values, (octets) => said(octets, key, place)),
  contents: ({ values }) => each(values, (octets) => check(strict.parse(octets))),
  merge: ({ one, other }) => secure.merge(check(one), check(other)),
  fitted: ({ content, now, room }) => secure.fitted(check(content), now, room),
  accept: ({ version, data }) => state.vault.accept(version, data),
  instead: ({ version }) => state.vault.instead(version) ?? null,
  expect: ({ version }) => state.vault.expect(version) ?? null,
  normal: ({ texts }) => texts.map(normal),
  strength: ({ text, guesses }) => secure.strength(text, () => ({ guesses_log10: guesses, score: 0, feedback: {} })),
  seal_file({ size }) {
    state.sealer = new secure.FileSealer(size);
    return null;
  },
  signed: ({ cases }) => cases.map((each) => isSigned(...each.map((octets) => decode(octets)))),
  good_for: ({ account, identities }) => identities.map((each) => PublicKeys.of(account, each) !== null),
  seal_more: ({ piece }) => encode(state.sealer.add(decode(piece))),
  seal_end() {
    const rest = [...state.sealer.end()].map(encode);
    return { rest, key: state.sealer.key, hash: state.sealer.hash };
  },
  open_file({ file }) {
    state.opener = new secure.FileOpener(file);
    return null;
  },
  open_more: ({ piece }) => encode(state.opener.add(decode(piece))),
  open_end: () => encode(state.opener.end()),
  compare({ pair, payload }) {
    const said = [];
    const home = { say: (each) => said.push(each), show: (words) => { state.words = words; }, done: (same) => { state.same = same; } };
    if (payload.kind === "compare.start") {
      state.comparison = Comparison.asked(pair, payload, { ...home, say: (each) => state.said.push(each) });
      state.said = said;
      state.comparison.agree();
    } else {
      state.said = said;
      state.comparison.heard(payload);
    }
    return { said, words: state.words ?? null };
  },
};

for await (const line of createInterface({ input: process.stdin })) {
  const { command, ...parameters } = JSON.parse(line);
  let answer;
  try {
    answer = { result: await COMMANDS[command](parameters) };
  } catch (error) {
    answer = error instanceof secure.Refused ? { refused: error.reason } : { error: error.stack };
  }
  process.stdout.write(`${JSON.stringify(answer)}\n`);
}
