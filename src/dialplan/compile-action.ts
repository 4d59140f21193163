/** From an action as it is written to one that can run: personas read, files found, defaults filled in. */
import { closeSync, openSync, readSync, statSync } from 'node:fs';
import { isAbsolute, relative, resolve } from 'node:path';
import type { ErrorCode } from '../core/errors';
import { readLexicon } from '../core/pronunciation';
import type { Tool } from '../core/tool';
import { compileTools } from './compile-tools';
import type {
  Action,
  AgentAction,
  DialplanPersona,
  DirectAction,
  MenuAction,
  PlayAction,
  QueueAction,
} from './dialplan';
import type {
  WrittenAction,
  WrittenAgent,
  WrittenDirectAction,
  WrittenMenu,
  WrittenPersona,
  WrittenQueue,
} from './schema';

export interface ActionFault {
  /** Below the action: `file`, `fallback.persona`. */
  readonly path: readonly PropertyKey[];
  readonly message: string;
  readonly code: ErrorCode;
}

export interface ActionSurroundings {
  /** Where relative paths begin. */
  readonly folder: string;
  readonly personas: ReadonlyMap<string, WrittenPersona>;
  /** An application's answer may name no file outside the folder; the operator's own files may. */
  readonly confined: boolean;
}

export type Compiled<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly faults: readonly ActionFault[] };

export function compileAction(written: WrittenAction, around: ActionSurroundings): Compiled<Action> {
  switch (written.type) {
    case 'webhook': {
      const fallback = compileDirectAction(written.fallback, around);
      if (!fallback.ok) {
        return { ok: false, faults: below(['fallback'], fallback.faults) };
      }
      const { url, timeoutMs, secret } = written;
      return { ok: true, value: { type: 'webhook', url, timeoutMs, secret, fallback: fallback.value } };
    }
    default:
      return compileDirectAction(written, around);
  }
}

export function compileDirectAction(written: WrittenDirectAction, around: ActionSurroundings): Compiled<DirectAction> {
  switch (written.type) {
    case 'agent':
      return compileAgent(written, around);
    case 'play':
      return compilePlay(written.file, written.repeat, around);
    case 'echo':
      return { ok: true, value: { type: 'echo' } };
    case 'tone':
      return { ok: true, value: { type: 'tone', frequencyHz: written.frequencyHz, levelDbm0: written.levelDbm0 } };
    case 'reject':
      return { ok: true, value: { type: 'reject', status: written.status, reason: written.reason } };
    case 'menu':
      return compileMenu(written, around);
    case 'queue':
      return compileQueue(written, around);
    case 'voicemail': {
      const { mailbox, maxSeconds, silenceSeconds, endKey, file, say, voice } = written;
      const found = file === undefined ? undefined : compilePlay(file, 1, around);
      if (found?.ok === false) return found;
      const prompt = found?.ok === true ? found.value : { say: say ?? '', voice };
      return { ok: true, value: { type: 'voicemail', prompt, mailbox, maxSeconds, silenceSeconds, endKey } };
    }
    case 'transfer':
    case 'dial': {
      const otherwise = compileOptional(written.otherwise, around);
      if (!otherwise.ok) return { ok: false, faults: below(['otherwise'], otherwise.faults) };
      const { to, trunk, from, ringSeconds } = written;
      const outgoing = { to, trunk, from, ringSeconds, otherwise: otherwise.value };
      return written.type === 'dial'
        ? { ok: true, value: { type: 'dial', ...outgoing } }
        : { ok: true, value: { type: 'transfer', ...outgoing, mode: written.mode } };
    }
  }
}

function compileMenu(written: WrittenMenu, around: ActionSurroundings): Compiled<MenuAction> {
  const faults: ActionFault[] = [];
  const options = new Map<string, Action>();
  for (const [keys, action] of Object.entries(written.options)) {
    const compiled = compileAction(action, around);
    if (compiled.ok) options.set(keys, compiled.value);
    else faults.push(...below(['options', keys], compiled.faults));
  }
  const otherwise = compileOptional(written.otherwise, around);
  if (!otherwise.ok) faults.push(...below(['otherwise'], otherwise.faults));
  const file = written.file === undefined ? undefined : compilePlay(written.file, 1, around);
  if (file?.ok === false) faults.push(...file.faults);
  if (faults.length > 0) return { ok: false, faults };
  const { webhook, endKey, timeoutSeconds, attempts, secure, spoken, again, voice } = written;
  const longest = Math.max(0, ...[...options.keys()].map((keys) => keys.length));
  return {
    ok: true,
    value: {
      type: 'menu',
      prompt: file?.ok === true ? file.value : { say: written.say ?? '', voice },
      options,
      spoken: new Map(Object.entries(spoken)),
      again: again === undefined ? undefined : { say: again, voice },
      webhook: webhook && { url: webhook.url, timeoutMs: webhook.timeoutMs, secret: webhook.secret },
      maxDigits: written.maxDigits ?? (webhook === undefined ? longest : 32),
      endKey,
      timeoutSeconds,
      attempts,
      secure,
      otherwise: otherwise.ok ? otherwise.value : undefined,
    },
  };
}

