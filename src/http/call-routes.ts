/** `/v1/calls`: list, look at, dial, steer. No rules of calls live here; they are asked for through the ports. */
import { type Request, type Response, Router } from 'express';
import { z } from 'zod';
import { amdSchema } from '../core/answer-rules';
import { callActionSchema } from '../core/call-action';
import { retryPolicySchema, whenClosedSchema } from '../core/call-order';
import { callStateSchema } from '../core/call-record';
import { TrunklineError } from '../core/errors';
import type { Access } from './access';
import { checkedBody, checkedQuery } from './checked-input';
import type { Idempotency } from './idempotency';
import type { HttpParts } from './ports';

export const listQuerySchema = z.strictObject({
  state: callStateSchema.optional(),
  since: z.iso.datetime({ offset: true, error: 'Expected a time like 2026-01-31T09:30:00Z.' }).optional(),
  limit: z.coerce.number().int().min(1).max(200).default(50),
  cursor: z.string().max(200).optional(),
});

export const messageQuerySchema = z.strictObject({
  number: z.coerce.number().int().min(1).max(500).default(1).describe('Which of the messages of the call.'),
});

/** Names and values as RFC 3261 §25.1 has them, without line breaks: they are put into a SIP message. */
const headerName = /^[A-Za-z0-9!%*_+`'~.-]{1,100}$/;
/** What the dialog itself lives on is not for callers of the API to set. */
const ownHeaders =
  /^(via|from|to|call-id|cseq|contact|route|record-route|max-forwards|content-.*|require|proxy-.*|authorization|i|v|f|t|m|l|c|e|k)$/i;

export const dialBodySchema = z
  .strictObject({
    to: z.string().min(1).max(256),
    from: z.string().min(1).max(256).optional(),
    trunk: z.string().min(1).max(100).optional(),
    agent: z.string().min(1).max(100).optional().describe('Name of a persona.'),
    dialplan: z.string().min(1).max(100).optional().describe('A number: the call gets what its route says.'),
    headers: z
      .record(
        z
          .string()
          .regex(headerName)
          .refine((name) => !ownHeaders.test(name), { error: "Expected a header that is not the dialog's own." }),
        z
          .string()
          .max(1000)
          .regex(/^[^\r\n]*$/, 'Expected one line.')
          .refine((line) => !line.includes('\0'), { error: 'Expected one line.' }),
      )
      .optional(),
    metadata: z.record(z.string().max(100), z.unknown()).optional(),
    ringSeconds: z.int().min(1).max(300).default(60),
    retry: retryPolicySchema.optional().describe('Further attempts when nobody answers.'),
    whenClosed: whenClosedSchema.default('refuse').describe('Outside of outbound.hours.'),
    amd: amdSchema.optional().describe('Find out whether a person or a machine answers.'),
  })
  .refine((body) => (body.agent === undefined) !== (body.dialplan === undefined), {
    error: 'Expected either agent or dialplan.',
  })
  .meta({ oneOf: [{ required: ['agent'] }, { required: ['dialplan'] }] });

const erasable = [
  ['/:id', 'call'],
  ['/:id/transcript', 'transcript'],
  ['/:id/recording', 'recording'],
  ['/:id/voicemail', 'voicemail'],
] as const;

export function callRoutes(parts: HttpParts, access: Access, idempotency: Idempotency): Router {
  const router = Router();
  const { records, live } = parts;

  router.get('/', access.require('read'), async (request, response) => {
    const { since, ...query } = checkedQuery(request, listQuerySchema);
    const page = await records.list({ ...query, since: since === undefined ? undefined : new Date(since) });
    response.json(page);
  });

  router.post('/', access.require('control'), async (request, response) => {
    const answer = await idempotency.once(request, String(response.locals['tokenName']), async () => {
      const ordered = await live.dial(checkedBody(request, dialBodySchema));
      if ('waiting' in ordered) return { status: 202, body: ordered };
      const id = ordered.callId;
      const record = await records.get(id);
      return { status: 201, body: record ?? { id }, location: `${request.baseUrl}/${id}` };
    });
    if (answer.location !== undefined) response.location(answer.location);
    response.status(answer.status).json(answer.body);
  });

  router.get('/:id', access.require('read'), async (request, response) => {
    response.json(found(await records.get(idOf(request.params))));
  });

  router.get('/:id/timeline', access.require('read'), async (request, response) => {
    response.json({ events: found(await records.timeline(idOf(request.params))) });
  });

  router.get('/:id/transcript', access.require('read'), async (request, response) => {
    response.json({ turns: found(await records.transcript(idOf(request.params))) });
  });

  const sendRecording = async (request: Request, response: Response, nameOf: (callId: string) => string) => {
    const { id, state } = found(await records.get(idOf(request.params)));
    const file = state === 'ended' ? await parts.recordings?.find(nameOf(id)) : undefined;
    if (file === undefined) throw noRecording();
    // The id is that of a call we know: it names a file and nothing else. Ranges are answered for players that seek.
    await new Promise<void>((resolve, reject) => {
      const root = parts.recordings?.folder;
      response.type(file.mediaType).sendFile(file.name, { root, dotfiles: 'deny' }, (error) => {
        if (error === undefined || response.headersSent) resolve();
        else reject(noRecording());
      });
    });
  };

  router.get('/:id/recording', access.require('read'), (request, response) =>
    sendRecording(request, response, (id) => id),
  );

  router.get('/:id/voicemail', access.require('read'), (request, response) => {
    const { number } = checkedQuery(request, messageQuerySchema);
    return sendRecording(request, response, (id) => parts.recordings?.messageOf(id, number) ?? id);
  });

  for (const [path, what] of erasable) {
    router.delete(path, access.require('admin'), async (request, response) => {
      await parts.erase(idOf(request.params), what);
      response.status(204).end();
    });
  }

  router.post('/:id/actions', access.require('control'), async (request, response) => {
    const id = idOf(request.params);
    const answer = await idempotency.once(request, String(response.locals['tokenName']), async () => {
      const { state } = found(await records.get(id));
      const action = checkedBody(request, callActionSchema);
      if (state === 'ended') {
        throw new TrunklineError('call.wrong-state', 'The call has ended.', { fix: 'Its record says why.' });
      }
      await live.act(id, action);
      return { status: 202, body: { accepted: true } };
    });
    response.status(answer.status).json(answer.body);
  });

  return router;
}

function noRecording(): TrunklineError {
  return new TrunklineError('http.no-recording', 'There is no such finished recording of this call.', {
    fix: 'Set recording.enabled, or lead the call to voicemail, and wait until it has ended.',
  });
}

function idOf(params: Readonly<Record<string, string | string[] | undefined>>): string {
  const { id } = params;
  return typeof id === 'string' ? id : '';
}

function found<T>(value: T | undefined): T {
  if (value !== undefined) return value;
  throw new TrunklineError('call.not-found', 'There is no such call.', { fix: 'GET /v1/calls lists those there are.' });
}
