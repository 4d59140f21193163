/** `trunkline call`: a real SIP caller that speaks recordings or typed text, keeps a tape, and prints the turn gaps. */
import { readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readWav } from '../audio/wav';
import { decodeOggOpus } from '../codecs/ogg-opus';
import { loadConfig } from '../config';
import { SystemClock } from '../core/clock';
import { TrunklineError } from '../core/errors';
import { distribution } from '../core/percentiles';
import { createLogger } from '../log-pino';
import { openVoice } from '../model/load-model';
import type { Phone } from '../phone/phone';
import { PhoneStack } from '../phone/phone-stack';
import { POLITE, runScript, type Utterance } from '../phone/script';
import { readTurnGaps } from '../phone/tape';
import { readTapeFile } from '../phone/tape-file';
import { workerEntry } from '../workers/locate';
import { type Command, configFlag, exitCodes } from './command';

const PHONE_PORTS = [40_000, 40_999] as const;
const TRANSPORTS = ['udp', 'tcp', 'tls'];

export const call: Command = {
  name: 'call',
  summary: 'rings a SIP address, speaks, listens, and prints how long the answers took',
  flags: [
    configFlag,
    { name: 'say', value: 'FILE.wav|FILE.ogg|"text"', repeats: true, summary: 'what the caller says, in order' },
    { name: 'record', value: 'FILE.wav', summary: 'keep the tape: left what came in, right what went out' },
    { name: 'timeline', value: 'FILE.json', summary: 'write what happened when' },
    { name: 'dtmf', value: 'DIGITS', summary: 'press these keys after the greeting' },
    { name: 'hold', summary: 'hold the call for two seconds after the first answer' },
    { name: 'codec', value: 'PCMU|PCMA|G722|opus', summary: 'offer only this codec' },
    { name: 'transport', value: 'udp|tcp|tls', summary: 'how SIP travels' },
    { name: 'user', value: 'NAME:PASSWORD', summary: 'for a far end that asks who we are' },
  ],
  positionals: [{ name: 'URI', required: true }],
  async run(given, terminal) {
    const uri = given.positional('URI') ?? '';
    const transport = given.text('transport') ?? 'udp';
    if (!TRANSPORTS.includes(transport)) {
      throw new TrunklineError('cli.bad-value', `--transport cannot be ${transport}.`, { fix: 'Use udp, tcp or tls.' });
    }
    const config = loadConfig({ file: given.text('config') });
    const target = uri.startsWith('sip') ? uri : `sip:${uri}`;
    const utterances = await Promise.all(given.all('say').map((words) => readUtterance(words, config.engine.models)));
    const [username, password] = (given.text('user') ?? '').split(/:(.*)/s);
    const codec = given.text('codec');
    const stack = await PhoneStack.open({
      mediaEntry: workerEntry('media'),
      clock: new SystemClock(),
      log: createLogger({ ...config.log, level: 'error' }),
      listen: { host: bindAddressFor(uri), port: 0 },
      trust: config.sip.tls?.trust,
      codecs: codec === undefined ? ['PCMU', 'PCMA', 'G722', 'opus'] : [codecNamed(codec)],
    });
    const tapePath = given.text('record') ?? join(tmpdir(), `trunkline-call-${process.pid}.wav`);
    try {
      const phone = await stack.dial({
        to:
          given.text('transport') === undefined || /;transport=/i.test(target)
            ? target
            : `${target};transport=${transport}`,
        bindAddress: bindAddressFor(uri),
        ports: PHONE_PORTS,
        tapePath,
        auth: username !== '' && username !== undefined && password !== undefined ? { username, password } : undefined,
      });
      terminal.out(`answered after ${Math.round(phone.answeredAfterMs)} ms`);
      return await converse(phone, utterances, tapePath, given, (line) => terminal.out(line));
    } catch (error) {
      if (!(error instanceof TrunklineError)) throw error;
      terminal.err(`trunkline: ${error.message} [${error.code}]`);
      return exitCodes.failed;
    } finally {
      await stack.close();
    }
  },
};

async function converse(
  phone: Phone,
  utterances: readonly Utterance[],
  tapePath: string,
  given: { text(flag: string): string | undefined; has(flag: string): boolean },
  out: (line: string) => void,
): Promise<number> {
  const timeline: { readonly ms: number; readonly what: string }[] = [];
  const report = await runScript(
    phone,
    utterances,
    { ...POLITE, digits: given.text('dtmf'), hold: given.has('hold') },
    (what) => {
      timeline.push({ ms: Math.round(phone.nowMs), what });
      out(`${(phone.nowMs / 1_000).toFixed(2).padStart(7)} s  ${what}`);
    },
  );
  const stats = await phone.hangUp();
  const reading = readTurnGaps(
    readTapeFile(tapePath),
    report.utterances.map(({ span }) => span),
  );
  const gapsMs = reading.gaps.map((gap) => gap.gapMs);
  for (const gap of reading.gaps) out(`turn gap ${gap.gapMs} ms`);
  if (gapsMs.length > 1) {
    const { p50, p95 } = distribution(gapsMs);
    out(`turn gaps: p50 ${p50} ms, p95 ${p95} ms, n ${gapsMs.length}`);
  }
  const target = given.text('timeline');
  if (target !== undefined) writeFileSync(target, `${JSON.stringify({ timeline, report, reading, stats }, null, 2)}\n`);
  const unanswered = report.utterances.filter(({ answered }) => !answered).length;
  if (unanswered > 0) out(`${unanswered} of ${report.utterances.length} utterances were not answered`);
  return unanswered === 0 && report.utterances.length === utterances.length ? exitCodes.fine : exitCodes.failed;
}

/** A recording, or text spoken by the shipped voice. */
async function readUtterance(words: string, modelsDir: string): Promise<Utterance> {
  if (/\.wav$/i.test(words)) {
    const wav = readWav(readFileSync(words));
    return { label: words, pcm: wav.pcm[0] ?? new Int16Array(), sampleRate: wav.sampleRate };
  }
  if (/\.(ogg|opus)$/i.test(words)) {
    const { pcm, sampleRate } = await decodeOggOpus(readFileSync(words));
    return { label: words, pcm, sampleRate };
  }
  const voice = await openVoice(modelsDir, 1);
  const chunks: Float32Array[] = [];
  for await (const chunk of voice.synthesise(words, new AbortController().signal)) chunks.push(chunk.pcm);
  const pcm = Int16Array.from(
    chunks.flatMap((chunk) => Array.from(chunk)),
    (value) => Math.round(Math.max(-1, Math.min(1, value)) * 32_767),
  );
  await voice.close();
  return { label: words, pcm, sampleRate: voice.sampleRate };
}

/** A far end on this machine is rung from loopback. */
function bindAddressFor(uri: string): string {
  return /@?(127\.|localhost)/.test(uri) ? '127.0.0.1' : '0.0.0.0';
}

function codecNamed(name: string): 'PCMU' | 'PCMA' | 'G722' | 'opus' {
  if (name === 'PCMU' || name === 'PCMA' || name === 'G722' || name === 'opus') return name;
  throw new TrunklineError('cli.bad-value', `There is no codec ${name}.`, { fix: 'Use PCMU, PCMA, G722 or opus.' });
}
