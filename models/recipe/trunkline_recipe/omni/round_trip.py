"""Sends speech that no synthesiser made through the codec: human recordings, in and out as WAV files.

    python -m trunkline_recipe.omni.round_trip MODEL_DIR OUT_DIR [--lines 120] [--band wide|narrow] [--learnt] [--reader] [--plain]

The recordings are the prompts of Debian's asterisk-core-sounds-en of which the name's sha256 is odd: no net here was trained on
them. `narrow`: 8 kHz, package …-wav; `wide`: 16 kHz, package …-g722 (needs the Python package G722). `--learnt`: the other half,
to choose by. `--reader`: instead of them five sentences of a LibriVox reader, Debian's package pocketsphinx-testdata, 16 kHz, or
through a telephone. `--plain`: latents that were never made codes. Writes lines.jsonl, before/NNNN.wav and after/NNNN.wav,
which evaluate.py --wavs judges.
"""

import argparse
import json
import re
from pathlib import Path

import librosa
import numpy as np
import soundfile

from ..ear.features import SAMPLE_RATE
from ..ear.speech import PROMPTS, human_prompts, read_wav, telephone
from .codec_ear import Listener, latents_of, tune_rows
from .reference import Voice
from .teacher import session

MIN_WORDS, MAX_SECONDS = 4, 14
READER = Path("/usr/share/pocketsphinx/test/data/librivox")
MODELS = Path(__file__).parents[3]


def wide_band(name):
    """ITU-T G.722 at 64 kbit/s -> 16 kHz PCM."""
    from G722 import G722

    return np.asarray(G722(16000, 64000).decode((PROMPTS / f"{name}.g722").read_bytes()), np.float32) / 32768, 16000


def prompts(count, band, test=True):
    """-> (text, PCM, rate) of prompts of four words and more, in an order that does not depend on how many are wanted."""
    rows = [row for row in human_prompts(test) if len(row[1].split()) >= MIN_WORDS]
    for index in np.random.default_rng(2026).permutation(len(rows)):
        name, text, path = rows[index]
        pcm, rate = wide_band(name) if band == "wide" else soundfile.read(path, dtype="float32")
        if len(pcm) / rate > MAX_SECONDS:
            continue
        yield text, pcm, rate
        count -= 1
        if count == 0:
            return


def reader(band):
    """-> (text, PCM, rate)"""
    for line in (READER / "transcription").read_text().splitlines():
        text, name = re.match(r"<s> (.+) </s> \((.+)\)", line).groups()
        pcm = read_wav(READER / f"{name}.wav")
        yield text, telephone(pcm) if band == "narrow" else pcm, SAMPLE_RATE


class Ear:
    """PCM at 16 kHz -> latents of the voice [192, 8 F]."""

    def __init__(self, folder, whisper):
        self.listener, self.graph = Listener(whisper), session(Path(folder) / "codec-ear.onnx")

    def __call__(self, pcm):
        tune = tune_rows(pcm, latents_of(len(pcm)))
        return self.graph.run(None, {"hidden": self.listener(pcm)[None], "tune": tune[None]})[0][0]


def main():
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("model", type=Path)
    arguments.add_argument("out", type=Path)
    arguments.add_argument("--voice", type=Path, default=MODELS / "piper-joe")
    arguments.add_argument("--whisper", type=Path, default=MODELS / "whisper-base")
    arguments.add_argument("--lines", type=int, default=120)
    arguments.add_argument("--band", choices=["wide", "narrow"], default="wide")
    arguments.add_argument("--learnt", action="store_true")
    arguments.add_argument("--reader", action="store_true")
    arguments.add_argument("--plain", action="store_true")
    options = arguments.parse_args()
    voice, ear = Voice(options.model, options.voice), Ear(options.model, options.whisper)
    for part in ("before", "after"):
        (options.out / part).mkdir(parents=True, exist_ok=True)
    said = reader(options.band) if options.reader else prompts(options.lines, options.band, test=not options.learnt)
    with (options.out / "lines.jsonl").open("w") as file:
        for number, (text, pcm, rate) in enumerate(said):
            file.write(json.dumps({"text": text}) + "\n")
            soundfile.write(options.out / "before" / f"{number:04d}.wav", np.clip(pcm, -1, 1), rate)
            z = ear(pcm if rate == SAMPLE_RATE else librosa.resample(pcm, orig_sr=rate, target_sr=SAMPLE_RATE))
            after = voice.sound(z if options.plain else voice.latents(voice.encode_latents(z)))
            soundfile.write(options.out / "after" / f"{number:04d}.wav", np.clip(after, -1, 1), 22050)


if __name__ == "__main__":
    main()
