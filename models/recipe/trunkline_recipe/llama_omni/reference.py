"""The unit voice in Python, streaming as the runtime does: the reference for golden values, evaluation and listening.

    python -m trunkline_recipe.llama_omni.reference MODEL_DIR VOICE_DIR OUT_DIR --lines SENTENCES.jsonl [--limit 60]     (WAV files)
    python -m trunkline_recipe.llama_omni.reference MODEL_DIR VOICE_DIR OUT.json                    (golden values)

The WAV files are judged by `python -m trunkline_recipe.omni.evaluate … --wavs OUT_DIR`.
"""

import argparse
import json
import math
from pathlib import Path

import numpy as np

from ..omni.reference import rounded, steps
from ..omni.symbols import phoneme_ids, read_sentence
from ..omni.teacher import session
from .train_vocoder import merged
from .unit_data import layout


class UnitVoice:
    """Reads an exported folder; every array is NumPy, every graph ONNX Runtime's, one thread."""

    def __init__(self, folder, voice=None):
        folder = Path(folder)
        self.parameters = json.loads((folder / "manifest.json").read_text())["parameters"]
        names = ("symbol-encoder", "speech-decoder", "unit-encoder", "unit-frames")
        self.encoder, self.decoder, self.units, self.frames = (session(folder / f"{n}.onnx") for n in names)
        self.generator = session(Path(voice) / "generator.onnx") if voice else None

    def encode(self, symbols, words, hidden=None):
        """The whole sentence at once: masks see to it that no word knows more than two ahead. -> features [S, C], durations [S] latents."""
        count = max(words) + 1
        state = np.zeros((1, count, self.parameters["trunkWidth"]), np.float32)
        known = np.zeros((1, count), np.float32)
        if hidden is not None:
            state[0], known[0] = hidden, 1
        feeds = {"symbols": np.array([symbols], np.int64), "words": np.array([words], np.int64), "hidden": state, "known": known}
        features, durations = self.encoder.run(["features", "durations"], feeds)
        return features[0], durations[0]

    def symbols(self, features, ids):
        """-> the likeliest symbol of each position of the sentence, read with an empty cache; symbol of the voice that it belongs to."""
        p = self.parameters["decoder"]
        index, place = layout(np.array(ids), np.array(self.parameters["positions"]))
        rows = np.concatenate([features[index], place], 1)[None].astype(np.float32)
        feeds = {"rows": rows, "last_position": np.array([len(index) - 1], np.int32), "total_length": np.array([len(index)], np.int32)}
        cache = np.zeros((1, p["heads"], p["positions"], p["headSize"]), np.float32)
        feeds |= {f"past.{i}.{part}": cache for i in range(p["layers"]) for part in ("key", "value")}
        return self.decoder.run(["symbols"], feeds)[0][0], index

    def describe(self, units, times):
        """Units and told times [N] -> features [N, C], durations [N] latents."""
        p = self.parameters
        around = p["vocoder"]["neighbours"]
        shown = np.pad(units, around, constant_values=p["decoder"]["units"])
        features, durations = self.units.run(None, {"units": shown[None].astype(np.int64), "times": np.pad(times, around)[None].astype(np.float32)})
        return features[0], durations[0]

    def latents(self, features, durations):
        """-> z [192, 2 T]."""
        count = max(1, math.ceil(float(np.sum(durations, dtype=np.float64)) / 2))
        index, position = steps(durations, count)
        v = self.parameters["vocoder"]
        feeds = {"features": features[None], "index": index[None], "position": position[None], "state": np.zeros((1, v["stateWidth"], v["state"]), np.float32)}
        return self.frames.run(["z"], feeds)[0][0]

    def sound(self, z):
        """-> PCM at 22,050 Hz."""
        return self.generator.run(None, {"z": np.ascontiguousarray(z[None], np.float32)})[0].ravel() * self.parameters["gain"]

    def said(self, sentence, hidden=None):
        """-> units without repeats and their told times in latents: each position has its share of its symbol's duration."""
        features, durations = self.encode(sentence.symbols, sentence.words, hidden)
        found, index = self.symbols(features, sentence.symbols)
        share = durations.astype(np.float64) / np.array(self.parameters["positions"])[sentence.symbols]
        return merged(found, share[index], self.parameters["decoder"]["units"])

    def __call__(self, sentence, hidden=None):
        return self.sound(self.latents(*self.describe(*self.said(sentence, hidden))))


def golden(voice, ids):
    """Values to test a runtime against: a sentence with the trunk's states and one without."""
    random = np.random.default_rng(5)
    cases = []
    for phonemes, known in ((["həlˈoʊ,", "haʊ", "kæn", "aɪ", "hˈɛlp"], False), (["wiː", "ɑːɹ", "ˈoʊpən", "fɹʌm", "nˈaɪn", "tə", "fˈaɪv"], True)):
        said = {"text": "", "end": "?", "words": [{"phonemes": p.rstrip(","), "pause": "," if p[-1] == "," else "", "joined": False, "start": 0, "end": 0} for p in phonemes]}
        sentence = read_sentence(json.dumps(said), ids)
        hidden = random.standard_normal((len(phonemes), voice.parameters["trunkWidth"])).astype(np.float32).round(3) if known else None
        units, times = voice.said(sentence, hidden)
        features, durations = voice.describe(units, times)
        z = voice.latents(features, durations)
        pcm = voice.sound(z)
        cases.append({
            "words": said["words"], "end": said["end"],
            "hidden": None if hidden is None else [[float(f"{v:.3f}") for v in row] for row in hidden],
            "units": units.tolist(), "times": rounded(times), "durations": rounded(durations),
            "latents": {"frames": z.shape[1], "first8of4Channels": rounded(z[:4, :8])},
            "pcm": {"samples": len(pcm), "every997th": rounded(pcm[::997])},
        })
    return cases


def main():
    arguments = argparse.ArgumentParser(description=__doc__)
    for name in ("model", "voice", "out"):
        arguments.add_argument(name, type=Path)
    arguments.add_argument("--lines", type=Path)
    arguments.add_argument("--limit", type=int, default=60)
    options = arguments.parse_args()
    voice, ids = UnitVoice(options.model, options.voice), phoneme_ids(options.voice)
    if not options.lines:
        options.out.write_text(json.dumps(golden(voice, ids), ensure_ascii=False) + "\n")
        return
    import soundfile

    options.out.mkdir(parents=True, exist_ok=True)
    for number, line in enumerate(options.lines.read_text().splitlines()[: options.limit]):
        path = options.out / f"{number:04d}.wav"
        if not path.exists():
            soundfile.write(path, np.clip(voice(read_sentence(line, ids)), -1, 1), 22050)


if __name__ == "__main__":
    main()
