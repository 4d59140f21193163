/** `/v1/waiting`: calls that were ordered and are not placed yet. */
import { Router } from 'express';
import { TrunklineError } from '../core/errors';
import type { Access } from './access';
import type { LiveCalls } from './ports';

export function waitingRoutes(live: LiveCalls, access: Access): Router {
  const router = Router();

  router.get('/', access.require('read'), (_request, response) => {
    response.json({ waiting: live.waiting() });
  });

  router.delete('/:id', access.require('control'), (request, response) => {
    const { id } = request.params;
    if (typeof id !== 'string' || !live.cancelWaiting(id)) {
      throw new TrunklineError('call.not-waiting', 'There is no such call waiting.', {
        fix: 'GET /v1/waiting lists those there are; one that has been placed is found at /v1/calls.',
      });
    }
    response.status(204).end();
  });

  return router;
}
