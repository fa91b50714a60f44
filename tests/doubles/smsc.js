// An SMSC, with npm's `smpp` for the protocol. It answers each message as its `mode` says.
// Lines on standard input: {"mode": ..., "after": ...}. Lines on standard output: what happened.
'use strict';
const fs = require('fs');
const readline = require('readline');
const smpp = require('smpp');

let mode = {mode: 'ok'};
let open = 0, most = 0, count = 0;
const held = [];
const sessions = new Set();
const say = (event) => process.stdout.write(JSON.stringify(event) + '\n');

function text(pdu) {
  const body = pdu.message_payload || pdu.short_message;
  return (body && body.message !== undefined) ? body.message : body;
}

function submitted(session, pdu) {
  count += 1;
  most = Math.max(most, ++open);
  const id = 'm' + count;
  say({event: 'submit', to: pdu.destination_addr, from: pdu.source_addr, ton: pdu.source_addr_ton,
       npi: pdu.source_addr_npi, to_ton: pdu.dest_addr_ton, to_npi: pdu.dest_addr_npi, coding: pdu.data_coding,
       registered: pdu.registered_delivery, validity: pdu.validity_period, payload: 'message_payload' in pdu,
       text: text(pdu), most: most});
  const answer = (status) => {
    open -= 1;
    session.send(pdu.response({command_status: status, message_id: status ? '' : id}));
  };
  switch (mode.mode) {
    case 'ok': return answer(0);
    case 'receipt':
      answer(0);
      return mode.reports.forEach((report) => session.deliver_sm({
        source_addr: pdu.destination_addr, destination_addr: pdu.source_addr, esm_class: 4,
        short_message: report.text === undefined ? '' : report.text.replace('ID', id),
        ...(report.state === undefined ? {} : {receipted_message_id: id, message_state: report.state}),
      }, (response) => say({event: 'receipt', status: response.command_status})));
    case 'status': return answer(mode.status);
    case 'nack':
      return session.send(new smpp.PDU('generic_nack', {command_status: 3, sequence_number: pdu.sequence_number}));
    case 'hold': return held.push(answer);
    case 'hang': return undefined;
    case 'drop': return session.destroy();
  }
}

function connected(session) {
  sessions.add(session);
  session.on('error', () => {});
  session.on('close', () => { sessions.delete(session); say({event: 'close'}); });
  session.on('bind_transceiver', (pdu) => {
    const right = pdu.system_id === 'home' && pdu.password === 'correct';
    say({event: 'bind', right: right, version: pdu.interface_version, type: pdu.system_type});
    if (mode.mode === 'mute') return;
    session.send(pdu.response({command_status: right ? 0 : (mode.refuse || smpp.ESME_RINVPASWD)}));
  });
  session.on('submit_sm', (pdu) => submitted(session, pdu));
  session.on('enquire_link', (pdu) => { if (mode.mode !== 'hang') session.send(pdu.response()); say({event: 'enquiry'}); });
  session.on('unbind', (pdu) => {
    say({event: 'unbind'});
    if (mode.mode !== 'hang') { session.send(pdu.response()); session.close(); }
  });
}

const options = process.argv[2] ? {key: fs.readFileSync(process.argv[2]), cert: fs.readFileSync(process.argv[3])} : {};
const server = smpp.createServer(options, connected);
server.listen(0, '127.0.0.1', () => say({event: 'listening', port: server.address().port}));
readline.createInterface({input: process.stdin}).on('line', (line) => {
  const order = JSON.parse(line);
  if (order.mode) { mode = order; say({event: 'mode'}); }
  if (order.release) held.splice(0, order.release).forEach((answer) => answer(0));
  if (order.raw) sessions.forEach((session) => session.socket.write(Buffer.from(order.raw, 'hex')));
  if (order.unbind) sessions.forEach((session) => session.unbind(() => say({event: 'unbound'})));
  if (order.enquire) sessions.forEach((session) => session.enquire_link(() => say({event: 'alive'})));
  if (order.message) sessions.forEach((session) => session.deliver_sm(
    {source_addr: '447700900123', destination_addr: 'home', short_message: 'id:x stat:DELIVRD'},
    (response) => say({event: 'receipt', status: response.command_status})));
}).on('close', () => process.exit(0));
