/**
 * `models bench`: what the installed models cost on the processor that is here: bytes on disk, the time until each part can
 * be used (reading, sums and opening), then the steps of each part.
 */

import { join } from 'node:path';
import { openRecogniser, openTrunkBrain, openVoice } from '../model/load-model';
import { openModelFolder } from '../model/manifest';
import { benchModel, type ModelBenchOptions } from './model-bench';
import { type BenchReport, report, single, spread } from './report';

const LOADS = 3;

interface Part {
  readonly name: string;
  readonly folders: readonly string[];
  open(modelsDir: string, threads: number): Promise<{ close(): Promise<void> }>;
}

const PARTS: readonly Part[] = [
  { name: 'recogniser', folders: ['whisper-base'], open: openRecogniser },
  { name: 'brain', folders: ['smollm2-135m'], open: openTrunkBrain },
  { name: 'voice', folders: ['piper-joe', 'g2p-en'], open: openVoice },
];

export async function benchModels(options: ModelBenchOptions): Promise<BenchReport> {
  const { modelsDir, threads } = options;
  const loading = [];
  for (const { name, folders, open } of PARTS) {
    const manifests = await Promise.all(folders.map((folder) => openModelFolder(join(modelsDir, folder))));
    const bytes = manifests.flatMap(({ manifest }) => manifest.files).reduce((sum, file) => sum + file.bytes, 0);
    loading.push(single(`${name}: weights on disk`, 'MB', bytes / 1e6));
    const loadMs: number[] = [];
    for (let load = 0; load < LOADS; load += 1) {
      const startedMs = performance.now();
      const part = await open(modelsDir, threads);
      loadMs.push(performance.now() - startedMs);
      await part.close();
    }
    loading.push(spread(`${name}: until it can be used`, 'ms', loadMs));
  }
  const steps = await benchModel(options);
  return report(`installed models, ${threads} thread${threads === 1 ? '' : 's'}`, [...loading, ...steps.figures]);
}
