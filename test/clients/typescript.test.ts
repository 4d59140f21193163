/** The published client: its types are those of the OpenAPI document, and it speaks with the HTTP app. */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { createTrunkline } from '../../clients/typescript/src/index';
import { type AgentApp, startAgentApp, tokens } from '../http/agent-app';

const root = join(__dirname, '../..');

it('is not behind the OpenAPI document of the built program', () => {
  const checked = spawnSync(process.execPath, ['scripts/client.mjs', '--check'], { cwd: root, encoding: 'utf8' });
  expect(checked).toMatchObject({ status: 0, stderr: '' });
}, 120_000);

describe('the client', () => {
  let app: AgentApp;
  beforeAll(async () => {
    app = await startAgentApp();
    await app.call('c1');
  });
  afterAll(() => app.close());

  it('places a call, looks at it and steers it', async () => {
    const trunkline = createTrunkline({ url: app.base, token: tokens.control });
    const placed = await trunkline.POST('/v1/calls', { body: { to: 'sip:a@192.0.2.1', agent: 'demo' } });
    expect(placed).toMatchObject({ data: { direction: 'inbound' }, response: { status: 201 } });
    const path = { id: 'c1' };
    const read = await trunkline.GET('/v1/calls/{id}', { params: { path } });
    expect(read.data).toMatchObject({ id: 'c1', state: 'trying' });
    const acted = await trunkline.POST('/v1/calls/{id}/actions', {
      params: { path },
      body: { type: 'dtmf', digits: '12' },
    });
    expect(acted.data).toEqual({ accepted: true });
    expect(app.acted).toEqual([{ callId: 'c1', action: { type: 'dtmf', digits: '12' } }]);
  });

  it('lets nothing through the compiler that the schema does not know', async () => {
    const trunkline = createTrunkline({ url: app.base, token: tokens.control });
    const params = { path: { id: 'c1' } };
    // @ts-expect-error There is no such action.
    const { error } = await trunkline.POST('/v1/calls/{id}/actions', { params, body: { type: 'dance' } });
    expect(error).toMatchObject({ code: 'http.bad-body' });
  });

  it('answers a refusal with the problem document', async () => {
    const trunkline = createTrunkline({ url: app.base, token: 'nobody' });
    const { data, error } = await trunkline.GET('/v1/calls');
    expect(data).toBeUndefined();
    expect(error).toMatchObject({ code: 'http.unauthorised', status: 401 });
  });
});
