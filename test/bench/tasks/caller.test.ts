/**
 * The scripted callers on paper: every task is played with the agent's own forms and the desk's own service and tables, with hearing
 * and thinking left out. Whoever is heard word for word must leave the rows that the task expects.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type PostgresServer, postgresIsThere, startPostgres } from '../../../src/bench/own-postgres';
import {
  beginning,
  type CallerStep,
  type Errands,
  hearAgent,
  hearSilence,
  interruption,
} from '../../../src/bench/tasks/caller';
import { type Desk, openDesk } from '../../../src/bench/tasks/desk';
import { differences, expectedRows, resolveRows, told } from '../../../src/bench/tasks/grade';
import { readTasks, type Task } from '../../../src/bench/tasks/script';
import { formsOf } from '../../../src/bench/tasks-bench';
import { type FormState, hear, openForm, question } from '../../../src/call/forms/form';
import type { Database } from '../../../src/store/database';
import { openEmbeddedDatabase } from '../../../src/store/embedded-database';
import { postgresDatabase } from '../../../src/store/postgres-database';
import { workerEntry } from '../../../src/workers/locate';

const folder = join(__dirname, '../../fixtures/tasks');
const tasks = readTasks(join(folder, 'tasks.yaml'));
const today = '2026-11-28';

describe('the scripted callers, heard word for word', () => {
  let scratch: string;
  let server: PostgresServer | undefined;
  let database: Database;
  let desk: Desk;

  beforeAll(async () => {
    scratch = mkdtempSync(join(tmpdir(), 'desk-'));
    server = postgresIsThere() ? await startPostgres() : undefined;
    database =
      server === undefined
        ? await openEmbeddedDatabase(scratch, workerEntry('database'))
        : postgresDatabase(server.url);
    desk = await openDesk(database);
  }, 120_000);
  afterAll(async () => {
    await desk?.close();
    await database?.close();
    server?.remove();
    rmSync(scratch, { recursive: true, force: true });
  }, 60_000);

  it.each(tasks.map((task) => [task.id, task] as const))('%s leaves what it expects', async (_id, task) => {
    await desk.lay(resolveRows(task.given, today));
    const talk = await play(task, desk.url);
    expect({ wrong: differences(expectedRows(task, today), await desk.look()).map(told), talk: talk.at(-1) }).toEqual({
      wrong: [],
      talk: 'it was done',
    });
    const said = talk.join('\n');
    for (const { asks, changes, refuses } of task.errands) {
      for (const line of [asks?.line, changes?.line, refuses?.line])
        if (line !== undefined) expect(said).toContain(line);
    }
  });

  it('do once what is repeated with its Idempotency-Key, and refuse what is no request', async () => {
    await desk.lay(resolveRows({}, today));
    const headers = { 'idempotency-key': 'call_1_tool_1', 'content-type': 'application/json' };
    const post = (path: string, body: string) => fetch(`${desk.url}${path}`, { method: 'POST', headers, body });
    const booking = JSON.stringify({ name: 'Brown', at: '2027-03-23T14:30' });
    expect((await post('/appointments', booking)).status).toBe(200);
    expect((await post('/appointments', booking)).status).toBe(200);
    for (const body of ['', '[]', '{"name":"Brown"}', '{"name":1,"at":2}', '{"name":"Brown","at":"soon"}']) {
      expect((await post('/appointments', body)).status).toBe(400);
    }
    expect((await post('/callbacks', '{"phone":"no number"}')).status).toBe(400);
    expect((await fetch(`${desk.url}/`)).status).toBe(404);
    expect((await desk.look()).appointments).toEqual([{ name: 'Brown', at: '2027-03-23 14:30' }]);
  });
});

/** The call without sound: what is said, line by line; the last one is why the caller hung up. */
async function play(task: Task, url: string): Promise<string[]> {
  const forms = formsOf(join(folder, 'dialplan'), task.route);
  const errands: Errands = { list: task.errands, forms, today };
  const talk: string[] = [];
  let state = beginning;
  let tool: string | undefined;
  let form: FormState | undefined;
  let agent: string | undefined = 'Good day. How can I help you?';
  for (let turn = 0; turn < 40; turn += 1) {
    const step: CallerStep | undefined =
      agent === undefined
        ? hearSilence(errands, state)
        : (interruption(errands, state) ?? hearAgent(errands, state, agent));
    talk.push(`agent: ${agent ?? '…'}`);
    state = step.state;
    const { line } = step;
    if (line.do === 'hang-up') return [...talk, line.because];
    if (line.do === 'wait') {
      agent = undefined;
      continue;
    }
    talk.push(`caller: ${line.text}`);
    const open = tool === undefined ? undefined : forms.get(tool);
    if (open === undefined || form === undefined || form.name === 'filled' || form.name === 'given-up') {
      // The brain, were it perfect: it calls the tool that is wanted, and gathers nothing.
      tool = task.errands[state.errand]?.tool ?? '';
      const wanted = forms.get(tool);
      if (wanted === undefined) throw new Error(`no form of ${tool}`);
      const opened = openForm(wanted, today);
      form = opened.state;
      agent = opened.say;
      continue;
    }
    const before = form;
    const heard = hear(open, before, line.text.replace(/…/g, ' '), today);
    form = heard.state;
    if (form.name === 'filled') agent = await ask(tool ?? '', form.values, url, `${task.id}_${turn}`);
    else if (heard.say === undefined && form === before)
      agent = `A first visit costs 40 dollars. ${question(open, form)}`;
    else agent = heard.say;
  }
  return [...talk, 'it went on and on'];
}

/** As the dialplan has it. */
async function ask(tool: string, values: Readonly<Record<string, unknown>>, url: string, key: string): Promise<string> {
  const headers = { 'idempotency-key': key, 'content-type': 'application/json' };
  const [method, path] = {
    book_appointment: ['POST', '/appointments'],
    cancel_appointment: ['DELETE', `/appointments?name=${String(values['name'])}`],
    order_status: ['GET', `/orders/${String(values['number'])}`],
    request_callback: ['POST', '/callbacks'],
  }[tool] ?? ['POST', '/'];
  const body = method === 'POST' ? JSON.stringify(values) : undefined;
  const reply = (await (await fetch(`${url}${path}`, { method, headers, body })).json()) as Record<string, string>;
  return reply['text'] ?? reply['detail'] ?? '';
}
