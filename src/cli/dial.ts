/** `trunkline dial`, `calls waiting`: orders a call of the running agent, and looks at those that wait. */
import { z } from 'zod';
import { loadConfig } from '../config';
import { waitingCallSchema } from '../core/call-order';
import { TrunklineError } from '../core/errors';
import { ApiClient } from './api-client';
import { type Arguments, type Command, configFlag, exitCodes } from './command';

const orderedSchema = z.union([z.object({ waiting: waitingCallSchema }), z.object({ id: z.string() })]);

export const dial: Command = {
  name: 'dial',
  summary: 'has the running agent call somebody',
  flags: [
    { name: 'agent', value: 'NAME', summary: 'the persona that speaks' },
    { name: 'dialplan', value: 'NUMBER', summary: 'instead: what the route of this number does' },
    { name: 'trunk', value: 'NAME', summary: 'by which trunk' },
    { name: 'from', value: 'NUMBER', summary: 'who we say we are' },
    { name: 'amd', summary: 'find out whether a person or a machine answers' },
    { name: 'on-machine', value: 'continue|hangup', summary: 'what is done with machines' },
    { name: 'message', value: 'TEXT', summary: 'left with machines, after the beep' },
    { name: 'attempts', value: 'N', summary: 'in all, while nobody answers' },
    { name: 'after', value: 'SECONDS', repeats: true, summary: 'before the second attempt, the third, …' },
    { name: 'wait', summary: 'outside of outbound.hours: wait for them instead of being refused' },
    configFlag,
  ],
  positionals: [{ name: 'TO', required: true }],
  async run(given, terminal) {
    const ordered = await clientFor(given).order('/v1/calls', orderOf(given), orderedSchema);
    if ('id' in ordered) terminal.out(`${ordered.id} is being placed.`);
    else terminal.out(`${ordered.waiting.id} waits until ${ordered.waiting.at}.`);
    return exitCodes.fine;
  },
};

export const callsWaiting: Command = {
  name: 'calls waiting',
  summary: 'calls that were ordered and are not placed yet',
  flags: [{ name: 'cancel', value: 'ID', summary: 'take it back' }, configFlag],
  positionals: [],
  async run(given, terminal) {
    const client = clientFor(given);
    const cancelled = given.text('cancel');
    if (cancelled !== undefined) {
      await client.remove(`/v1/waiting/${encodeURIComponent(cancelled)}`);
      terminal.out(`${cancelled} will not be placed.`);
      return exitCodes.fine;
    }
    const { waiting } = await client.get('/v1/waiting', z.object({ waiting: z.array(waitingCallSchema) }));
    for (const { id, to, at, attempt, lastCause } of waiting) {
      terminal.out(`${at}  ${id}  ${to}  attempt ${attempt}${lastCause === undefined ? '' : ` after ${lastCause}`}`);
    }
    return exitCodes.fine;
  },
};

function orderOf(given: Arguments): Record<string, unknown> {
  const message = given.text('message');
  const onMachine = given.text('on-machine');
  const asked = message !== undefined || onMachine !== undefined || given.has('amd');
  const attempts = wholeNumber(given.text('attempts'), 'attempts');
  const afterSeconds = given.all('after').map((text) => wholeNumber(text, 'after') ?? 0);
  const retrying = attempts !== undefined || afterSeconds.length > 0;
  return withoutUndefined({
    to: given.positional('TO'),
    agent: given.text('agent'),
    dialplan: given.text('dialplan'),
    trunk: given.text('trunk'),
    from: given.text('from'),
    amd: asked ? withoutUndefined({ message, onMachine }) : undefined,
    retry: retrying
      ? withoutUndefined({ attempts, afterSeconds: afterSeconds.length > 0 ? afterSeconds : undefined })
      : undefined,
    whenClosed: given.has('wait') ? 'wait' : undefined,
  });
}

function withoutUndefined(values: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined));
}

function wholeNumber(text: string | undefined, flag: string): number | undefined {
  if (text === undefined) return undefined;
  const value = Number(text);
  if (Number.isInteger(value) && value > 0) return value;
  throw new TrunklineError('cli.bad-value', `--${flag} cannot be ${text}.`, { fix: 'Give a whole number.' });
}

function clientFor(given: Arguments): ApiClient {
  return ApiClient.fromConfig(loadConfig({ file: given.text('config') }));
}
