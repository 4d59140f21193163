/** Asks the agent in this container whether it is alive (/healthz); exit code 0 or 1. HEALTH_URL names another place. */
import { get as getPlain } from 'node:http';
import { get as getSecure } from 'node:https';

const port = process.env.TRUNKLINE_HTTP_PORT || '8080';
const url = process.env.HEALTH_URL || `http://127.0.0.1:${port}/healthz`;
const get = url.startsWith('https:') ? getSecure : getPlain;
// The certificate is that of the name outside, and we ask on loopback.
const request = get(url, { rejectUnauthorized: false, timeout: 4_000 }, (response) => {
  process.exit(response.statusCode === 200 ? 0 : 1);
});
request.on('timeout', () => request.destroy());
request.on('error', () => process.exit(1));
