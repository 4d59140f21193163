/** `/v1/webhooks`: what was delivered to whom, what waits, what was given up; and to have it sent again. */
import { Router } from 'express';
import { z } from 'zod';
import { deliveryStateSchema } from '../core/delivery';
import { TrunklineError } from '../core/errors';
import type { Access } from './access';
import { checkedBody, checkedQuery } from './checked-input';
import type { Idempotency } from './idempotency';
import type { Deliveries } from './ports';

const time = z.iso.datetime({ offset: true, error: 'Expected a time like 2026-01-31T09:30:00Z.' });

export const deliveryQuerySchema = z.strictObject({
  state: deliveryStateSchema.optional(),
  callId: z.string().max(100).optional(),
  limit: z.coerce.number().int().min(1).max(200).default(50),
  cursor: z
    .string()
    .regex(/^\d{1,18}$/, 'Expected a nextCursor.')
    .optional(),
});

export const replayBodySchema = z
  .strictObject({
    eventIds: z.array(z.string().max(100)).min(1).max(1000).optional(),
    callId: z.string().max(100).optional(),
    state: deliveryStateSchema
      .exclude(['waiting'])
      .optional()
      .describe('What became of them: given-up for dead letters.'),
    since: time.optional(),
    until: time.optional(),
  })
  .refine((body) => Object.values(body).some((value) => value !== undefined), {
    error: 'Expected something to choose by: eventIds, callId, state, since or until.',
  })
  .meta({ minProperties: 1 });

export function webhookRoutes(deliveries: Deliveries | undefined, access: Access, idempotency: Idempotency): Router {
  const router = Router();
  const known = (): Deliveries => {
    if (deliveries !== undefined) return deliveries;
    throw new TrunklineError('webhook.no-receivers', 'No receivers of webhooks are configured.', {
      fix: 'Name one under webhooks.endpoints.',
    });
  };

  router.get('/deliveries', access.require('read'), async (request, response) => {
    response.json(await known().list(checkedQuery(request, deliveryQuerySchema)));
  });

  router.post('/replay', access.require('control'), async (request, response) => {
    const answer = await idempotency.once(request, String(response.locals['tokenName']), async () => {
      const { since, until, ...chosen } = checkedBody(request, replayBodySchema);
      const replayed = await known().replay({
        ...chosen,
        since: since === undefined ? undefined : new Date(since),
        until: until === undefined ? undefined : new Date(until),
      });
      return { status: 202, body: { replayed } };
    });
    response.status(answer.status).json(answer.body);
  });

  return router;
}
