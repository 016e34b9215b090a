// The same job as fetch_bench's for undici: CPU a request, as one JSON object.
// SPDX-License-Identifier: BSL-1.0
// Usage: NODE_PATH=DIRECTORY_WITH_UNDICI node undici.cjs undici|undici-retry URL BODY_SIZE CONNECTIONS REQUESTS
'use strict';
const undici = require('undici');

const [client, url, bodySize, connections, requests] = process.argv.slice(2);
const { origin, pathname } = new URL(url);
const agent = new undici.Agent({ connections: Number(connections), pipelining: 1 });
const dispatcher =
  client === 'undici'
    ? agent
    : new undici.RetryAgent(agent, { maxRetries: 9, minTimeout: 0, maxTimeout: 0, timeoutFactor: 1 });

const warmUp = 4 * connections;
const total = warmUp + Number(requests);
let begun = 0;
let ended = 0;
let failed = 0;
let first;
let last;

async function fetchAll() {
  while (begun < total) {
    ++begun;
    try {
      const response = await dispatcher.request({ origin, path: pathname, method: 'GET' });
      const body = await response.body.arrayBuffer();
      if (response.statusCode !== 200 || body.byteLength !== Number(bodySize)) ++failed;
    } catch {
      ++failed;
    }
    ++ended;
    if (ended === warmUp) first = process.cpuUsage();
    if (ended === total) last = process.cpuUsage(first);
  }
}

Promise.all(Array.from({ length: Number(connections) }, fetchAll)).then(() => {
  const cpu = ((last.user + last.system) * 1000) / requests;
  console.log(JSON.stringify({ requests: Number(requests), cpu_ns: cpu, failed }));
  return agent.close();
});
