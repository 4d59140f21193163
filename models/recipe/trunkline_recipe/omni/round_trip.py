"""Sends speech that no synthesiser made through the codec: human prompts of a telephone exchange, in and out as WAV files.

    python -m trunkline_recipe.omni.round_trip MODEL_DIR OUT_DIR [--lines 120] [--band wide|narrow]

The prompts are those of Debian's asterisk-core-sounds-en of which the name's sha256 is odd: no net here was trained on
them, though on other prompts of the same speaker. `narrow`: 8 kHz, package …-wav; `wide`: 16 kHz, package …-g722 (needs
the Python package G722). Writes lines.jsonl, before/NNNN.wav and after/NNNN.wav, which evaluate.py --wavs judges.
"""

import argparse
import json
from pathlib import Path

import librosa
import numpy as np
import soundfile

from ..ear.speech import PROMPTS, human_prompts
from .pcm_encoder import LAG, SAMPLE_RATE
from .reference import Voice
from .teacher import session

FRAME = 2048
MIN_WORDS, MAX_SECONDS = 4, 14


def wide_band(name):
    """ITU-T G.722 at 64 kbit/s -> 16 kHz PCM."""
    from G722 import G722

    return np.asarray(G722(16000, 64000).decode((PROMPTS / f"{name}.g722").read_bytes()), np.float32) / 32768, 16000


def prompts(count, band):
    """-> (text, PCM, rate) of test prompts of four words and more, in an order that does not depend on how many are wanted."""
    rows = [row for row in human_prompts(test=True) if len(row[1].split()) >= MIN_WORDS]
    for index in np.random.default_rng(2026).permutation(len(rows)):
        name, text, path = rows[index]
        pcm, rate = wide_band(name) if band == "wide" else soundfile.read(path, dtype="float32")
        if len(pcm) / rate > MAX_SECONDS:
            continue
        yield text, pcm, rate
        count -= 1
        if count == 0:
            return


class Ear:
    """PCM at 22,050 Hz -> codes of the three levels; frame by frame as a stream, or at once."""

    def __init__(self, folder):
        self.graph = session(Path(folder) / "codec-pcm.onnx")
        self.fresh = {i.name: np.zeros(i.shape, np.float32) for i in self.graph.get_inputs()[1:]}

    def __call__(self, pcm, chunk=None):
        frames = -(-(len(pcm) + LAG) // FRAME)
        pcm = np.pad(pcm, (0, frames * FRAME - len(pcm))).astype(np.float32)[None]
        states, out = self.fresh, []
        for at in range(0, frames, chunk or frames):
            *codes, memory, state = self.graph.run(None, {"pcm": pcm[:, FRAME * at : FRAME * (at + (chunk or frames))], **states})
            states = {"memory": memory, "state": state}
            out.append(codes)
        return [np.concatenate(level, 1) for level in zip(*out)]


def main():
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("model", type=Path)
    arguments.add_argument("out", type=Path)
    arguments.add_argument("--voice", type=Path, default=Path(__file__).parents[3] / "piper-joe")
    arguments.add_argument("--lines", type=int, default=120)
    arguments.add_argument("--band", choices=["wide", "narrow"], default="wide")
    options = arguments.parse_args()
    voice, ear = Voice(options.model, options.voice), Ear(options.model)
    for part in ("before", "after"):
        (options.out / part).mkdir(parents=True, exist_ok=True)
    with (options.out / "lines.jsonl").open("w") as file:
        for number, (text, pcm, rate) in enumerate(prompts(options.lines, options.band)):
            file.write(json.dumps({"text": text}) + "\n")
            soundfile.write(options.out / "before" / f"{number:04d}.wav", np.clip(pcm, -1, 1), rate)
            heard = librosa.resample(pcm, orig_sr=rate, target_sr=SAMPLE_RATE)
            # As loud as the net learnt speech to be: -20 dB of full scale.
            loud = heard[np.abs(heard) > 0.01]
            heard = heard * (0.1 / np.sqrt(np.mean(loud**2)))
            after = voice.sound(voice.latents(ear(heard)))[LAG:]
            soundfile.write(options.out / "after" / f"{number:04d}.wav", np.clip(after, -1, 1), SAMPLE_RATE)


if __name__ == "__main__":
    main()
