/** The OpenAPI 3.1 document, made from the very schemas that requests are checked against. */
import { z } from 'zod';
import { callActionSchema } from '../core/call-action';
import { type CallEventType, callEventData, callEventTypes } from '../core/call-event';
import { waitingCallSchema } from '../core/call-order';
import { callRecordSchema, turnRecordSchema } from '../core/call-record';
import { qualityTraceSchema, sipTraceSchema } from '../core/call-trace';
import { deliverySchema } from '../core/delivery';
import { dialplanCheckSchema, dialplanDecisionSchema, dialplanRulesSchema } from '../core/dialplan-view';
import { dialBodySchema, listQuerySchema, messageQuerySchema } from './call-routes';
import { routeQuerySchema } from './dialplan-routes';
import { eventQuerySchema } from './event-stream';
import { deliveryQuerySchema, replayBodySchema } from './webhook-routes';

type Json = Readonly<Record<string, unknown>>;

const json = (schema: Json): Json => ({ content: { 'application/json': { schema } } });
const answer = (description: string, schema?: Json): Json => ({ description, ...(schema ? json(schema) : {}) });
const ref = (name: string): Json => ({ $ref: `#/components/schemas/${name}` });
const problem: Json = {
  description: 'A problem document (RFC 9457).',
  content: { 'application/problem+json': { schema: ref('Problem') } },
};
const callId: Json = { name: 'id', in: 'path', required: true, schema: { type: 'string' } };
const idempotencyKey: Json = {
  name: 'Idempotency-Key',
  in: 'header',
  description: 'The same key and body again: done once, answered twice.',
  schema: { type: 'string', pattern: '^[!-~]{1,255}$' },
};
const listOf = (name: string, items: Json, more: Json = {}): Json => ({
  type: 'object',
  required: [name],
  properties: { [name]: { type: 'array', items }, ...more },
});
const text = (description: string, mediaType: string): Json => ({
  description,
  content: { [mediaType]: { schema: { type: 'string' } } },
});
const binary: Json = { schema: { type: 'string', contentMediaType: 'application/octet-stream' } };
const number: Json = { ...callId, name: 'number' };
const readinessSchema: Json = {
  type: 'object',
  required: ['ready', 'waitingFor'],
  properties: { ready: { type: 'boolean' }, waitingFor: { type: 'array', items: { type: 'string' } } },
};
const aliveSchema: Json = {
  type: 'object',
  required: ['status', 'version'],
  properties: { status: { const: 'alive' }, version: { type: 'string' } },
};
const callTokenSchema: Json = {
  type: 'object',
  required: ['token', 'expiresInSeconds', 'iceServers'],
  properties: {
    token: { type: 'string' },
    expiresInSeconds: { type: 'number' },
    iceServers: {
      type: 'array',
      items: {
        type: 'object',
        required: ['urls'],
        properties: { urls: { type: 'string' }, username: { type: 'string' }, credential: { type: 'string' } },
      },
    },
  },
};
const cursor = { nextCursor: { type: 'string', description: 'Of the next page; left out on the last one.' } };

function schemaOf(schema: z.ZodType, io: 'input' | 'output' = 'output'): Json {
  const { $schema: _dialect, ...rest } = z.toJSONSchema(schema, { io, unrepresentable: 'any' });
  return rest;
}

function queryParameters(schema: z.ZodObject): readonly Json[] {
  return Object.entries(schema.shape).map(([name, member]) => ({
    name,
    in: 'query',
    ...(member instanceof z.ZodType && !member.safeParse(undefined).success ? { required: true } : {}),
    schema: member instanceof z.ZodType ? schemaOf(member, 'input') : {},
  }));
}

