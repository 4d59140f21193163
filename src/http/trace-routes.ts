/** `/v1/calls/ID/sip`, `/quality` and `/pcap`: what is kept of a call for people who look into it. */
import { Router } from 'express';
import type { CallRecords } from '../core/call-records';
import type { CallTraceReader } from '../core/call-trace';
import { TrunklineError } from '../core/errors';
import type { Access } from './access';

export function traceRoutes(records: CallRecords, traces: CallTraceReader | undefined, access: Access): Router {
  const router = Router();
  const known = async (params: Readonly<Record<string, string | string[] | undefined>>): Promise<string> => {
    const { id } = params;
    const record = typeof id === 'string' ? await records.get(id) : undefined;
    if (record !== undefined) return record.id;
    throw new TrunklineError('call.not-found', 'There is no such call.', {
      fix: 'GET /v1/calls lists those there are.',
    });
  };

  router.get('/:id/sip', access.require('read'), async (request, response) => {
    const id = await known(request.params);
    response.set('Cache-Control', 'no-store').json(traces?.sip(id) ?? { messages: [], dropped: 0 });
  });

  router.get('/:id/quality', access.require('read'), async (request, response) => {
    const id = await known(request.params);
    response.set('Cache-Control', 'no-store').json(traces?.quality(id) ?? { intervalMs: 2000, samples: [] });
  });

  router.get('/:id/pcap', access.require('read'), async (request, response) => {
    const id = await known(request.params);
    const capture = traces?.pcap(id);
    if (capture === undefined) {
      throw new TrunklineError('http.no-capture', 'Nothing is kept of what passed on the wire for this call.', {
        fix: 'Traces are of calls since the start; trace in the configuration says how much is kept.',
      });
    }
    response
      .set({ 'Cache-Control': 'no-store', 'Content-Disposition': `attachment; filename="${id}.pcap"` })
      .type('application/vnd.tcpdump.pcap')
      .send(Buffer.from(capture.buffer, capture.byteOffset, capture.byteLength));
  });

  return router;
}
