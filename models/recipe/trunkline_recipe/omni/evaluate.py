"""Reads the voice's speech back: word error rate by Whisper base, wide and through G.711, and DNSMOS.

    python -m trunkline_recipe.omni.evaluate SENTENCES.jsonl MODEL_DIR WHISPER_DIR OUT.jsonl
        [--source talker|delayed|codec|teacher] [--states DIR] [--wavs DIR] [--limit 300] [--compute float32|int8]
        [--bands wide,g711] [--mos-every 5] [--keep DIR]

The judge pads to 30 s and is greedy; WHISPER_DIR holds Whisper base in CTranslate2's format. Its text goes through the
agent's own normaliser (needs the built program and Node), so that "7:30" and "seven thirty" are the same. `codec`: the
teacher's latents through the codec; `teacher`: the voice's own latents. `--states`: the talker hears the trunk's hidden
states of these sentences (trunk_states.py). `--wavs`: judges NNNN.wav of a folder instead, line by line, such as
voice/speak.mjs or round_trip.py write. Results are kept line by line: run again to go on. `--keep`
writes what was heard as NNNN.wav; with `--bands= --mos-every 0` nothing is judged. Where lines have a kind (draw.py), the rates of each kind come out too.
"""

import argparse
import json
import subprocess
import tempfile
from pathlib import Path

import jiwer
import librosa
import numpy as np
import soundfile

from ..voice.evaluate import Recogniser, mu_law
from .reference import Voice
from .symbols import phoneme_ids, read_sentence
from .teacher import Teacher
from .trunk_states import States

SPOKEN = Path(__file__).parent / "spoken.mjs"


class Judge(Recogniser):
    def __init__(self, directory, compute):
        super().__init__(directory)
        import ctranslate2

        self.model = ctranslate2.models.Whisper(str(directory), device="cpu", compute_type=compute, intra_threads=1)


def one_threaded_dnsmos():
    """speechmos opens its graphs with as many threads as there are processors, which wait for one another when others work."""
    import onnxruntime

    opened = onnxruntime.InferenceSession
    one = onnxruntime.SessionOptions()
    one.intra_op_num_threads = one.inter_op_num_threads = 1
    onnxruntime.InferenceSession = lambda path, *rest, **named: opened(path, one)
    try:
        from speechmos import dnsmos

        dnsmos.run(np.zeros(16000, np.float32), 16000)
    finally:
        onnxruntime.InferenceSession = opened
    return dnsmos


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


def heard(options):
    """-> a function of (number, line): the text, PCM and its rate."""
    if options.wavs:
        return lambda number, line: (json.loads(line)["text"], *soundfile.read(options.wavs / f"{number:04d}.wav", dtype="float32"))
    ids = phoneme_ids(options.voice)
    voice = Voice(options.model, options.voice)
    teacher = Teacher(options.voice, options.noise, 0.3)
    states = States(options.states, voice.parameters["trunkWidth"]) if options.states else None

    def say(number, line):
        sentence = read_sentence(line, ids)
        if options.source in ("talker", "delayed"):
            hidden = states.rows[number].astype(np.float32) if states else None
            pcm = voice(sentence, hidden, delayed=options.source == "delayed")
        else:
            _, z = teacher(sentence.symbols, np.random.default_rng(number))
            z = np.concatenate([z, np.repeat(z[-1:], -len(z) % 8, 0)]).T.astype(np.float32)
            pcm = voice.sound(voice.latents(voice.encode_latents(z)) if options.source == "codec" else z)
        return sentence.text, np.clip(pcm, -1, 1), 22050

    return say


def summary(lines, done, bands):
    """Of judged lines: word error rates with their intervals, for all and by kind, and the mean DNSMOS of those that have one."""
    want = spoken_words([row["text"] for row in done])
    kinds = [json.loads(line).get("kind") for line in lines[: len(done)]]
    mos = [row["mos"] for row in done if "mos" in row]
    result = {"lines": len(done), "words": sum(len(w.split()) for w in want), "minutes": round(sum(r["seconds"] for r in done) / 60, 1)}
    if mos:
        result |= {"dnsmos": round(float(np.mean(mos)), 3), "dnsmosLines": len(mos), "dnsmosError": round(float(np.std(mos) / len(mos) ** 0.5), 3)}
    for band in bands:
        got = spoken_words([row[band] for row in done])
        result[band], result[band + "95"] = interval(want, got, np.random.default_rng(1))
        for kind in sorted({k for k in kinds if k}):
            own = [i for i, k in enumerate(kinds) if k == kind]
            result.setdefault("kinds", {}).setdefault(kind, {"words": sum(len(want[i].split()) for i in own)})[band] = interval([want[i] for i in own], [got[i] for i in own], np.random.default_rng(1))
        for w, g in zip(want, got):
            if w != g:
                print(f"  {band}: {w}\n     -> {g}")
    return result


def main():
    arguments = argparse.ArgumentParser(description=__doc__)
    for name in ("sentences", "model", "whisper", "out"):
        arguments.add_argument(name, type=Path)
    arguments.add_argument("--voice", type=Path, default=Path(__file__).parents[3] / "piper-joe")
    arguments.add_argument("--source", choices=["talker", "delayed", "codec", "teacher"], default="talker")
    arguments.add_argument("--states", type=Path)
    arguments.add_argument("--wavs", type=Path)
    arguments.add_argument("--keep", type=Path)
    arguments.add_argument("--limit", type=int, default=300)
    arguments.add_argument("--compute", default="float32")
    arguments.add_argument("--bands", default="wide,g711")
    arguments.add_argument("--noise", type=float, default=0.2)
    arguments.add_argument("--mos-every", type=int, default=1, help="DNSMOS of every n-th line (0: of none): it costs as much as the judge")
    options = arguments.parse_args()
    lines = options.sentences.read_text().splitlines()[: options.limit]
    done = [json.loads(row) for row in options.out.read_text().splitlines()] if options.out.exists() else []
    bands = [band for band in options.bands.split(",") if band]
    kept = {path.name for path in options.keep.glob("*.wav")} if options.keep else set()
    say = heard(options)
    if len(done) < len(lines):
        judge = Judge(options.whisper, options.compute) if bands else None
        dnsmos = one_threaded_dnsmos() if options.mos_every else None
    with options.out.open("a") as file:
        for number, line in enumerate(lines):
            name = f"{number:04d}.wav"
            if number < len(done) and (not options.keep or name in kept):
                continue
            text, pcm, rate = say(number, line)
            if options.keep:
                options.keep.mkdir(parents=True, exist_ok=True)
                soundfile.write(options.keep / name, pcm, rate)
            if number < len(done):
                continue
            wide = librosa.resample(pcm, orig_sr=rate, target_sr=16000)
            row = {"text": text, "seconds": len(pcm) / rate}
            if options.mos_every and number % options.mos_every == 0:
                row["mos"] = float(dnsmos.run(np.clip(wide, -1, 1), 16000)["ovrl_mos"])
            if "wide" in bands:
                row["wide"] = judge(wide)
            if "g711" in bands:
                narrow = mu_law(librosa.resample(pcm, orig_sr=rate, target_sr=8000))
                row["g711"] = judge(librosa.resample(narrow, orig_sr=8000, target_sr=16000))
            done.append(row)
            file.write(json.dumps(row) + "\n")
            file.flush()
    print(json.dumps({"source": options.wavs.name if options.wavs else options.source, **summary(lines, done, bands)}), flush=True)


if __name__ == "__main__":
    main()
