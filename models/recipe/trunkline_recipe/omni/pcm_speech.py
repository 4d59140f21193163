"""Pairs for the codec's ear: log-mel of speech, and what the voice joe would say at each moment in its heard directions.

    python -m trunkline_recipe.omni.pcm_speech SENTENCES.jsonl LATENTS_DIR BASIS.npz OUT_DIR [--shards 26]

Joe's own speech, the generator's output for the teacher's latents, also faster and slower with its pitch and formants, as
larger and smaller people speak (the latents are stretched along). Other speakers say the same sentences, flite's and
espeak-ng's voices and the human prompts of Debian's asterisk-core-sounds-en-wav of which the name's sha256 is even (their
texts are said by the teacher); dynamic time warping over cepstra tells which of joe's moments is theirs. All of it at
many levels, in noise, and half through a telephone. Shards `pairs-00000.npz` of twenty sentences, by turns joe's and the
human's; done ones are kept: run again to go on.
"""

import argparse
import json
import subprocess
import tempfile
import time
from pathlib import Path

import librosa
import numpy as np
from scipy.fft import dct

from ..ear.speech import ESPEAK, FLITE, coloured_noise, human_prompts, read_wav, synthesise, telephone
from .data import Shards
from .pcm_encoder import HOP, SAMPLE_RATE, log_mel
from .symbols import phoneme_ids, read_sentence
from .teacher import Teacher, session

SPOKEN = Path(__file__).parent / "spoken.mjs"
GAIN = 1.7
SHARD = 20


def resampled(pcm, source, target):
    return librosa.resample(pcm, orig_sr=source, target_sr=target, res_type="soxr_mq").astype(np.float32)


def stretched(rows, length):
    """[T, n] -> [length, n] by linear interpolation over the whole."""
    at = (np.arange(length) + 0.5) * len(rows) / length - 0.5
    at = np.clip(at, 0, len(rows) - 1)
    low = np.floor(at).astype(int)
    high = np.minimum(low + 1, len(rows) - 1)
    share = (at - low)[:, None]
    return rows[low] * (1 - share) + rows[high] * share


def cepstra(mel):
    """Shape of the spectrum without level and speaker: 12 cepstral coefficients, each of mean 0 and deviation 1, and their slopes."""
    rows = dct(mel, axis=1, norm="ortho")[:, 1:13]
    rows = (rows - rows.mean(0)) / (rows.std(0) + 1e-6)
    loud = mel.mean(1, keepdims=True)
    loud = 2 * (loud - loud.mean()) / (loud.std() + 1e-6)
    both = np.concatenate([rows, loud], 1)
    return np.concatenate([both, 2 * np.gradient(both, axis=0)], 1)


def warped(mel, own, y):
    """mel [T, bands] of another speaker, `own` of joe [J, bands], y [J, size] -> y for each of the T frames; cost of the path."""
    costs, path = librosa.sequence.dtw(cepstra(own).T, cepstra(mel).T, metric="euclidean")
    total, count = np.zeros((len(mel), y.shape[1])), np.zeros(len(mel))
    for mine, theirs in path:
        if mine < len(y):
            total[theirs] += y[mine]
            count[theirs] += 1
    return (total / np.maximum(count, 1)[:, None]).astype(np.float32), costs[-1, -1] / len(path)


def worn(pcm, rng):
    """A way in which speech may arrive: band, level, noise."""
    kind = rng.random()
    if kind < 0.5:
        pcm = resampled(pcm, SAMPLE_RATE, 16000)
        pcm = resampled(telephone(pcm) if kind < 0.4 else pcm, 16000, SAMPLE_RATE)
    loud = pcm[np.abs(pcm) > 0.01]
    rms = np.sqrt(np.mean(loud**2)) if len(loud) else 1
    pcm = pcm * (10 ** (rng.uniform(-32, -14) / 20) / rms)
    if rng.random() < 0.6:
        pcm = pcm + coloured_noise(len(pcm), rng, rng.choice([0, 0.5, 1])) * pcm.std() * 10 ** (-rng.uniform(12, 45) / 20)
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


def other(who, pcm, own, y, rng):
    loud = np.flatnonzero(np.abs(pcm) > 0.02 * np.abs(pcm).max())
    pcm = pcm[max(0, loud[0] - 4 * HOP) : loud[-1] + 6 * HOP]
    target, cost = warped(log_mel(pcm), log_mel(own), y)
    for _ in range(2):
        mel = log_mel(worn(pcm, rng))
        yield f"{who} {cost:.2f}", mel, target[: len(mel)]


def synthetic(joe, rows, rng):
    """(z, text) of the teacher's sentences -> joe as he is, joe larger or smaller, and another voice: who, log-mel [T, bands], y [T, size]."""
    voices = [("flite", v) for v in FLITE] * 3 + [("espeak", v) for v in ESPEAK]
    for z, text in rows:
        y, pcm = joe.heard(z), joe.sound(z)
        for factor in (1.0, np.exp(rng.uniform(-0.28, 0.28))):
            said = pcm if factor == 1 else resampled(pcm, SAMPLE_RATE * factor, SAMPLE_RATE)
            mel = log_mel(worn(said, rng))
            yield "joe", mel, stretched(y, len(mel))
        engine, voice = voices[rng.integers(len(voices))]
        yield from other(engine, resampled(synthesise(engine, voice, text, rng), 16000, SAMPLE_RATE), pcm, y, rng)


def human(joe, rows, rng):
    """(spoken line, path) of prompts -> the same."""
    for line, path in rows:
        _, z = joe.teacher(read_sentence(line, joe.ids).symbols, rng)
        yield from other("human", resampled(read_wav(path), 16000, SAMPLE_RATE), joe.sound(z), joe.heard(z), rng)


def main():
    arguments = argparse.ArgumentParser(description=__doc__)
    for name in ("sentences", "latents", "basis", "out"):
        arguments.add_argument(name, type=Path)
    arguments.add_argument("--voice", type=Path, default=Path(__file__).parents[3] / "piper-joe")
    arguments.add_argument("--shards", type=int, default=26)
    options = arguments.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    joe, latents = Joe(options.voice, options.basis), Shards(options.latents, most=SHARD * options.shards)
    texts = [json.loads(line)["text"] for line in options.sentences.read_text().splitlines()]
    said = [(z, texts[line]) for z, line in zip(latents.z, latents.lines)]
    prompts = [(" ".join(text.split()), path) for _, text, path in human_prompts(test=False) if 2 < len(text.split()) < 25]
    lines = spoken_lines([text for text, _ in prompts])
    prompts = [(lines[text], path) for text, path in prompts if text in lines]
    for shard in range(options.shards):
        path = options.out / f"pairs-{shard:05d}.npz"
        own = slice(SHARD * (shard // 2), SHARD * (shard // 2 + 1))
        maker, rows = (human, prompts[own]) if shard % 2 else (synthetic, [(z.astype(np.float32), text) for z, text in said[own]])
        if path.exists() or not rows:
            continue
        who, mels, ys = zip(*maker(joe, rows, np.random.default_rng(shard)))
        part = path.with_suffix(".part.npz")
        np.savez(part, who=who, lengths=[len(m) for m in mels], mel=np.concatenate(mels).astype(np.float16), y=np.concatenate(ys).astype(np.float16))
        part.rename(path)
        print(json.dumps({"shard": path.name, "clips": len(who), "minutes": round(sum(map(len, mels)) * HOP / SAMPLE_RATE / 60, 1), "cpuSeconds": round(time.process_time())}), flush=True)


if __name__ == "__main__":
    main()
