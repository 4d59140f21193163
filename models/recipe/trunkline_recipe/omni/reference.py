"""The voice in Python, streaming as the runtime does: the reference for golden values, evaluation and listening.

    python -m trunkline_recipe.omni.reference MODEL_DIR SENTENCES.jsonl OUT_DIR [--limit 20]     (WAV files)
    python -m trunkline_recipe.omni.reference --golden MODEL_DIR VOICE_DIR OUT.json
"""

import argparse
import json
import math
from pathlib import Path

import numpy as np

from .symbols import phoneme_ids, read_sentence
from .teacher import session

GENERATOR_CONTEXT = 12


class Voice:
    """Reads an exported folder; every array is NumPy, every graph ONNX Runtime's, one thread."""

    def __init__(self, folder, voice=None):
        folder = Path(folder)
        self.parameters = json.loads((folder / "manifest.json").read_text())["parameters"]
        names = ("talker-encoder", "talker-frames", "codec-decoder", "codec-encoder")
        self.encoder, self.frames, self.decoder, self.coder = (session(folder / f"{n}.onnx") for n in names)
        self.delayed = session(folder / "talker-delayed.onnx") if (folder / "talker-delayed.onnx").exists() else None
        self.generator = session(Path(voice) / "generator.onnx") if voice else None

    def encode(self, symbols, words, hidden=None):
        """Word by word, each with two ahead and the symbols before that it depends on. -> features [S, C], durations [S]."""
        p = self.parameters
        features, durations = [], []
        words = np.array(words)
        for word in range(words[-1] + 1):
            own = np.flatnonzero(words == word)
            if len(own) == 0:
                continue
            first = max(0, own[0] - p["leftSymbols"])
            last = np.flatnonzero(words <= word + p["lookAheadWords"])[-1] + 1
            base, count = words[first], words[last - 1] - words[first] + 1
            state = np.zeros((1, count, p["trunkWidth"]), np.float32)
            known = np.zeros((1, count), np.float32)
            if hidden is not None:
                state[0], known[0] = hidden[base : base + count], 1
            f, d = self.encoder.run(None, {"symbols": np.array([symbols[first:last]], np.int64), "words": words[None, first:last].astype(np.int64), "hidden": state, "known": known})
            features.append(f[0, own - first])
            durations.append(d[0, own - first])
        return np.concatenate(features), np.concatenate(durations)

    def codes(self, features, durations, chunk=4, delayed=False):
        """-> codes of the three levels for the whole sentence, made `chunk` frames at a time; by either form."""
        frames = max(1, math.ceil(float(np.sum(durations, dtype=np.float64)) / 8))
        index, position = steps(durations, 4 * frames)
        state = np.zeros((1, self.parameters["width"], self.parameters["talkerState"]), np.float32)
        out, latents = [], []
        for at in range(0, frames, chunk):
            span = slice(4 * at, min(4 * (at + chunk), 4 * frames))
            *codes, state, latent = self.frames.run(None, {"features": features[None], "index": index[None, span], "position": position[None, span], "state": state})
            out.append(codes)
            latents.append(latent)
        if delayed:
            return self.seven_layers(np.concatenate(latents, 2))
        return [np.concatenate(level, 1) for level in zip(*out)]

    def seven_layers(self, latents):
        """The delayed form: one step a frame, layer i at step n (from 0) for frame n - i; seven steps after the last."""
        frames = latents.shape[2] // 4
        states = {i.name: np.zeros(i.shape, np.float32) for i in self.delayed.get_inputs()[2:]}
        out = np.zeros((frames, 7), np.int64)
        for step in range(frames + 6):
            own = np.array([[0 <= step - layer < frames for layer in range(7)]])
            latent = latents[:, :, 4 * step : 4 * step + 4] if step < frames else np.zeros((1, latents.shape[1], 4), np.float32)
            codes, *new = self.delayed.run(None, {"latent": latent, "valid": own.astype(np.float32), **states})
            states = dict(zip(states, new))
            for layer in np.flatnonzero(own[0]):
                out[step - layer, layer] = codes[0, layer]
        return [out[None, :, 0], out[None, :, [1, 4]].reshape(1, -1), out[None, :, [2, 3, 5, 6]].reshape(1, -1)]

    def latents(self, codes, chunk=4):
        """-> z [192, 8 F], decoded chunk by chunk with the left context that there is."""
        left, frames, out = self.parameters["decoderLeftFrames"], codes[0].shape[1], []
        for at in range(0, frames, chunk):
            first, last = max(0, at - left), min(frames, at + chunk)
            feeds = {f"codes{k}": codes[k][:, first * 2**k : last * 2**k] for k in range(3)}
            out.append(self.decoder.run(None, feeds)[0][0][:, 8 * (at - first) :])
        return np.concatenate(out, 1)

    def encode_latents(self, z):
        state = np.zeros((1, self.parameters["width"], self.parameters["codecEncoderState"]), np.float32)
        return self.coder.run(None, {"z": z[None], "state": state})[:3]

    def sound(self, z):
        """-> PCM at 22,050 Hz."""
        return self.generator.run(None, {"z": np.ascontiguousarray(z[None], np.float32)})[0].ravel() * self.parameters["gain"]

    def __call__(self, sentence, hidden=None, delayed=False):
        features, durations = self.encode(sentence.symbols, sentence.words, hidden)
        return self.sound(self.latents(self.codes(features, durations, delayed=delayed)))


