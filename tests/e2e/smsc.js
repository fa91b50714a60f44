// An SMS centre for one ESME (SMPP 3.4), on npm's `smpp`: `node smsc.js FOLDER_OF_MODULES PORT`.
// It writes each message that it takes as a line of JSON, and reports it delivered; numbers that end in
// 01 are reported as rejected, and numbers that end in 02 are not taken.
const smpp = require(process.argv[2] + '/smpp');

function receipt(message, id) {
  const rejected = message.destination_addr.endsWith('01');
  return {
    source_addr: message.destination_addr,
    destination_addr: message.source_addr,
    esm_class: 4,
    receipted_message_id: id,
    message_state: rejected ? 8 : 2,
    short_message: `id:${id} sub:001 dlvrd:001 submit date:2701150800 done date:2701150800 ` +
      `stat:${rejected ? 'REJECTD' : 'DELIVRD'} err:000 text:`,
  };
}

let last = 1000;
const server = smpp.createServer(session => {
  session.on('bind_transceiver', pdu => session.send(pdu.response()));
  session.on('enquire_link', pdu => session.send(pdu.response()));
  session.on('unbind', pdu => session.send(pdu.response()));
  session.on('error', () => {});
  session.on('submit_sm', pdu => {
    if (pdu.destination_addr.endsWith('02')) {
      session.send(pdu.response({command_status: smpp.ESME_RINVDSTADR}));
      return;
    }
    const id = String(++last);
    console.log(JSON.stringify({to: pdu.destination_addr, from: pdu.source_addr, text: pdu.short_message.message}));
    session.send(pdu.response({message_id: id}));
    if (pdu.registered_delivery) setTimeout(() => session.deliver_sm(receipt(pdu, id)), 50);
  });
});
server.listen(Number(process.argv[3]), '127.0.0.1');