export function openApiDocument(version: string): Json & { readonly paths: Readonly<Record<string, object>> } {
  const open = (operationId: string, summary: string, responses: Json, parameters: readonly Json[] = []): Json => ({
    ...{ operationId, summary, security: [], parameters, responses },
  });
  const operation = (operationId: string, summary: string, rest: Json): Json => ({
    ...{ operationId, summary, security: [{ bearer: [] }], ...rest },
  });
  const erase = (operationId: string, summary: string): Json => ({
    delete: operation(operationId, summary, {
      parameters: [callId],
      responses: { 204: answer('It is gone, or was.'), 409: problem, default: problem },
    }),
  });
  const read = (operationId: string, summary: string, schema: Json, parameters: readonly Json[] = [callId]): Json => ({
    get: operation(operationId, summary, { parameters, responses: { 200: answer('OK', schema), default: problem } }),
  });
  const sound = (operationId: string, summary: string, parameters: readonly Json[]): Json => ({
    get: operation(operationId, summary, {
      parameters,
      responses: {
        200: { description: 'The sound.', content: { 'audio/wav': binary, 'audio/ogg': binary } },
        default: problem,
      },
    }),
  });
  return {
    openapi: '3.1.0',
    info: {
      title: 'Trunkline',
      version,
      description: 'A telephony voice agent. Errors are problem documents (RFC 9457) with a stable `code`.',
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    paths: {
      '/healthz': { get: open('isAlive', 'Alive.', { 200: answer('Alive.', aliveSchema) }) },
      '/readyz': {
        get: open('isReady', 'Ready to take a call.', {
          200: answer('Ready.', readinessSchema),
          503: answer('Not yet, or draining.', readinessSchema),
        }),
      },
      '/metrics': { get: open('getMetrics', 'Prometheus figures.', { 200: text('Figures.', 'text/plain') }) },
      '/openapi.json': {
        get: open('getOpenApi', 'This document.', { 200: answer('OpenAPI 3.1.', { type: 'object' }) }),
      },
      '/docs': { get: open('getDocs', 'This document, to read.', { 200: text('A page.', 'text/html') }) },
      '/v1/calls': {
        ...read(
          'listCalls',
          'Calls, newest first.',
          listOf('calls', ref('Call'), cursor),
          queryParameters(listQuerySchema),
        ),
        post: operation('dial', 'Dial out.', {
          parameters: [idempotencyKey],
          requestBody: { required: true, ...json(ref('Dial')) },
          responses: {
            201: {
              ...answer('The call.', ref('Call')),
              headers: { Location: { required: true, schema: { type: 'string' } } },
            },
            202: answer('It waits for the hours at which we may call.', {
              type: 'object',
              required: ['waiting'],
              properties: { waiting: ref('WaitingCall') },
            }),
            default: problem,
          },
        }),
      },
      '/v1/calls/{id}': {
        ...read('getCall', 'One call.', ref('Call')),
        ...erase('eraseCall', 'Erase all that is kept of an ended call.'),
      },
      '/v1/calls/{id}/timeline': read('getTimeline', 'Its events.', listOf('events', ref('Event'))),
      '/v1/calls/{id}/transcript': {
        ...read('getTranscript', 'What was said.', listOf('turns', ref('Turn'))),
        ...erase('eraseTranscript', 'Erase what was said and typed.'),
      },
      '/v1/calls/{id}/recording': {
        ...sound('getRecording', 'What was heard: stereo, left the caller, right the agent.', [callId]),
        ...erase('eraseRecording', 'Erase the recording.'),
      },
      '/v1/calls/{id}/voicemail': {
        ...sound('getVoicemail', 'A message that the caller left: mono.', [
          callId,
          ...queryParameters(messageQuerySchema),
        ]),
        ...erase('eraseVoicemail', 'Erase the messages that the caller left.'),
      },
      '/v1/calls/{id}/sip': read('getSip', 'Its SIP messages, secrets masked.', schemaOf(sipTraceSchema)),
      '/v1/calls/{id}/quality': read(
        'getQuality',
        'Its loss, jitter and opinion score over time.',
        schemaOf(qualityTraceSchema),
      ),
      '/v1/calls/{id}/pcap': {
        get: operation(
          'getPcap',
          'Its SIP messages and, once it has ended, its newest RTP packets, as a capture file.',
          {
            parameters: [callId],
            responses: {
              200: { description: 'The capture.', content: { 'application/vnd.tcpdump.pcap': binary } },
              default: problem,
            },
          },
        ),
      },
      '/v1/calls/{id}/actions': {
        post: operation('act', 'Steer a live call.', {
          parameters: [callId, idempotencyKey],
          requestBody: { required: true, ...json(ref('Action')) },
          responses: {
            202: answer('Accepted.', {
              type: 'object',
              required: ['accepted'],
              properties: { accepted: { const: true } },
            }),
            409: problem,
            default: problem,
          },
        }),
      },
      '/v1/dialplan': read('getDialplan', 'The rules in use.', schemaOf(dialplanRulesSchema), []),
      '/v1/dialplan/route': read(
        'routeCall',
        'Which rule a call would take, and why not the ones before it.',
        schemaOf(dialplanDecisionSchema),
        queryParameters(routeQuerySchema),
      ),
      '/v1/dialplan/check': read(
        'checkDialplan',
        'Whether the files of the dialplan are right, as they lie there now.',
        schemaOf(dialplanCheckSchema),
        [],
      ),
      '/v1/waiting': read(
        'listWaiting',
        'Calls that were ordered and are not placed yet.',
        listOf('waiting', ref('WaitingCall')),
        [],
      ),
      '/v1/waiting/{id}': {
        delete: operation('cancelWaiting', 'Take one back.', {
          parameters: [callId],
          responses: { 204: answer('It will not be placed.'), default: problem },
        }),
      },
      '/v1/webhooks/deliveries': read(
        'listDeliveries',
        'What became of each event at each receiver, the newest first.',
        listOf('deliveries', ref('Delivery'), cursor),
        queryParameters(deliveryQuerySchema),
      ),
      '/v1/webhooks/replay': {
        post: operation('replayDeliveries', 'Send again what was delivered or given up.', {
          parameters: [idempotencyKey],
          requestBody: { required: true, ...json(ref('Replay')) },
          responses: {
            202: answer('Under way.', {
              type: 'object',
              required: ['replayed'],
              properties: { replayed: { type: 'integer' } },
            }),
            default: problem,
          },
        }),
      },
      '/v1/call-tokens': {
        post: {
          ...operation('createCallToken', 'A token of one minute for the page, and the ICE servers for its call.', {
            responses: { 201: answer('The token.', callTokenSchema), default: problem },
          }),
          // Our own page on loopback has none.
          security: [{ bearer: [] }, {}],
        },
      },
      '/v1/health': {
        get: operation(
          'getHealth',
          'Readiness, and the state of SIP: listening places, registrations at trunks, softphones.',
          { responses: { 200: answer('As it is now.', { type: 'object' }), default: problem } },
        ),
      },
      '/v1/events': {
        get: operation(
          'streamEvents',
          'Events as they happen (server-sent); with Last-Event-ID, what was missed first.',
          {
            parameters: queryParameters(eventQuerySchema),
            responses: { 200: text('A stream.', 'text/event-stream'), default: problem },
          },
        ),
      },
      '/listen/{id}': {
        post: operation('listenIn', 'Hear both sides of a live call by WHIP; heard by neither.', {
          parameters: [callId],
          requestBody: { required: true, content: { 'application/sdp': { schema: { type: 'string', minLength: 1 } } } },
          responses: { 201: text('The answer.', 'application/sdp'), default: problem },
        }),
      },
      '/whip/{number}': {
        post: operation('placeWebCall', 'Place a call by WHIP (RFC 9725).', {
          parameters: [number],
          requestBody: { required: true, content: { 'application/sdp': { schema: { type: 'string', minLength: 1 } } } },
          responses: { 201: text('The answer.', 'application/sdp'), default: problem },
        }),
      },
      '/whip/{number}/{id}': {
        patch: operation('addCandidates', 'Candidates found later, or ICE anew (trickle ICE, RFC 8840).', {
          parameters: [
            ...[number, callId],
            { name: 'If-Match', in: 'header', required: true, schema: { type: 'string', minLength: 1 } },
          ],
          requestBody: {
            required: true,
            content: { 'application/trickle-ice-sdpfrag': { schema: { type: 'string', minLength: 1 } } },
          },
          responses: {
            200: text('ICE has begun anew.', 'application/trickle-ice-sdpfrag'),
            204: answer('Taken.'),
            default: problem,
          },
        }),
        delete: operation('hangUpWebCall', 'Hang up.', {
          parameters: [number, callId],
          responses: { 200: answer('The call is ended.'), default: problem },
        }),
      },
    },
    webhooks: Object.fromEntries(callEventTypes.map((type) => [type, webhookOf(type)])),
    components: {
      securitySchemes: { bearer: { type: 'http', scheme: 'bearer' } },
      schemas: {
        Call: schemaOf(callRecordSchema),
        Turn: schemaOf(turnRecordSchema),
        WaitingCall: schemaOf(waitingCallSchema),
        Dial: schemaOf(dialBodySchema, 'input'),
        Action: schemaOf(callActionSchema, 'input'),
        Delivery: schemaOf(deliverySchema),
        Replay: schemaOf(replayBodySchema, 'input'),
        Event: { oneOf: callEventTypes.map(eventSchema) },
        Problem: {
          type: 'object',
          required: ['type', 'title', 'status', 'code'],
          properties: {
            type: { type: 'string' },
            title: { type: 'string' },
            status: { type: 'integer' },
            code: { type: 'string' },
            detail: { type: 'string', description: 'What to do about it.' },
            errors: {
              type: 'array',
              items: {
                type: 'object',
                required: ['path', 'message'],
                properties: { path: { type: 'string' }, message: { type: 'string' } },
              },
            },
          },
        },
      },
    },
  };
}

function eventSchema(type: CallEventType): Json {
  return {
    type: 'object',
    required: ['id', 'type', 'callId', 'sequence', 'occurredAt', 'data'],
    properties: {
      id: { type: 'string' },
      type: { const: type },
      callId: { type: 'string' },
      sequence: { type: 'integer', minimum: 1 },
      occurredAt: { type: 'string', format: 'date-time' },
      data: schemaOf(callEventData[type]),
    },
  };
}

function webhookOf(type: CallEventType): Json {
  return {
    post: {
      requestBody: json(eventSchema(type)),
      responses: {
        '2XX': answer('Taken. May carry actions.', {
          type: 'object',
          properties: { actions: { type: 'array', items: ref('Action') } },
        }),
      },
    },
  };
}