function compileQueue(written: WrittenQueue, around: ActionSurroundings): Compiled<QueueAction> {
  const { type, members, announce, music: musicFile, otherwise: next, ...rest } = written;
  const faults: ActionFault[] = [];
  const otherwise = compileOptional(next, around);
  if (!otherwise.ok) faults.push(...below(['otherwise'], otherwise.faults));
  const music = musicFile === undefined ? undefined : compilePlay(musicFile, 1, around);
  if (music?.ok === false) faults.push(...music.faults.map((fault) => ({ ...fault, path: ['music'] })));
  const file = announce.file === undefined ? undefined : compilePlay(announce.file, 1, around);
  if (file?.ok === false) faults.push(...below(['announce'], file.faults));
  if (faults.length > 0) return { ok: false, faults };
  const { position, wait, say, voice, everySeconds } = announce;
  const spoken = say === undefined ? undefined : { say, voice };
  return {
    ok: true,
    value: {
      type,
      ...rest,
      members: members.map((member) => (typeof member === 'string' ? { to: member } : member)),
      music: music?.ok === true ? music.value : undefined,
      announce: { position, wait, voice, everySeconds, prompt: file?.ok === true ? file.value : spoken },
      otherwise: otherwise.ok ? otherwise.value : undefined,
    },
  };
}

function compileOptional(written: WrittenAction | undefined, around: ActionSurroundings): Compiled<Action | undefined> {
  return written === undefined ? { ok: true, value: undefined } : compileAction(written, around);
}

function below(path: readonly PropertyKey[], faults: readonly ActionFault[]): ActionFault[] {
  return faults.map((fault) => ({ ...fault, path: [...path, ...fault.path] }));
}

function compileAgent(written: WrittenAgent, around: ActionSurroundings): Compiled<AgentAction> {
  const named = typeof written.persona === 'string' ? personaName(written.persona) : undefined;
  const persona = typeof written.persona === 'string' ? around.personas.get(named ?? '') : written.persona;
  if (persona === undefined) {
    const known = [...around.personas.keys()].map((name) => JSON.stringify(name)).join(', ');
    const message = `Expected the name of a persona in personas/ (${known === '' ? 'there is none' : known}).`;
    return { ok: false, faults: [{ path: ['persona'], message, code: 'dialplan.unknown-persona' }] };
  }
  const { notice, greeting, turns } = persona;
  const trusted = !around.confined;
  const compiled = compileTools([
    { written: persona, trusted: trusted || named !== undefined },
    { written, trusted },
  ]);
  if (!compiled.ok) return compiled;
  const { tools, targets } = compiled.value;
  const knowledge = compileKnowledge(written.knowledge ?? persona.knowledge, around);
  if (!knowledge.ok) return knowledge;
  const handOver = compileHandOver(written.handOver, around);
  if (!handOver.ok) return { ok: false, faults: below(['handOver', 'action'], handOver.faults) };
  return {
    ok: true,
    value: {
      type: 'agent',
      persona: withMore(persona, named, written, tools, knowledge.value),
      notice: written.notice ?? notice,
      greeting: written.greeting ?? greeting,
      turns: turns ?? {},
      ...(targets.size === 0 ? {} : { targets }),
      handOver: handOver.value,
    },
  };
}

/** What is in it is read behind the start, and may change; that there is such a folder is settled here. */
function compileKnowledge(folder: string | undefined, around: ActionSurroundings): Compiled<string | undefined> {
  if (folder === undefined) return { ok: true, value: undefined };
  const path = resolve(around.folder, folder);
  const inside = relative(around.folder, path);
  const outside = around.confined && (inside.startsWith('..') || isAbsolute(inside));
  const isFolder = statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
  if (!outside && isFolder) return { ok: true, value: path };
  const message = outside
    ? 'Expected a folder inside the dialplan folder.'
    : 'Expected a folder that is there, relative to the dialplan.';
  return { ok: false, faults: [{ path: ['knowledge'], message, code: 'dialplan.no-knowledge' }] };
}

