"""Pairs for the codec's ear: the recogniser's states and the tune of speech, and what the voice joe would say at each moment.

    python -m trunkline_recipe.omni.codec_ear_speech SENTENCES.jsonl LATENTS_DIR BASIS.npz OUT_DIR [--shards 80]

Joe's own speech, the generator's output for the teacher's latents, as he is and made larger or smaller by resampling (pitch,
formants and pace together; the latents are stretched along). Other speakers say the same sentences, flite's and espeak-ng's
voices and the human prompts of Debian's asterisk-core-sounds-en-wav of which the name's sha256 is even (their texts are said by
the teacher); dynamic time warping over the states tells which of joe's moments is theirs. All of it at many levels, in
noise, and half through a telephone. Shards `pairs-00000.npz` of twenty sentences, the human ones apart as
`human-00000.npz`; done ones are kept: run again to go on.
"""

import argparse
import json
import subprocess
import tempfile
import time
from pathlib import Path

import librosa
import numpy as np

from ..ear.features import SAMPLE_RATE
from ..ear.speech import ESPEAK, FLITE, coloured_noise, human_prompts, is_validation_prompt, read_wav, synthesise, telephone, trim
from .codec_ear import LATENTS_PER_SECOND, STATES_PER_SECOND, Listener, times, tune_rows
from .data import Shards
from .symbols import phoneme_ids, read_sentence
from .teacher import Teacher, session

SPOKEN = Path(__file__).parent / "spoken.mjs"
GAIN = 1.7
SHARD = 20
MODELS = Path(__file__).parents[3]


def resampled(pcm, source, target):
    return librosa.resample(pcm, orig_sr=source, target_sr=target, res_type="soxr_mq").astype(np.float32)


def sampled(rows, at):
    """[T, n] at fractional places."""
    at = np.clip(at, 0, len(rows) - 1)
    low = np.floor(at).astype(int)
    high = np.minimum(low + 1, len(rows) - 1)
    share = (at - low)[:, None]
    return (rows[low] * (1 - share) + rows[high] * share).astype(np.float32)


def warp(theirs, own):
    """States of another [T, width] and of joe [J, width] -> joe's moment (in states) for each of the T, cost of the path."""
    unit = lambda rows: (lambda x: x / np.linalg.norm(x, axis=1, keepdims=True))((rows - own.mean(0)) / (own.std(0) + 1e-3))  # noqa: E731
    costs, path = librosa.sequence.dtw(C=np.maximum(0, 1 - unit(own) @ unit(theirs).T))
    total, count = np.zeros(len(theirs)), np.zeros(len(theirs))
    for mine, their in path:
        total[their] += mine
        count[their] += 1
    at = total / count
    # Steps of a path are whole states; speech is smoother.
    return np.convolve(np.pad(at, 2, mode="edge"), np.ones(5) / 5, "valid"), costs[-1, -1] / len(path)


def worn(pcm, rng):
    """16 kHz: a way in which speech may arrive: band, level, noise."""
    pcm = telephone(pcm) if rng.random() < 0.4 else pcm
    loud = pcm[np.abs(pcm) > 0.01]
    rms = np.sqrt(np.mean(loud**2)) if len(loud) else 1
    pcm = pcm * (10 ** (rng.uniform(-32, -14) / 20) / rms)
    if rng.random() < 0.5:
        pcm = pcm + coloured_noise(len(pcm), rng, rng.choice([0, 0.5, 1])) * pcm.std() * 10 ** (-rng.uniform(15, 45) / 20)
    return np.clip(pcm, -1, 1).astype(np.float32)


class Joe:
    def __init__(self, voice, basis):
        self.generator = session(voice / "generator.onnx")
        self.teacher = Teacher(voice, 0.2, 0.3)
        self.basis = np.load(basis)
        self.ids = phoneme_ids(voice)

    def heard(self, z):
        return (z - self.basis["mean"]) @ self.basis["down"]

    def sound(self, z):
        return GAIN * self.generator.run(None, {"z": np.ascontiguousarray(z.T[None], np.float32)})[0].ravel()


def spoken_lines(texts):
    with tempfile.TemporaryDirectory() as folder:
        source, result = Path(folder, "in.txt"), Path(folder, "out.jsonl")
        source.write_text("".join(" ".join(t.split()) + "\n" for t in texts))
        subprocess.run(["node", str(SPOKEN), str(source), str(result)], check=True)
        return {json.loads(line)["text"]: line for line in result.read_text().splitlines()}


