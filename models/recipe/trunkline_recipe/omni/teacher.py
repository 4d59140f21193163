"""Speaks sentences with the Piper voice joe up to its latents: symbols, durations and z, without running the generator.

    python -m trunkline_recipe.omni.teacher SENTENCES.jsonl OUT_DIR [--minutes 25] [--noise 0.2] [--limit N]

VITS (Kim, Kong and Son, 2021): durations from the stochastic predictor, latents drawn around the text's means and sent
through the flow. Shards `latents-00000.npz` of 256 sentences: z in float16 [frames, 192] end to end, durations of
symbols in latents (86.13 a second). The mark `^` is cut to two latents and the end to eight, for they are silence. Done
shards are kept: run again to go on. One thread.
"""

import argparse
import json
import time
from pathlib import Path

import numpy as np
import onnxruntime

from .symbols import padded, phoneme_ids, read_sentence

SHARD = 256
LEAD = 2
TAIL = 8
CHANNELS = 192


def session(path):
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(str(path), options)


class Teacher:
    def __init__(self, folder, noise, duration_noise):
        self.text, self.flow = (session(Path(folder) / f"{name}.onnx") for name in ("text", "flow"))
        self.noise, self.duration_noise = noise, duration_noise

    def __call__(self, symbols, random):
        """-> durations [symbols] int, z [frames, 192] float32."""
        ids = np.array([padded(symbols)], np.int64)
        chance = random.standard_normal((1, 2, ids.shape[1]), np.float32) * self.duration_noise
        mean, scale, frames = self.text.run(None, {"phonemes": ids, "duration_noise": chance})
        frames = np.clip(np.ceil(frames[0, 0]), 1, 86).astype(int)
        index = np.repeat(np.arange(len(frames)), frames)
        prior = random.standard_normal((1, CHANNELS, len(index)), np.float32)
        z = self.flow.run(None, {"latents": mean[:, :, index] + prior * np.exp(scale[:, :, index]) * self.noise})[0][0].T
        return merge(frames, z)


def merge(frames, z):
    """Pads go to the symbol before them; of the start mark the last two latents stay, of end mark and `$` eight."""
    durations = frames[0::2].copy()
    durations[:-1] += frames[1::2]
    lead = max(0, durations[0] - LEAD)
    durations[0] -= lead
    tail = max(0, durations[-2] + durations[-1] - TAIL)
    cut = min(tail, durations[-1] - 1)
    durations[-1] -= cut
    durations[-2] -= tail - cut
    return durations, z[lead : len(z) - tail]


def main():
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("sentences", type=Path)
    arguments.add_argument("out", type=Path)
    arguments.add_argument("--voice", type=Path, default=Path(__file__).parents[3] / "piper-joe")
    arguments.add_argument("--minutes", type=float, default=1e9)
    arguments.add_argument("--limit", type=int, default=10**9)
    arguments.add_argument("--noise", type=float, default=0.2)
    arguments.add_argument("--duration-noise", type=float, default=0.3)
    options = arguments.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    ids = phoneme_ids(options.voice)
    lines = options.sentences.read_text().splitlines()[: options.limit]
    teacher = Teacher(options.voice, options.noise, options.duration_noise)
    began, total = time.monotonic(), 0
    for first in range(0, len(lines), SHARD):
        path = options.out / f"latents-{first // SHARD:05d}.npz"
        if path.exists():
            continue
        if time.monotonic() - began > 60 * options.minutes:
            break
        random = np.random.default_rng(first)
        kept = {"line": [], "symbols": [], "words": [], "durations": [], "z": []}
        for line in range(first, min(first + SHARD, len(lines))):
            sentence = read_sentence(lines[line], ids)
            durations, z = teacher(sentence.symbols, random)
            kept["line"].append(line)
            kept["symbols"].append(np.array(sentence.symbols, np.uint8))
            kept["words"].append(np.array(sentence.words, np.uint8))
            kept["durations"].append(durations.astype(np.uint8))
            kept["z"].append(z.astype(np.float16))
        counts = {"symbolCounts": [len(s) for s in kept["symbols"]], "frameCounts": [len(z) for z in kept["z"]]}
        total += sum(counts["frameCounts"])
        part = path.with_suffix(".part.npz")
        np.savez(part, line=kept["line"], **counts, **{k: np.concatenate(kept[k]) for k in ("symbols", "words", "durations", "z")})
        part.rename(path)
        print(json.dumps({"shard": path.name, "hours": round(total * 256 / 22050 / 3600, 3), "seconds": round(time.monotonic() - began)}), flush=True)


if __name__ == "__main__":
    main()
