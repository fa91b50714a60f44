/**
 * Secure chats, without I/O: docs/secure-chats.md specifies them. What `safeum_home/client/secure` is in Python:
 * how a program uses both is the same, and is told there.
 *
 *     import sodium from "libsodium-wrappers-sumo";
 *     import * as secure from "./secure/index.js";
 *     await sodium.ready;
 *     secure.use(sodium);
 */

export { SecureChat } from "./chat.js";
export { isKind, mayBeOpen } from "./chat_ids.js";
export { Comparison } from "./comparing.js";
export { fingerprint, safetyNumber, scanned, scanText } from "./fingerprints.js";
export { FileOpener, FileSealer, opened, sealed, sealedSize } from "./files.js";
export { moved, sealedTo } from "./moving.js";
export { OwnLine } from "./own_line.js";
export { areWords, strength, words } from "./passphrase.js";
export { News, People, Trust } from "./people.js";
export { isBound, PublicKeys } from "./public_keys.js";
export { Reason, Refused } from "./refused.js";
export * as succession from "./succession.js";
export { use } from "./sodium.js";
export { UniqueKey } from "./unique_key.js";
export { isOwn, Vault } from "./vault.js";
export { empty, merge, pin, restore } from "./vault_content.js";
export { fitted } from "./vault_room.js";