class Pairs:
    """Makes (who, states, tune, y) of speech."""

    def __init__(self, joe, listener):
        self.joe, self.listener = joe, listener

    def pair(self, who, pcm, y):
        return who, self.listener(pcm), tune_rows(pcm, len(y)), y

    def own(self, y, pcm, rng):
        for factor in (1.0, np.exp(rng.uniform(-0.28, 0.28))):
            said = resampled(pcm, 22050 * factor, SAMPLE_RATE)
            count = int(len(said) / SAMPLE_RATE * LATENTS_PER_SECOND)
            yield self.pair("joe" if factor == 1 else "resized", worn(said, rng), sampled(y, (np.arange(count) + 0.5) * len(y) / count - 0.5))

    def other(self, who, said, y, pcm, rng, times_worn=1):
        said = trim(said)
        moments, cost = warp(self.listener(said), self.listener(resampled(pcm, 22050, SAMPLE_RATE)))
        count = int(len(said) / SAMPLE_RATE * LATENTS_PER_SECOND)
        mine = np.interp(times(count) * STATES_PER_SECOND, np.arange(len(moments)), moments) / STATES_PER_SECOND
        target = sampled(y, mine * LATENTS_PER_SECOND - 0.5)
        for _ in range(times_worn):
            yield self.pair(f"{who} {cost:.3f}", worn(said, rng), target)

    def synthetic(self, rows, rng):
        voices = [("flite", v) for v in FLITE] * 3 + [("espeak", v) for v in ESPEAK]
        for index, (z, text) in enumerate(rows):
            y, pcm = self.joe.heard(z), self.joe.sound(z)
            yield from self.own(y, pcm, rng)
            if index % 2 == 0:
                engine, voice = voices[rng.integers(len(voices))]
                yield from self.other(engine, synthesise(engine, voice, text, rng), y, pcm, rng)

    def human(self, rows, rng):
        for line, path in rows:
            _, z = self.joe.teacher(read_sentence(line, self.joe.ids).symbols, rng)
            yield from self.other("human", read_wav(path), self.joe.heard(z), self.joe.sound(z), rng, 2)


def main():
    arguments = argparse.ArgumentParser(description=__doc__)
    for name in ("sentences", "latents", "basis", "out"):
        arguments.add_argument(name, type=Path)
    arguments.add_argument("--voice", type=Path, default=MODELS / "piper-joe")
    arguments.add_argument("--whisper", type=Path, default=MODELS / "whisper-base")
    arguments.add_argument("--shards", type=int, default=80)
    options = arguments.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    maker = Pairs(Joe(options.voice, options.basis), Listener(options.whisper))
    latents = Shards(options.latents, most=SHARD * options.shards)
    texts = [json.loads(line)["text"] for line in options.sentences.read_text().splitlines()]
    said = [(z.astype(np.float32), texts[line]) for z, line in zip(latents.z, latents.lines)]
    prompts = [(" ".join(text.split()), path) for name, text, path in human_prompts(test=False) if 1 < len(text.split()) < 25 and not is_validation_prompt(name)]
    lines = spoken_lines([text for text, _ in prompts])
    prompts = [(lines[text], path) for text, path in prompts if text in lines]
    work = [(f"pairs-{n:05d}", maker.synthetic, said[SHARD * n : SHARD * (n + 1)]) for n in range(options.shards)]
    work[4:4] = [(f"human-{n:05d}", maker.human, prompts[SHARD * n : SHARD * (n + 1)]) for n in range(-(-len(prompts) // SHARD))]
    for number, (name, make, rows) in enumerate(work):
        path = options.out / f"{name}.npz"
        if path.exists() or not rows:
            continue
        who, states, tunes, ys = zip(*make(rows, np.random.default_rng(number)))
        part = path.with_suffix(".part.npz")
        joined = {"states": states, "tune": tunes, "y": ys}
        np.savez(part, who=who, frames=[len(s) for s in states], latents=[len(y) for y in ys], **{k: np.concatenate(v).astype(np.float16) for k, v in joined.items()})
        part.rename(path)
        minutes = sum(map(len, ys)) / LATENTS_PER_SECOND / 60
        print(json.dumps({"shard": path.name, "clips": len(who), "minutes": round(minutes, 1), "cpuSeconds": round(time.process_time())}), flush=True)


if __name__ == "__main__":
    main()
