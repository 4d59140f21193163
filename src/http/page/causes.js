/** Why a call ended, in words: for the causes of the call record (src/core/call-record.ts). */
const WORDS = {
  'caller-hangup': 'caller hung up',
  'agent-hangup': 'agent hung up',
  'hangup-requested': 'ended by request',
  finished: 'finished',
  transferred: 'handed on',
  cancelled: 'cancelled',
  rejected: 'not accepted',
  busy: 'busy',
  'no-answer': 'no answer',
  unreachable: 'not reachable',
  'media-timeout': 'no audio arrived',
  'media-failed': 'audio failed',
  'engine-failed': 'the model failed',
  idle: 'nobody spoke',
  'time-limit': 'time limit',
  shutdown: 'agent stopped',
  internal: 'a fault of the agent',
  lost: 'agent was interrupted',
};

export function wordsForCause(cause) {
  return WORDS[cause] ?? String(cause).replaceAll(/[-_]/g, ' ');
}