function compileHandOver(
  written: WrittenAgent['handOver'],
  around: ActionSurroundings,
): Compiled<AgentAction['handOver']> {
  if (written?.action !== undefined) {
    const action = compileAction(written.action, around);
    return action.ok ? { ok: true, value: { action: action.value } } : action;
  }
  const { to, trunk, from, ringSeconds, mode, summaryHeader } = written ?? {};
  if (to === undefined || ringSeconds === undefined || mode === undefined) return { ok: true, value: undefined };
  const told = summaryHeader === true ? { summaryHeader } : {};
  return { ok: true, value: { to, trunk, from, ringSeconds, mode, ...told } };
}

/** A persona with facts or tools of its own is another one to the engine: its prompt differs, so its id must. */
function withMore(
  persona: WrittenPersona,
  fileName: string | undefined,
  more: WrittenAgent,
  tools: readonly Tool[],
  knowledge: string | undefined,
): DialplanPersona {
  const { facts: moreFacts = [], voice } = more;
  const facts = [...persona.facts, ...moreFacts];
  const base = persona.id ?? fileName ?? `inline:${persona.name}`;
  const differs = more.knowledge !== undefined;
  const added = moreFacts.length + (more.tools ?? []).length + (more.mcp ?? []).length;
  const own = fileName === undefined || differs || added > 0;
  const chosenVoice = voice ?? persona.voice;
  const { lexicon } = persona;
  return {
    id: own
      ? `${base}#${textHash(JSON.stringify([persona.name, persona.instructions, facts, ...tools, ...(differs ? [more.knowledge] : []), ...(lexicon === undefined ? [] : [lexicon])]))}`
      : base,
    name: persona.name,
    instructions: persona.instructions,
    facts,
    ...(tools.length === 0 ? {} : { tools }),
    ...(knowledge === undefined ? {} : { knowledge }),
    ...(chosenVoice === undefined ? {} : { voice: chosenVoice }),
    ...(lexicon === undefined ? {} : { lexicon: readLexicon(lexicon) }),
  };
}

/** `demo`, `demo.yaml` and `personas/demo.yaml` mean the same. */
function personaName(reference: string): string {
  return reference.replace(/^(\.\/)?personas\//, '').replace(/\.ya?ml$/, '');
}

/** FNV-1a, 32 bits: tells two prompts apart, protects nothing. */
function textHash(text: string): string {
  let hash = 0x811c9dc5;
  for (let at = 0; at < text.length; at++) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193);
  return (hash >>> 0).toString(16).padStart(8, '0');
}

function compilePlay(file: string, repeat: number, around: ActionSurroundings): Compiled<PlayAction> {
  const path = resolve(around.folder, file);
  const fault = (message: string): Compiled<PlayAction> => ({
    ok: false,
    faults: [{ path: ['file'], message, code: 'dialplan.bad-prompt' }],
  });
  const inside = relative(around.folder, path);
  if (around.confined && (inside.startsWith('..') || isAbsolute(inside))) {
    return fault('Expected a file inside the dialplan folder.');
  }
  const format = soundFormat(path);
  if (format === 'unreadable') return fault('Expected a WAV or Ogg file that can be read, relative to the dialplan.');
  if (format === undefined) return fault('Expected a WAV or Ogg file; this one begins as neither.');
  return { ok: true, value: { type: 'play', path, format, repeat } };
}

/** By the first bytes, not by the name: `RIFF....WAVE` or `OggS`. */
function soundFormat(path: string): 'wav' | 'ogg' | 'unreadable' | undefined {
  const head = Buffer.alloc(12);
  try {
    const descriptor = openSync(path, 'r');
    try {
      readSync(descriptor, head, 0, head.length, 0);
    } finally {
      closeSync(descriptor);
    }
  } catch {
    return 'unreadable';
  }
  if (head.toString('latin1', 0, 4) === 'OggS') return 'ogg';
  if (head.toString('latin1', 0, 4) === 'RIFF' && head.toString('latin1', 8, 12) === 'WAVE') return 'wav';
  return undefined;
}
