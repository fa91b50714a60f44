// Drives tus-js-client against a node: what is to be done comes as JSON in the first argument.
'use strict';
const fs = require('fs');
const tus = require('tus-js-client');

const task = JSON.parse(process.argv[2]);
const headers = { Authorization: `Bearer ${task.ticket}` };

function start(options) {
  return new Promise((resolve, reject) => {
    const upload = new tus.Upload(fs.createReadStream(task.path), {
      headers,
      retryDelays: [0, 100, 500, 1000, 2000, 4000],
      metadata: { filename: '../../etc/passwd', filetype: 'text/plain' },
      uploadSize: fs.statSync(task.path).size,
      ...options,
      onError: reject,
      onSuccess: () => resolve(upload),
    });
    upload.start();
  });
}

function interrupted(after) {
  return new Promise((resolve, reject) => {
    const upload = new tus.Upload(fs.createReadStream(task.path), {
      endpoint: task.endpoint,
      headers,
      chunkSize: 100000,
      metadata: { filetype: 'text/plain' },
      uploadSize: fs.statSync(task.path).size,
      onError: reject,
      onChunkComplete: (size, accepted) => {
        if (accepted >= after) upload.abort(false).then(() => resolve(upload.url), reject);
      },
      onSuccess: () => reject(new Error('it was over too soon')),
    });
    upload.start();
  });
}

async function main() {
  if (task.what === 'whole') {
    return (await start({ endpoint: task.endpoint })).url;
  }
  if (task.what === 'chunks') {
    return (await start({ endpoint: task.endpoint, chunkSize: task.chunk })).url;
  }
  if (task.what === 'resume') {
    const url = await interrupted(250000);
    return (await start({ uploadUrl: url, chunkSize: 70001 })).url;
  }
  if (task.what === 'terminate') {
    const url = await interrupted(250000);
    await tus.Upload.terminate(url, { headers });
    return url;
  }
  throw new Error(`there is no ${task.what}`);
}

main().then(
  (url) => console.log(JSON.stringify({ url })),
  (error) => {
    const answer = error.originalResponse ? error.originalResponse.getBody() : '';
    console.log(JSON.stringify({ error: `${error.message}`, answer }));
  },
);