def steps(durations, count):
    """talker.steps_of in NumPy."""
    end = np.cumsum(durations.astype(np.float64))
    time = 2.0 * np.arange(count) + 1
    index = np.minimum(np.searchsorted(end, time, side="right"), len(end) - 1)
    duration = durations.astype(np.float64)[index]
    elapsed = time - (end[index] - duration)
    remaining = np.maximum(end[index] - time, 0)
    share = np.minimum(elapsed / np.maximum(duration, 1), 2)
    place = [np.log1p(np.minimum(elapsed, 86)), np.log1p(remaining), share, np.log1p(duration)]
    return index.astype(np.int64), np.stack(place, 1).astype(np.float32)


def golden(voice, ids):
    """Values to test a runtime against: a sentence with the trunk's states and one without."""
    random = np.random.default_rng(5)
    cases = []
    for phonemes, known in ((["həlˈoʊ,", "haʊ", "kæn", "aɪ", "hˈɛlp"], False), (["wiː", "ɑːɹ", "ˈoʊpən", "fɹʌm", "nˈaɪn", "tə", "fˈaɪv"], True)):
        said = {"text": "", "end": "?", "words": [{"phonemes": p.rstrip(","), "pause": "," if p[-1] == "," else "", "joined": False, "start": 0, "end": 0} for p in phonemes]}
        sentence = read_sentence(json.dumps(said), ids)
        hidden = random.standard_normal((len(phonemes), voice.parameters["trunkWidth"])).astype(np.float32).round(3) if known else None
        features, durations = voice.encode(sentence.symbols, sentence.words, hidden)
        # Random weights predict hardly any time: longer ones are used from here on, the same for everybody.
        stretched = (durations + 3).astype(np.float32)
        codes = voice.codes(features, stretched)
        z = voice.latents(codes)
        case = {
            "words": said["words"], "end": said["end"], "symbols": sentence.symbols, "wordOfSymbol": sentence.words,
            "hidden": None if hidden is None else [[float(f"{v:.3f}") for v in row] for row in hidden],
            "features": rounded(features[:, :4]), "durations": rounded(durations), "addedToDurations": 3,
            "codes": [c[0].tolist() for c in codes], "codesDelayed": [c[0].tolist() for c in voice.codes(features, stretched, delayed=True)],
            "latents": {"frames": z.shape[1], "first8of4Channels": rounded(z[:4, :8]), "mean": float(z.mean()), "last": rounded(z[:4, -1:])},
        }
        if voice.generator:
            pcm = voice.sound(z)
            case["pcm"] = {"samples": len(pcm), "gain": voice.parameters["gain"], "every997th": rounded(pcm[::997])}
        cases.append(case)
    return cases


def rounded(array):
    return [round(float(v), 6) if np.ndim(v) == 0 else rounded(v) for v in array]


def main():
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("model", type=Path)
    arguments.add_argument("source", type=Path)
    arguments.add_argument("out", type=Path)
    arguments.add_argument("--voice", type=Path, default=Path(__file__).parents[3] / "piper-joe")
    arguments.add_argument("--limit", type=int, default=20)
    arguments.add_argument("--golden", action="store_true")
    options = arguments.parse_args()
    voice = Voice(options.model, options.source if options.golden else options.voice)
    if options.golden:
        options.out.write_text(json.dumps(golden(voice, phoneme_ids(options.source)), ensure_ascii=False) + "\n")
        return
    import soundfile

    options.out.mkdir(parents=True, exist_ok=True)
    for number, line in enumerate(options.source.read_text().splitlines()[: options.limit]):
        soundfile.write(options.out / f"{number:04d}.wav", np.clip(voice(read_sentence(line, phoneme_ids(options.voice))), -1, 1), 22050)


if __name__ == "__main__":
    main()
