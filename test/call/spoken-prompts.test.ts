/** Sentences that are kept spoken: another lexicon is another sound of the same text. */
import { promptVoiceOf, SpokenPrompts } from '../../src/call/spoken-prompts';

test('a sentence is not played to a persona whose lexicon says its words otherwise', () => {
  const plain = promptVoiceOf({});
  const own = promptVoiceOf({ lexicon: { Siobhan: 'ʃɪvˈɔːn' } });
  const prompts = new SpokenPrompts();
  const learn = prompts.learn(own, 'This is Siobhan.');
  learn({ type: 'audio', pcm: new Int16Array(8), sampleRate: 8_000, words: [] });
  learn({ type: 'end', stages: {} });
  expect(prompts.get(own, 'This is Siobhan.')).toHaveLength(1);
  expect(prompts.get(plain, 'This is Siobhan.')).toBeUndefined();
  expect(promptVoiceOf({ voice: 'joe' })).toBe('joe');
});
