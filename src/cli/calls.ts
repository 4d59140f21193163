/** `trunkline calls`, `calls show`, `hangup`: the running agent's calls. */
import { z } from 'zod';
import { loadConfig } from '../config';
import { callEventSchema } from '../core/call-event';
import { type CallRecord, callRecordSchema, turnRecordSchema } from '../core/call-record';
import { ApiClient } from './api-client';
import { type Arguments, type Command, configFlag, exitCodes } from './command';

const pageSchema = z.object({ calls: z.array(callRecordSchema), nextCursor: z.string().optional() });
const idPlace = { name: 'ID', required: true };

export const callsList: Command = {
  name: 'calls',
  summary: 'the newest calls of the running agent',
  flags: [{ name: 'follow', summary: 'then go on with events as they happen' }, configFlag],
  positionals: [],
  async run(given, terminal) {
    const client = clientFor(given);
    const { calls } = await client.get('/v1/calls?limit=20', pageSchema);
    for (const call of [...calls].reverse()) terminal.out(callLine(call));
    if (!given.has('follow')) return exitCodes.fine;
    for await (const data of client.events('/v1/events')) {
      const event = callEventSchema.safeParse(JSON.parse(data));
      if (!event.success) continue;
      const { occurredAt, callId, type, data: facts } = event.data;
      terminal.out(`${occurredAt}  ${callId}  ${type}  ${JSON.stringify(facts)}`);
    }
    return exitCodes.fine;
  },
};

export const callsShow: Command = {
  name: 'calls show',
  summary: 'one call: record, transcript and timeline',
  flags: [configFlag],
  positionals: [idPlace],
  async run(given, terminal) {
    const client = clientFor(given);
    const path = `/v1/calls/${encodeURIComponent(given.positional('ID') ?? '')}`;
    const call = await client.get(path, callRecordSchema);
    const { turns } = await client.get(`${path}/transcript`, z.object({ turns: z.array(turnRecordSchema) }));
    const { events } = await client.get(`${path}/timeline`, z.object({ events: z.array(callEventSchema) }));
    terminal.out(JSON.stringify(call, null, 2));
    for (const turn of turns) {
      terminal.out(
        `${turn.role === 'user' ? 'caller' : 'agent '}  ${turn.text}${turn.interrupted ? ' (interrupted)' : ''}`,
      );
    }
    for (const event of events) terminal.out(`${event.occurredAt}  ${event.type}`);
    return exitCodes.fine;
  },
};

export const hangup: Command = {
  name: 'hangup',
  summary: 'end a call of the running agent',
  flags: [configFlag],
  positionals: [idPlace],
  async run(given, terminal) {
    const id = given.positional('ID') ?? '';
    await clientFor(given).post(`/v1/calls/${encodeURIComponent(id)}/actions`, { type: 'hangup' });
    terminal.out(`${id} is hung up.`);
    return exitCodes.fine;
  },
};

function clientFor(given: Arguments): ApiClient {
  return ApiClient.fromConfig(loadConfig({ file: given.text('config') }));
}

function callLine(call: CallRecord): string {
  const end = call.cause === undefined ? call.state : `${call.state} (${call.cause})`;
  return `${call.startedAt}  ${call.id}  ${call.direction}  ${call.from} -> ${call.to}  ${end}`;
}
