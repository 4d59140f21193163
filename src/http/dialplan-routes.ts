/** `/v1/dialplan`: its rules, which of them a call would take, and whether its files are right. Nothing is changed by it. */
import { Router } from 'express';
import { z } from 'zod';
import type { DialplanView } from '../core/dialplan-view';
import type { Access } from './access';
import { checkedQuery } from './checked-input';

const short = z.string().max(256);
const header = z
  .string()
  .max(1000)
  .regex(/^[^=]{1,100}=/, 'Expected NAME=VALUE.');

export const routeQuerySchema = z.strictObject({
  to: short.min(1).describe('The called number.'),
  from: short.optional().describe('The caller.'),
  trunk: short.optional(),
  language: short.optional().describe('Accept-Language of the caller.'),
  at: z.iso
    .datetime({ offset: true, error: 'Expected a time like 2026-01-31T09:30:00Z.' })
    .optional()
    .describe('Now, if left out.'),
  header: z
    .union([header, z.array(header).max(20)])
    .optional()
    .describe('NAME=VALUE of a SIP header; may come several times.'),
});

export function dialplanRoutes(dialplan: DialplanView, access: Access, nowMs: () => number): Router {
  const router = Router();

  router.get('/', access.require('read'), (_request, response) => {
    response.json(dialplan.rules());
  });

  router.get('/route', access.require('read'), (request, response) => {
    const { to, from = '', trunk, language, at, header: given = [] } = checkedQuery(request, routeQuerySchema);
    const headers = Object.fromEntries(
      [given].flat().map((pair) => [pair.slice(0, pair.indexOf('=')), pair.slice(pair.indexOf('=') + 1)]),
    );
    const when = at === undefined ? new Date(nowMs()) : new Date(at);
    response.json(dialplan.route({ number: to, caller: from, trunk, language, headers, at: when }));
  });

  router.get('/check', access.require('read'), (_request, response) => {
    response.set('Cache-Control', 'no-store').json(dialplan.check());
  });

  return router;
}
