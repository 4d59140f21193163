/** The agent's HTTP interface as the page uses it: tokens, health, past calls. */
const TOKEN_KEY = 'trunkline-token';

/** An API token that the person has typed; kept for this tab only. */
export function apiToken() {
  return sessionStorage.getItem(TOKEN_KEY) ?? '';
}

export function keepApiToken(token) {
  if (token === '') sessionStorage.removeItem(TOKEN_KEY);
  else sessionStorage.setItem(TOKEN_KEY, token);
}

function bearer(token) {
  return token === '' ? {} : { Authorization: `Bearer ${token}` };
}

/**
 * Headers that may place one call (a call token of one minute, else the API token), and the STUN and TURN servers for it.
 */
export async function permitForCall() {
  const response = await fetch('v1/call-tokens', { method: 'POST', headers: bearer(apiToken()) });
  if (!response.ok) return { authorization: bearer(apiToken()), iceServers: [] };
  const { token, iceServers } = await response.json();
  return {
    authorization: bearer(typeof token === 'string' ? token : apiToken()),
    iceServers: Array.isArray(iceServers) ? iceServers : [],
  };
}

/** The same for hearing the call of others: a token of one minute is not enough for that. */
export async function permitForListening() {
  const { iceServers } = await permitForCall();
  return { authorization: bearer(apiToken()), iceServers };
}

/** `ready`, `busy` (loading or draining) or `unreachable`. */
export async function readiness() {
  try {
    const response = await fetch('readyz', { cache: 'no-store' });
    return response.ok ? 'ready' : 'busy';
  } catch {
    return 'unreachable';
  }
}

/** `{ calls }`, or `{ wantsToken: true }`, or `{ unreachable: true }`. */
export async function pastCalls() {
  try {
    const response = await fetch('v1/calls?limit=20', { headers: bearer(apiToken()), cache: 'no-store' });
    if (response.status === 401 || response.status === 403) return { wantsToken: true };
    if (!response.ok) return { unreachable: true };
    const page = await response.json();
    const calls = [page, page.data, page.calls, page.items].find(Array.isArray);
    return { calls: calls ?? [] };
  } catch {
    return { unreachable: true };
  }
}
