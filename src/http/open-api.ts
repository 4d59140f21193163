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
const idempotencyKey: Json = { name: 'Idempotency-Key', in: 'header', schema: { type: 'string', maxLength: 255 } };

function schemaOf(schema: z.ZodType, io: 'input' | 'output' = 'output'): Json {
  const { $schema: _dialect, ...rest } = z.toJSONSchema(schema, { io, unrepresentable: 'any' });
  return rest;
}

function queryParameters(schema: z.ZodObject): readonly Json[] {
  return Object.entries(schema.shape).map(([name, member]) => ({
    name,
    in: 'query',
    schema: member instanceof z.ZodType ? schemaOf(member, 'input') : {},
  }));
}

export function openApiDocument(version: string): Json & { readonly paths: Readonly<Record<string, object>> } {
  const secured = { security: [{ bearer: [] }] };
  const operation = (summary: string, rest: Json): Json => ({ summary, ...secured, ...rest });
  const erase = (summary: string): Json => ({
    delete: operation(summary, {
      parameters: [callId],
      responses: { 204: answer('It is gone, or was.'), 409: problem, default: problem },
    }),
  });
  const read = (summary: string, schema: Json, parameters: readonly Json[] = [callId]): Json => ({
    get: operation(summary, {
      parameters,
      responses: { 200: answer('OK', schema), default: problem },
    }),
  });
  return {
    openapi: '3.1.0',
    info: { title: 'Trunkline', version, license: { name: 'Apache-2.0', identifier: 'Apache-2.0' } },
    paths: {
      '/healthz': { get: { summary: 'Alive.', security: [], responses: { 200: answer('Alive.') } } },
      '/readyz': {
        get: {
          summary: 'Ready to take a call.',
          security: [],
          responses: { 200: answer('Ready.'), 503: answer('Not yet, or draining.') },
        },
      },
      '/metrics': { get: { summary: 'Prometheus figures.', security: [], responses: { 200: answer('Text.') } } },
      '/v1/calls': {
        ...read(
          'Calls, newest first.',
          {
            type: 'object',
            properties: { calls: { type: 'array', items: ref('Call') }, nextCursor: { type: 'string' } },
          },
          queryParameters(listQuerySchema),
        ),
        post: operation('Dial out.', {
          parameters: [idempotencyKey],
          requestBody: { required: true, ...json(ref('Dial')) },
          responses: {
            201: answer('The call.', ref('Call')),
            202: answer('It waits for the hours at which we may call.', {
              type: 'object',
              properties: { waiting: schemaOf(waitingCallSchema) },
            }),
            default: problem,
          },
        }),
      },
      '/v1/calls/{id}': { ...read('One call.', ref('Call')), ...erase('Erase all that is kept of an ended call.') },
      '/v1/calls/{id}/timeline': read('Its events.', {
        type: 'object',
        properties: { events: { type: 'array', items: ref('Event') } },
      }),
      '/v1/calls/{id}/transcript': {
        ...read('What was said.', {
          type: 'object',
          properties: { turns: { type: 'array', items: ref('Turn') } },
        }),
        ...erase('Erase what was said and typed.'),
      },
      '/v1/calls/{id}/recording': {
        ...erase('Erase the recording.'),
        get: operation('What was heard: stereo WAV, left the caller, right the agent.', {
          parameters: [callId],
          responses: {
            200: { description: 'The recording.', content: { 'audio/wav': {}, 'audio/ogg': {} } },
            default: problem,
          },
        }),
      },
      '/v1/calls/{id}/voicemail': {
        ...erase('Erase the message.'),
        get: operation('The message that the caller left: mono.', {
          parameters: [callId, ...queryParameters(messageQuerySchema)],
          responses: {
            200: { description: 'The message.', content: { 'audio/wav': {}, 'audio/ogg': {} } },
            default: problem,
          },
        }),
      },
      '/v1/calls/{id}/sip': read('Its SIP messages, secrets masked.', schemaOf(sipTraceSchema)),
      '/v1/calls/{id}/quality': read('Its loss, jitter and opinion score over time.', schemaOf(qualityTraceSchema)),
      '/v1/calls/{id}/pcap': {
        get: operation('Its SIP messages and, once it has ended, its newest RTP packets, as a capture file.', {
          parameters: [callId],
          responses: {
            200: { description: 'The capture.', content: { 'application/vnd.tcpdump.pcap': {} } },
            default: problem,
          },
        }),
      },
      '/v1/calls/{id}/actions': {
        post: operation('Steer a live call.', {
          parameters: [callId, idempotencyKey],
          requestBody: { required: true, ...json(ref('Action')) },
          responses: { 202: answer('Accepted.'), 409: problem, default: problem },
        }),
      },
      '/v1/dialplan': read('The rules in use.', schemaOf(dialplanRulesSchema), []),
      '/v1/dialplan/route': read(
        'Which rule a call would take, and why not the ones before it.',
        schemaOf(dialplanDecisionSchema),
        queryParameters(routeQuerySchema),
      ),
      '/v1/dialplan/check': read(
        'Whether the files of the dialplan are right, as they lie there now.',
        schemaOf(dialplanCheckSchema),
        [],
      ),
      '/v1/waiting': read(
        'Calls that were ordered and are not placed yet.',
        { type: 'object', properties: { waiting: { type: 'array', items: schemaOf(waitingCallSchema) } } },
        [],
      ),
      '/v1/waiting/{id}': {
        delete: operation('Take one back.', {
          parameters: [callId],
          responses: { 204: answer('It will not be placed.'), default: problem },
        }),
      },
      '/v1/webhooks/deliveries': read(
        'What became of each event at each receiver, the newest first.',
        {
          type: 'object',
          properties: { deliveries: { type: 'array', items: ref('Delivery') }, nextCursor: { type: 'string' } },
        },
        queryParameters(deliveryQuerySchema),
      ),
      '/v1/webhooks/replay': {
        post: operation('Send again what was delivered or given up.', {
          parameters: [idempotencyKey],
          requestBody: { required: true, ...json(ref('Replay')) },
          responses: {
            202: answer('Under way.', { type: 'object', properties: { replayed: { type: 'integer' } } }),
            default: problem,
          },
        }),
      },
      '/v1/call-tokens': {
        post: operation('A token of one minute for the page, and the ICE servers for its call.', {
          responses: {
            201: answer('The token.', {
              type: 'object',
              properties: {
                token: { type: 'string' },
                expiresInSeconds: { type: 'number' },
                iceServers: {
                  type: 'array',
                  items: {
                    type: 'object',
                    properties: {
                      urls: { type: 'string' },
                      username: { type: 'string' },
                      credential: { type: 'string' },
                    },
                  },
                },
              },
            }),
            default: problem,
          },
        }),
      },
      '/v1/health': {
        get: operation('Readiness, and the state of SIP: listening places, registrations at trunks, softphones.', {
          responses: { 200: answer('As it is now.'), default: problem },
        }),
      },
      '/v1/events': {
        get: operation('Events as they happen (server-sent); with Last-Event-ID, what was missed first.', {
          parameters: queryParameters(eventQuerySchema),
          responses: { 200: { description: 'A stream.', content: { 'text/event-stream': {} } }, default: problem },
        }),
      },
      '/whip/{number}': {
        post: operation('Place a call by WHIP (RFC 9725).', {
          parameters: [{ name: 'number', in: 'path', required: true, schema: { type: 'string' } }],
          requestBody: { required: true, content: { 'application/sdp': {} } },
          responses: { 201: { description: 'The answer.', content: { 'application/sdp': {} } }, default: problem },
        }),
      },
    },
    webhooks: Object.fromEntries(callEventTypes.map((type) => [type, webhookOf(type)])),
    components: {
      securitySchemes: { bearer: { type: 'http', scheme: 'bearer' } },
      schemas: {
        Call: schemaOf(callRecordSchema),
        Turn: schemaOf(turnRecordSchema),
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
              items: { type: 'object', properties: { path: { type: 'string' }, message: { type: 'string' } } },
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
