// HTTP/2 over TLS on node's own http2, in front of a service that speaks HTTP/1.1 on this machine.
//
// `node http2_front.js KEY CERTIFICATE PORT STREAMS`; says {"event": "listening", "port"}, and {"event": "connected"}
// for each connection. An order on standard input has the connections go away (GOAWAY). It ends with its input.
'use strict';
const fs = require('fs');
const http = require('http');
const http2 = require('http2');
const readline = require('readline');

const [, , keyFile, certificateFile, port, streams] = process.argv;
const say = (event) => process.stdout.write(JSON.stringify(event) + '\n');
const agent = new http.Agent({keepAlive: true, maxSockets: 16});
const settings = {maxConcurrentStreams: Number(streams)};
const server = http2.createSecureServer({key: fs.readFileSync(keyFile), cert: fs.readFileSync(certificateFile), settings});
const sessions = new Set();

server.on('session', (session) => {
  sessions.add(session);
  say({event: 'connected'});
  session.on('close', () => sessions.delete(session));
  session.on('error', () => {});
});

server.on('stream', (stream, headers) => {
  stream.on('error', () => {});
  const passed = Object.fromEntries(Object.entries(headers).filter(([name]) => !name.startsWith(':')));
  const head = {method: headers[':method'], path: headers[':path'], headers: {...passed, host: headers[':authority']}};
  const behind = http.request({host: '127.0.0.1', port, agent, ...head}, (answer) => {
    const {connection, 'transfer-encoding': coding, 'keep-alive': kept, ...fields} = answer.headers;
    if (stream.destroyed || stream.closed) return answer.resume();
    stream.respond({':status': answer.statusCode, ...fields});
    answer.pipe(stream);
  });
  behind.on('error', () => { if (!stream.destroyed) stream.close(http2.constants.NGHTTP2_INTERNAL_ERROR); });
  stream.pipe(behind);
});

readline.createInterface({input: process.stdin})
  .on('line', () => { for (const session of sessions) session.close(); })
  .on('close', () => process.exit(0));
server.listen(0, '127.0.0.1', () => say({event: 'listening', port: server.address().port}));
