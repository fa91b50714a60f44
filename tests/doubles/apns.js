// Apple's push service, on node's own http2, as Apple's documents describe it:
// https://developer.apple.com/documentation/usernotifications/sending-notification-requests-to-apns
// https://developer.apple.com/documentation/usernotifications/handling-notification-responses-from-apns
// https://developer.apple.com/documentation/usernotifications/establishing-a-token-based-connection-to-apns
//
// `node apns.js KEY CERTIFICATE OPTIONS`; OPTIONS is JSON: {key: PEM of the public key, kid, team, bundle, streams}.
// Lines on standard input are orders, those on standard output say what happened.
'use strict';
const crypto = require('crypto');
const fs = require('fs');
const http2 = require('http2');
const readline = require('readline');

const [, , keyFile, certificateFile, text] = process.argv;
const options = {streams: 1000, ...JSON.parse(text)};
const say = (event) => process.stdout.write(JSON.stringify(event) + '\n');

const taken = new Map();      // device token -> how often a notification for it was taken
const answers = new Map();    // device token -> {status, reason, timestamp, retry}
const sessions = new Map();   // session -> {proved, last, alone, beyond}
let count = {connections: 0, requests: 0, refused: 0, most: 0};
let always = null, refuse = 0, stall = false, skew = 0, minimum = 0, open = 0;
let held = [], last = null;
let leave = [];               // after so many taken: {after, how, back}

const STATUS = {
  BadCollapseId: 400, BadDeviceToken: 400, BadExpirationDate: 400, BadMessageId: 400, BadPriority: 400, BadTopic: 400,
  DeviceTokenNotForTopic: 400, DuplicateHeaders: 400, IdleTimeout: 400, InvalidPushType: 400, MissingDeviceToken: 400,
  MissingTopic: 400, PayloadEmpty: 400, TopicDisallowed: 400,
  BadCertificate: 403, BadCertificateEnvironment: 403, BadEnvironmentKeyIdInToken: 403, ExpiredProviderToken: 403,
  Forbidden: 403, InvalidProviderToken: 403, MissingProviderToken: 403, UnrelatedKeyIdInToken: 403,
  BadPath: 404, MethodNotAllowed: 405, ExpiredToken: 410, Unregistered: 410, PayloadTooLarge: 413,
  TooManyProviderTokenUpdates: 429, TooManyRequests: 429, InternalServerError: 500, ServiceUnavailable: 503, Shutdown: 503,
};
const TYPES = new Set(['alert', 'background', 'location', 'voip', 'complication', 'fileprovider', 'mdm', 'liveactivity',
  'pushtotalk', 'widgets', 'controls']);
const known = new Map();      // provider token -> what is wrong with it, or ''
let issued = null;

function decoded(part) {
  try { return JSON.parse(Buffer.from(part, 'base64url').toString('utf8')); } catch { return {}; }
}

