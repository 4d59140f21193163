/** The voices of both engines, and the loudness that prompts and music are brought to. */
import { join } from 'node:path';
import { toInt16 } from '../../src/audio/pcm';
import { ProgrammeLoudness } from '../../src/audio/programme-loudness';
import { configSchema } from '../../src/config/schema';
import { OmniVoice } from '../../src/model/omni/omni-voice';
import { PiperVoice } from '../../src/model/piper/piper-voice';

const models = join(__dirname, '../../models');
const pronunciationFolder = join(models, 'g2p-en');
const generatorFolder = join(models, 'piper-joe');
const TEXT =
  'Good morning, this is the museum. We are open from nine to five, except on Mondays. ' +
  'Tickets cost twelve euros for adults, and children under six come in for free. How can I help you?';

test.each([
  ['cascade', () => PiperVoice.open({ voiceFolder: generatorFolder, pronunciationFolder })],
  ['omni', () => OmniVoice.open({ voiceFolder: join(models, 'omni-voice'), generatorFolder, pronunciationFolder })],
])('the voice of %s is as loud as prompts are made by default, to 2 LU', async (_, open) => {
  const voice = await open();
  try {
    const meter = new ProgrammeLoudness(voice.sampleRate);
    for await (const { pcm } of voice.synthesise(TEXT, new AbortController().signal)) meter.write(toInt16(pcm));
    expect(Math.abs(meter.integratedLkfs! - Number(configSchema.parse({}).audio.promptLoudness))).toBeLessThan(2);
  } finally {
    await voice.close();
  }
});
