/** `trunkline dialplan`: is it right, and which rule would a call take? */
import { resolve } from 'node:path';
import { loadConfig } from '../config';
import { TrunklineError } from '../core/errors';
import { actionText } from '../dialplan/action-text';
import { loadDialplan } from '../dialplan/load-dialplan';
import { type CallFacts, chooseRoute } from '../dialplan/matcher';
import { type Arguments, type Command, configFlag, exitCodes } from './command';

export const dialplanCheck: Command = {
  name: 'dialplan check',
  summary: 'is the dialplan right? Tells file, line and what was expected where it is not',
  flags: [configFlag],
  positionals: [{ name: 'PATH', required: false }],
  async run(given, terminal) {
    const plan = loadDialplan(folderOf(given));
    for (const warning of plan.warnings) terminal.err(`warning: ${warning}`);
    terminal.out(`${plan.routes.length} routes, ${plan.personas.length} personas: all right.`);
    return exitCodes.fine;
  },
};

export const dialplanRoute: Command = {
  name: 'dialplan route',
  summary: 'which rule a call would take, and why not the ones before it',
  flags: [
    { name: 'to', value: 'NUMBER', summary: 'the called number' },
    { name: 'from', value: 'NUMBER', summary: 'the caller' },
    { name: 'trunk', value: 'NAME', summary: 'the trunk it comes from' },
    { name: 'header', value: 'K=V', repeats: true, summary: 'a SIP header' },
    { name: 'language', value: 'TAG', summary: 'Accept-Language of the caller' },
    { name: 'at', value: 'TIME', summary: 'when, like 2026-01-31T09:30:00Z (default now)' },
    configFlag,
  ],
  positionals: [{ name: 'PATH', required: false }],
  async run(given, terminal) {
    const facts = factsOf(given);
    const decision = chooseRoute(loadDialplan(folderOf(given)), facts);
    for (const { route, because } of decision.passedOver)
      terminal.out(`no   ${route.name} (${route.place}): ${because}`);
    const { route, action } = decision;
    terminal.out(route === undefined ? 'none matches' : `yes  ${route.name} (${route.place})`);
    terminal.out(`     ${actionText(action)}`);
    return exitCodes.fine;
  },
};

function folderOf(given: Arguments): string {
  return resolve(given.positional('PATH') ?? loadConfig({ file: given.text('config') }).dialplans);
}

function factsOf(given: Arguments): CallFacts {
  const number = given.text('to');
  if (number === undefined) {
    throw new TrunklineError('cli.missing-value', 'Which number is called?', { fix: 'Write --to NUMBER.' });
  }
  const atText = given.text('at');
  const at = atText === undefined ? new Date() : new Date(atText);
  if (Number.isNaN(at.getTime())) {
    throw new TrunklineError('cli.bad-value', `--at "${atText}" is no time.`, {
      fix: 'Write it like 2026-01-31T09:30:00Z.',
    });
  }
  const headers = Object.fromEntries(
    given.all('header').map((pair) => {
      const at = pair.indexOf('=');
      if (at < 1) throw new TrunklineError('cli.bad-value', `--header "${pair}" has no =.`, { fix: 'Write K=V.' });
      return [pair.slice(0, at), pair.slice(at + 1)];
    }),
  );
  return {
    number,
    caller: given.text('from') ?? '',
    trunk: given.text('trunk'),
    language: given.text('language'),
    headers,
    at,
  };
}
