/** `trunkline talk`: a SIP call with this computer's own microphone and loudspeaker. */
import { loadConfig } from '../config';
import { SystemClock } from '../core/clock';
import { TrunklineError } from '../core/errors';
import { createLogger } from '../log-pino';
import type { Phone } from '../phone/phone';
import { PhoneStack } from '../phone/phone-stack';
import { openSoundCard, SOUND_RATE, SOUND_SYSTEMS, type SoundCard } from '../phone/sound-card';
import { workerEntry } from '../workers/locate';
import { type Command, configFlag, exitCodes } from './command';

const PHONE_PORTS = [41_000, 41_999] as const;
const A_DAY_MS = 24 * 3_600_000;

export const talk: Command = {
  name: 'talk',
  summary: 'rings the agent with the microphone and loudspeaker of this computer',
  flags: [configFlag],
  positionals: [{ name: 'URI', required: false }],
  async run(given, terminal) {
    const config = loadConfig({ file: given.text('config') });
    const uri = given.positional('URI') ?? `sip:demo@127.0.0.1:${config.sip.port}`;
    const card = await openSoundCard();
    if (card === undefined) {
      const tried = SOUND_SYSTEMS.map(({ record }) => record[0]).join(', ');
      terminal.err(`There is no microphone here that gives sound (tried ${tried}).`);
      terminal.err(`Use the softphone: open http://localhost:${config.http.port}/ in a browser and press Call.`);
      terminal.err(
        `From another machine: ssh -L ${config.http.port}:localhost:${config.http.port} THIS_MACHINE, then the same address there.`,
      );
      return exitCodes.failed;
    }
    const stack = await PhoneStack.open({
      mediaEntry: workerEntry('media'),
      clock: new SystemClock(),
      log: createLogger({ ...config.log, level: 'error' }),
      listen: { host: bindAddressFor(uri), port: 0 },
      codecs: ['opus', 'PCMU', 'PCMA'],
    });
    try {
      const phone = await stack.dial({
        to: uri.startsWith('sip') ? uri : `sip:${uri}`,
        bindAddress: bindAddressFor(uri),
        ports: PHONE_PORTS,
      });
      terminal.out(`${uri} answered; sound by ${card.system}. Use headphones. Ctrl-C hangs up.`);
      return await connect(phone, card, (line) => terminal.out(line));
    } catch (error) {
      if (!(error instanceof TrunklineError)) throw error;
      terminal.err(`trunkline: ${error.message} [${error.code}]`);
      return exitCodes.failed;
    } finally {
      await card.close();
      await stack.close();
    }
  },
};

/** Joins both sides until one of them, or the person, ends it. */
async function connect(phone: Phone, card: SoundCard, out: (line: string) => void): Promise<number> {
  card.onSound((pcm) => phone.speak(pcm, SOUND_RATE));
  phone.onAudio((pcm) => card.play(pcm));
  const interrupted = new Promise<'you hung up'>((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => resolve('you hung up'));
  });
  const why = await Promise.race([
    interrupted,
    phone.waitUntilEnded(A_DAY_MS).then(() => 'the far end hung up' as const),
    card.ended.then(() => 'the sound device is gone' as const),
  ]);
  const seconds = (phone.nowMs / 1_000).toFixed(1);
  if (phone.howItEnded === undefined) await phone.hangUp();
  out(`${why} after ${seconds} s`);
  return why === 'the sound device is gone' ? exitCodes.failed : exitCodes.fine;
}

/** A far end on this machine is rung from loopback. */
function bindAddressFor(uri: string): string {
  return /@?(127\.|localhost)/.test(uri) ? '127.0.0.1' : '0.0.0.0';
}