function wrongWith(token) {
  if (!/^bearer [A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+$/.test(token || '')) return 'MissingProviderToken';
  const [head, claims, signature] = token.slice(7).split('.');
  const {alg, kid} = decoded(head), {iss, iat} = decoded(claims);
  const now = Date.now() / 1000 + skew;
  if (known.get(token) === undefined) {
    const signed = crypto.verify('sha256', Buffer.from(head + '.' + claims),
      {key: options.key, dsaEncoding: 'ieee-p1363'}, Buffer.from(signature, 'base64url'));
    const right = signed && alg === 'ES256' && kid === options.kid && iss === options.team && Number.isInteger(iat);
    if (right && issued !== null && iat - issued < minimum) return 'TooManyProviderTokenUpdates';
    known.set(token, right ? '' : 'InvalidProviderToken');
    if (right) issued = iat;
  }
  if (known.get(token)) return known.get(token);
  return iat > now + 60 || iat <= now - 3600 ? 'ExpiredProviderToken' : '';
}

function wrongIn(headers, body) {
  const path = headers[':path'], device = (path.match(/^\/3\/device\/([^/]*)$/) || [])[1];
  const type = headers['apns-push-type'], topic = headers['apns-topic'];
  if (headers[':method'] !== 'POST') return 'MethodNotAllowed';
  if (device === undefined) return 'BadPath';
  if (device === '') return 'MissingDeviceToken';
  const wrong = wrongWith(headers.authorization);
  if (wrong) return wrong;
  if (['apns-id', 'apns-topic', 'apns-priority', 'apns-expiration', 'apns-collapse-id', 'apns-push-type'].some(
    (name) => (headers[name] || '').includes(', '))) return 'DuplicateHeaders';
  if (!/^([0-9a-f]{2}){32,100}$/.test(device)) return 'BadDeviceToken';
  if (!topic) return 'MissingTopic';
  if (type === undefined || !TYPES.has(type)) return 'InvalidPushType';
  if (topic !== options.bundle + (type === 'voip' ? '.voip' : '')) return 'DeviceTokenNotForTopic';
  if (!['10', '5', '1', undefined].includes(headers['apns-priority'])) return 'BadPriority';
  if (type === 'background' && headers['apns-priority'] !== '5') return 'BadPriority';
  if (headers['apns-expiration'] !== undefined && !/^[0-9]{1,12}$/.test(headers['apns-expiration'])) return 'BadExpirationDate';
  if (headers['apns-id'] !== undefined && !/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(headers['apns-id'])) return 'BadMessageId';
  if (Buffer.byteLength(headers['apns-collapse-id'] || '') > 64) return 'BadCollapseId';
  if (body.length === 0) return 'PayloadEmpty';
  if (body.length > (type === 'voip' ? 5120 : 4096)) return 'PayloadTooLarge';
  try { if (typeof JSON.parse(body).aps !== 'object') return 'PayloadEmpty'; } catch { return 'PayloadEmpty'; }
  return '';
}

function answered(stream, headers, body) {
  if (stream.destroyed || stream.closed) return;
  const state = sessions.get(stream.session);
  if (state === undefined || stream.id > state.beyond) return;
  const device = headers[':path'].slice('/3/device/'.length);
  const given = always || answers.get(device);
  const reason = wrongIn(headers, body) || (given && given.reason) || '';
  const status = reason ? (given && given.status) || STATUS[reason] : (given && given.status) || 200;
  last = {headers: Object.fromEntries(Object.entries(headers)), body: body.toString('utf8'), status, reason};
  if (status === 200) taken.set(device, (taken.get(device) || 0) + 1);
  if (status !== 403 && status !== 429 && !state.proved) {
    state.proved = true;
    stream.session.settings({maxConcurrentStreams: options.streams});
  }
  const fields = {':status': status, 'apns-id': headers['apns-id'] || crypto.randomUUID()};
  if (given && given.retry) fields['retry-after'] = given.retry;
  const document = {reason, ...(given && given.timestamp ? {timestamp: given.timestamp} : {})};
  const said = given && given.text !== undefined ? given.text : status === 200 ? '' : JSON.stringify(document);
  stream.respond(fields, {endStream: said === ''});
  if (said !== '') stream.end(said);
  if (status === 200 && leave.length && taken.size >= leave[0].after) leaves(stream.session, leave.shift());
}

function leaves(session, {how, back}) {
  // The streams that came last are said not to have been processed, and are not.
  const state = sessions.get(session);
  if (how === 'reset') { session.socket && state.socket.resetAndDestroy(); return; }
  state.beyond = Math.max(0, state.last - 2 * (back || 0));
  session.goaway(0, state.beyond);
}

function onStream(stream, headers) {
  const session = stream.session, state = sessions.get(session);
  stream.on('error', () => {});
  if (state === undefined) return;
  count.requests += 1;
  state.last = Math.max(state.last, stream.id);
  open += 1;
  count.most = Math.max(count.most, open);
  stream.on('close', () => { open -= 1; });
  if (stream.id > state.beyond) return;
  if (refuse > 0) {
    refuse -= 1;
    count.refused += 1;
    stream.close(http2.constants.NGHTTP2_REFUSED_STREAM);
    return;
  }
  const parts = [];
  stream.on('data', (part) => parts.push(part));
  stream.on('end', () => {
    const go = () => answered(stream, headers, Buffer.concat(parts));
    if (stall) held.push(go); else go();
  });
}

const server = http2.createSecureServer({
  key: fs.readFileSync(keyFile), cert: fs.readFileSync(certificateFile), settings: {maxConcurrentStreams: 1},
  minVersion: 'TLSv1.2', allowHTTP1: false,
});
server.on('session', (session) => {
  count.connections += 1;
  sessions.set(session, {proved: false, last: 0, beyond: 2 ** 31 - 1, socket: raw.get(session.socket.remotePort)});
  session.on('error', () => {});
  session.on('close', () => sessions.delete(session));
});
const raw = new Map();        // port of the other side -> socket: http2 lends its own out only partly
server.on('connection', (socket) => {
  raw.set(socket.remotePort, socket);
  const port = socket.remotePort;
  socket.on('error', () => {});
  socket.on('close', () => raw.delete(port));
});
server.on('secureConnection', (socket) => socket.on('error', () => {}));
server.on('tlsClientError', () => {});
server.on('sessionError', () => {});
server.on('stream', onStream);
server.listen(0, '127.0.0.1', () => say({event: 'listening', port: server.address().port}));

const ORDERS = {
  answers: (found) => Object.entries(found).forEach(([token, answer]) => answers.set(token, answer)),
  always: (answer) => { always = answer; },
  refuse: (many) => { refuse = many; },
  stall: (whether) => { stall = whether; if (!stall) held.splice(0).forEach((go) => go()); },
  skew: (seconds) => { skew = seconds; },
  minimum: (seconds) => { minimum = seconds; },
  leave: (when) => { leave = when; },
  leaves: (how) => [...sessions.keys()].forEach((session) => leaves(session, how)),
  forget: () => { taken.clear(); known.clear(); issued = null; count = {connections: 0, requests: 0, refused: 0, most: 0}; },
};
readline.createInterface({input: process.stdin}).on('line', (line) => {
  const order = JSON.parse(line);
  for (const [name, value] of Object.entries(order)) if (ORDERS[name]) ORDERS[name](value);
  const twice = [...taken.values()].filter((times) => times > 1).length;
  say({event: 'done', ...count, taken: taken.size, twice, held: held.length, open, last});
}).on('close', () => process.exit(0));
