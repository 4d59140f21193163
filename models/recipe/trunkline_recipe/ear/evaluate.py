"""Word error rates of the recogniser: python -m trunkline_recipe.ear.evaluate WORK MODEL [--published WORK/x-published --float WORK/x-float]

Human prompts of the test half and synthetic telephone talk, as recorded and through a telephone line (300-3400 Hz, G.711
µ-law), the end-to-end benchmark's questions through that line, and sounds without words. MODEL is an exported folder; `npm run build` first for the rows of the TypeScript code.
"""

import argparse
import json
import re
import subprocess
from pathlib import Path

import jiwer
import numpy as np
import onnxruntime
import soundfile as sf

from .features import SAMPLE_RATE, cut_context, padded_context
from .sentences import template_sentence
from .speech import FLITE, MUSIC, human_prompts, is_validation_prompt, level, no_speech, read_wav, synthesise, telephone

REPOSITORY = Path(__file__).resolve().parents[4]
ONES = "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen".split()
TENS = "_ _ twenty thirty forty fifty sixty seventy eighty ninety".split()


def number_words(n):
    if n < 20:
        return ONES[n]
    if n < 100:
        return TENS[n // 10] + ("" if n % 10 == 0 else " " + ONES[n % 10])
    if n < 1000:
        return ONES[n // 100] + " hundred" + ("" if n % 100 == 0 else " " + number_words(n % 100))
    return " ".join(ONES[int(d)] for d in str(n))


def plain(text):
    """Lower case, no punctuation, numbers in words: what is compared."""
    text = text.lower().replace("’", "'").replace("%", " percent ").replace("&", " and ").replace("$", " dollars ")
    text = re.sub(r"(\d+)(st|nd|rd|th)\b", r"\1", text)
    text = re.sub(r"(?<=\d)[,](?=\d{3})", "", text)
    text = re.sub(r"\d+", lambda m: f" {number_words(int(m.group()))} ", text)
    text = re.sub(r"[^a-z' ]+", " ", text)
    text = re.sub(r"\b(okay|ok)\b", "ok", text).replace("o clock", "o'clock").replace("voice mail", "voicemail").replace("x ray", "xray")
    return " ".join(text.split())


def build_sets(work, count):
    """Sets of (text, path); the audio is kept as 16 kHz WAV so that every engine hears the same samples."""
    folder = work / "evaluation"
    folder.mkdir(exist_ok=True)
    rng = np.random.default_rng(2026)
    rows = [row for row in human_prompts(test=True) if len(plain(row[1])) > 2 and sf.info(row[2]).duration < 14]
    rows = [rows[i] for i in rng.permutation(len(rows))[:count]]
    spoken = [("human", name, text, lambda p=path: read_wav(p)) for name, text, path in rows]
    for i in range(count // 2):
        text, voice = template_sentence(rng), FLITE[i % 4]
        spoken.append(("synthetic", f"{i:03}", text, lambda t=text, v=voice: synthesise("flite", v, t, rng)))
    sets = {}
    for kind, name, text, load in spoken:
        paths = {band: folder / f"{kind}-{name.replace('/', '_')}-{band}.wav" for band in ("wide", "g711")}
        if not all(p.exists() for p in paths.values()):
            pcm = level(load(), 0.5)
            sf.write(paths["wide"], pcm, SAMPLE_RATE)
            sf.write(paths["g711"], telephone(pcm), SAMPLE_RATE)
        for band, path in paths.items():
            sets.setdefault(f"{kind} {band}", []).append((text, path))
    questions = REPOSITORY / "test/fixtures/questions"
    for question in json.loads((questions / "questions.json").read_text()):
        path = folder / f"question-{question['id']}-g711.wav"
        if not path.exists():
            sf.write(path, telephone(level(read_wav(questions / f"{question['id']}.ogg"), 0.5)), SAMPLE_RATE)
        sets.setdefault("questions g711", []).append((question["text"], path))
    music = sorted(MUSIC.glob("*.wav"))[3:]
    for i in range(count):
        path = folder / f"sound-{i:03}.wav"
        if not path.exists():
            pcm, _ = no_speech(np.random.default_rng(90_000 + i), music)
            sf.write(path, pcm, SAMPLE_RATE)
        sets.setdefault("no speech", []).append(("", path))
    return sets


def build_validation(work):
    """Sets to choose weights by, apart from those that are published: synthetic variants and human prompts kept aside."""
    folder = work / "validation"
    folder.mkdir(exist_ok=True)
    spoken = []
    for path in sorted((work / "callers-validation").glob("*.npz")):
        data = np.load(path)
        spoken.append(("synthetic", path.stem, str(data["text"]), data["pcm"].astype(np.float32) / 32767))
    for name, text, path in human_prompts(test=False):
        if is_validation_prompt(name) and len(plain(text)) > 2 and sf.info(path).duration < 14:
            spoken.append(("human", name.replace("/", "_"), text, read_wav(path)))
    sets = {}
    for kind, name, text, pcm in spoken:
        for band in ("wide", "g711") if kind == "human" else ("g711",):
            path = folder / f"{kind}-{name}-{band}.wav"
            if not path.exists():
                sf.write(path, telephone(level(pcm, 0.5)) if band == "g711" else level(pcm, 0.5), SAMPLE_RATE)
            sets.setdefault(f"{kind} {band}", []).append((text, path))
    music = sorted(MUSIC.glob("*.wav"))[:3]
    for i in range(40):
        path = folder / f"sound-{i:03}.wav"
        if not path.exists():
            sf.write(path, no_speech(np.random.default_rng(80_000 + i), music)[0], SAMPLE_RATE)
        sets.setdefault("no speech", []).append(("", path))
    return sets


class Exported:
    """The exported pair of models in Python's runtime, greedy, without the guards of the TypeScript code."""

    def __init__(self, folder, padded=False):
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        self.parameters = json.loads((folder / "manifest.json").read_text())["parameters"]
        self.tokens = (folder / "tokens.txt").read_text().split("\n")
        self.padded = padded
        self.encoder, self.decoder = (
            onnxruntime.InferenceSession(b"".join(p.read_bytes() for p in sorted(folder.glob(f"{name}.onnx*"))), options)
            for name in ("encoder", "decoder")
        )
        self.names = [output.name for output in self.encoder.get_outputs()]

    def transcribe(self, path):
        pcm = read_wav(path)
        mel = padded_context(pcm) if self.padded else cut_context(pcm)
        memory = dict(zip(self.names, self.encoder.run(None, {"mel": mel[None]})))
        memory.pop("hidden")
        p = self.parameters
        openers = set(p["soundOpeners"])
        hidden = np.array([i for i in p["suppressed"] if i not in openers] + p["suppressedFirst"])
        past, feed, written = np.zeros((0, p["layers"], 2, p["width"]), np.float32), p["prompt"], []
        limit = int(len(pcm) / SAMPLE_RATE * 8) + 10
        while len(written) < limit:
            feeds = {"tokens": np.array([feed], np.int64), "past": past, **memory}
            logits, fresh = self.decoder.run(["logits", "fresh"], feeds)
            past = np.concatenate([past, fresh])
            last = logits[-1]
            last[hidden] = -np.inf
            best = int(last.argmax())
            if best == p["endToken"] or (not written and best in openers):
                return {"text": self.text(written), "speech": bool(written), "loop": False}
            written.append(best)
            hidden, feed = np.array(p["suppressed"]), [best]
        return {"text": self.text(written), "speech": True, "loop": True}

    def text(self, ids):
        from .tokens import token_bytes

        return b"".join(token_bytes(self.tokens[i]) for i in ids).decode(errors="replace").strip()


class TypeScript:
    """The shipped code, one process for all files."""

    def __init__(self, folder, paths):
        script = Path(__file__).with_name("transcribe.mjs")
        listing = "\n".join(map(str, paths))
        done = subprocess.run(["node", script, REPOSITORY, folder], input=listing, capture_output=True, text=True, check=True)
        self.results = {}
        for line in done.stdout.splitlines():
            result = json.loads(line)
            self.results[result["path"]] = result

    def transcribe(self, path):
        result = self.results[str(path)]
        return {**result, "loop": result["stoppedBy"] in ("loop", "length")}


def report(name, engine, sets, verbose):
    cells = []
    for kind, rows in sets.items():
        results = [engine.transcribe(path) for _, path in rows]
        loops = sum(r["loop"] for r in results)
        if kind == "no speech":
            cells.append(f"{sum(r['speech'] for r in results)} of {len(rows)} taken for words")
            continue
        pairs = [(plain(text), plain(r["text"])) for (text, _), r in zip(rows, results)]
        rate = jiwer.wer([a for a, _ in pairs], [b for _, b in pairs])
        missed = sum(not r["speech"] for r in results)
        marked = [r["text"].endswith("?") == text.endswith("?") for (text, _), r in zip(rows, results) if text[-1] in ".?!"]
        marks = f", {100 * sum(marked) / len(marked):.0f} % of question marks right" if not kind.startswith("human") else ""
        cells.append(f"{100 * rate:.1f} % ({loops} loops, {missed} missed{marks})")
        if verbose:
            for a, b in pairs:
                if a != b:
                    print(f"  {kind}: {a!r} -> {b!r}")
    print(f"| {name} | " + " | ".join(cells) + " |", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("work", type=Path)
    parser.add_argument("model", type=Path)
    parser.add_argument("--published", type=Path, help="export --float --untuned")
    parser.add_argument("--float", type=Path, help="export --float")
    parser.add_argument("--count", type=int, default=80)
    parser.add_argument("--only", choices=("python", "typescript", "compared"))
    parser.add_argument("--sets", default="", help="only sets whose name begins so")
    parser.add_argument("--validation", action="store_true", help="sets to choose weights by, in place of those that are published")
    parser.add_argument("--verbose", action="store_true")
    arguments = parser.parse_args()
    sets = build_validation(arguments.work) if arguments.validation else build_sets(arguments.work, arguments.count)
    sets = {name: rows for name, rows in sets.items() if name.startswith(arguments.sets)}
    print("| recogniser | " + " | ".join(f"{k}, n = {len(v)}" for k, v in sets.items()) + " |")
    print("|---" * (len(sets) + 1) + "|")
    if arguments.published:
        report("published, padded to 30 s, fp32", Exported(arguments.published, padded=True), sets, False)
        report("published, context cut, fp32", Exported(arguments.published), sets, False)
    if arguments.float:
        report("tuned, context cut, fp32", Exported(arguments.float), sets, False)
    if arguments.only in (None, "python"):
        report("tuned, context cut, int8", Exported(arguments.model), sets, arguments.verbose)
    if arguments.only in (None, "typescript"):
        paths = [path for rows in sets.values() for _, path in rows]
        report("the same from TypeScript", TypeScript(arguments.model, paths), sets, arguments.verbose)


if __name__ == "__main__":
    main()
