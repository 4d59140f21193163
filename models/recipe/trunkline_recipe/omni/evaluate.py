"""Reads the voice's speech back: word error rate by Whisper base, wide and through G.711, and DNSMOS.

    python -m trunkline_recipe.omni.evaluate SENTENCES.jsonl MODEL_DIR WHISPER_DIR OUT.jsonl
        [--source talker|delayed|codec|teacher] [--limit 300] [--compute float32|int8] [--bands wide,g711]

The judge pads to 30 s and is greedy; WHISPER_DIR holds Whisper base in CTranslate2's format. Its text goes through the
agent's own normaliser (needs the built program and Node), so that "7:30" and "seven thirty" are the same. `codec`: the
teacher's latents through the codec; `teacher`: the voice's own latents. Results are kept line by line: run again to go on.
"""

import argparse
import json
import subprocess
import tempfile
from pathlib import Path

import jiwer
import librosa
import numpy as np

from ..voice.evaluate import Recogniser, mu_law
from .reference import Voice
from .symbols import phoneme_ids, read_sentence
from .teacher import Teacher

SPOKEN = Path(__file__).parent / "spoken.mjs"


class Judge(Recogniser):
    def __init__(self, directory, compute):
        super().__init__(directory)
        import ctranslate2

        self.model = ctranslate2.models.Whisper(str(directory), device="cpu", compute_type=compute, intra_threads=1)


def spoken_words(texts):
    """Each text as the words that the normaliser reads out, joined by blanks."""
    with tempfile.TemporaryDirectory() as folder:
        source, result = Path(folder, "in.txt"), Path(folder, "out.jsonl")
        full = [" ".join(t.split()) for t in texts]
        source.write_text("".join(t + "\n" for t in full if t))
        subprocess.run(["node", str(SPOKEN), str(source), str(result)], check=True)
        said = {}
        for line in result.read_text().splitlines():
            row = json.loads(line)
            said[row["text"]] = " ".join(w["text"] for w in row["words"])
    return [said.get(t, "") for t in full]


def interval(wants, gots, random):
    """95 % of bootstrap samples of lines."""
    errors, words = [], []
    for want, got in zip(wants, gots):
        out = jiwer.process_words(want, got or "*")
        errors.append(out.substitutions + out.deletions + out.insertions)
        words.append(len(want.split()))
    errors, words = np.array(errors), np.array(words)
    picks = random.integers(0, len(errors), (1000, len(errors)))
    rates = 100 * errors[picks].sum(1) / words[picks].sum(1)
    return round(100 * errors.sum() / words.sum(), 2), [round(float(v), 2) for v in np.percentile(rates, [2.5, 97.5])]


def main():
    arguments = argparse.ArgumentParser(description=__doc__)
    for name in ("sentences", "model", "whisper", "out"):
        arguments.add_argument(name, type=Path)
    arguments.add_argument("--voice", type=Path, default=Path(__file__).parents[3] / "piper-joe")
    arguments.add_argument("--source", choices=["talker", "delayed", "codec", "teacher"], default="talker")
    arguments.add_argument("--limit", type=int, default=300)
    arguments.add_argument("--compute", default="float32")
    arguments.add_argument("--bands", default="wide,g711")
    arguments.add_argument("--noise", type=float, default=0.2)
    options = arguments.parse_args()
    from speechmos import dnsmos

    ids = phoneme_ids(options.voice)
    lines = options.sentences.read_text().splitlines()[: options.limit]
    voice = Voice(options.model, options.voice)
    teacher = Teacher(options.voice, options.noise, 0.3)
    judge = Judge(options.whisper, options.compute)
    done = [json.loads(row) for row in options.out.read_text().splitlines()] if options.out.exists() else []
    bands = options.bands.split(",")
    with options.out.open("a") as file:
        for number, line in enumerate(lines[len(done) :], len(done)):
            sentence = read_sentence(line, ids)
            if options.source in ("talker", "delayed"):
                pcm = voice(sentence, delayed=options.source == "delayed")
            else:
                _, z = teacher(sentence.symbols, np.random.default_rng(number))
                z = np.concatenate([z, np.repeat(z[-1:], -len(z) % 8, 0)]).T.astype(np.float32)
                pcm = voice.sound(voice.latents(voice.encode_latents(z)) if options.source == "codec" else z)
            pcm = np.clip(pcm, -1, 1)
            wide = librosa.resample(pcm, orig_sr=22050, target_sr=16000)
            row = {"text": sentence.text, "seconds": len(pcm) / 22050, "mos": float(dnsmos.run(np.clip(wide, -1, 1), 16000)["ovrl_mos"])}
            if "wide" in bands:
                row["wide"] = judge(wide)
            if "g711" in bands:
                narrow = mu_law(librosa.resample(pcm, orig_sr=22050, target_sr=8000))
                row["g711"] = judge(librosa.resample(narrow, orig_sr=8000, target_sr=16000))
            done.append(row)
            file.write(json.dumps(row) + "\n")
            file.flush()
    want = spoken_words([row["text"] for row in done])
    random = np.random.default_rng(1)
    result = {"source": options.source, "lines": len(done), "words": sum(len(w.split()) for w in want), "minutes": round(sum(r["seconds"] for r in done) / 60, 1), "dnsmos": round(float(np.mean([r["mos"] for r in done])), 3)}
    for band in bands:
        got = spoken_words([row[band] for row in done])
        result[band], result[band + "95"] = interval(want, got, random)
        for w, g in zip(want, got):
            if w != g:
                print(f"  {band}: {w}\n     -> {g}")
    print(json.dumps(result), flush=True)


if __name__ == "__main__":
    main()
