"""Question, answer and sound of both: what the omni model's last stage learns from (general instructions and phone calls).

    python -m trunkline_recipe.omni.triples text OUT [--count 6000] [--phone 250]     (triples.jsonl, lines.txt)
    node trunkline_recipe/omni/spoken.mjs OUT/lines.txt OUT/lines.jsonl
    python -m trunkline_recipe.omni.teacher OUT/lines.jsonl OUT/latents               (the answers' sound, as latents of the voice)
    python -m trunkline_recipe.omni.triples speech OUT                                (OUT/utterances: the questions' sound)
    python -m trunkline_recipe.omni.ear_hear OUT WHISPER DECODER                      (OUT/heard: what the recogniser makes of it)
    python -m trunkline_recipe.omni.triples calls OUT --whisper WHISPER               (OUT/calls.raw.jsonl)
    node trunkline_recipe/brain/related.mjs DIST RELEVANCE OUT/calls.raw.jsonl OUT/calls.jsonl    (the facts beside each question)
    python -m trunkline_recipe.omni.triples count OUT                                 (what there is)

General ones come from instructions.py, phone ones from the brain's invented businesses: one question each, its facts beside it.
A row goes to train, valid or test by the words of its question. Questions to learn from are said by the voices of ear/callers.py
(flite, espeak-ng); those of valid and test by voices that nothing is trained on: the engine festival, and espeak-ng's variants
that were kept out. No question of a measurement is made. `--voice joe` lets the agent's own voice ask, where no other is
installed (tests). Each step is resumable. The last two may be left out: then the facts beside a question are those that the
reference implementation finds for what was said; with them, those that the program finds, for what was heard where it was heard.
"""

import argparse
import json
import random
from collections import Counter
from pathlib import Path

import numpy as np

from ..brain.dialogues import persona
from ..brain.retrieval import FactIndex
from . import instructions
from .sentences import part

INSTRUCTIONS = "You are a helpful assistant on the phone. Answer in one short sentence."
BRANCHES = 8
LATENT_RATE = 22050 / 256


def measured(kinds):
    """Questions that something is measured by, in plain words: none of them is learnt from."""
    from ..ear.callers import REPOSITORY, measured_texts, texts_of

    names = ("brain/general.json", "brain/heldout.json", "questions/questions.json")
    never = {text for name in names for text in texts_of(json.loads((REPOSITORY / "test/fixtures" / name).read_text()))}
    if not set(kinds) <= set(instructions.PLAIN_KINDS):
        # Those of the recogniser's measurements, which need Debian's texts.
        never |= measured_texts()
    return {instructions.plain(text) for text in never}


def general_rows(count, seed, kinds, never):
    for kind, question, answer in instructions.generate(count, never, seed, kinds):
        yield {"kind": kind, "instructions": INSTRUCTIONS, "facts": [], "greeting": "", "hints": [], "question": question, "answer": answer}


def phone_rows(personas, seed, never):
    """One question of a caller each; the facts most related to it as the reference implementation finds them."""
    rng = random.Random(f"triples {seed}")
    for _ in range(personas):
        d = persona(rng, BRANCHES, heard=False)
        index = FactIndex(d["facts"])
        for turns in d["branches"]:
            turn = turns[0]
            if len(turns) == 1 and turn["action"] is None and "[" not in turn["user"] and instructions.plain(turn["user"]) not in never:
                yield {"kind": "phone", **{k: d[k] for k in ("instructions", "facts", "greeting")}, "hints": index.best(turn["user"], 3), "question": turn["user"], "answer": turn["answer"]}


def write_text(options):
    out = options.out
    out.mkdir(parents=True, exist_ok=True)
    kinds = tuple(options.kinds.split(",")) if options.kinds else tuple(instructions.SHARES)
    never = measured(kinds)
    rows = [*general_rows(options.count, options.seed, kinds, never), *phone_rows(options.phone, options.seed, never)]
    random.Random(options.seed).shuffle(rows)
    rows = [{"id": n, "split": part(row["question"]), **row} for n, row in enumerate(rows)]
    said = [row["answer"] for row in measured_first(rows)] + ([row["question"] for row in rows] if options.voice == "joe" else [])
    (out / "lines.txt").write_text("".join(line + "\n" for line in dict.fromkeys(said)))
    part_path = out / "triples.part"
    part_path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows))
    part_path.rename(out / "triples.jsonl")
    print(f"{len(rows)} questions with answers, {len(set(said))} different lines to say", flush=True)


def persona_of(row):
    """What the questions of a business share: its prompt."""
    return (row["instructions"], *row["facts"], row["greeting"])


def measured_first(rows):
    """The order for whoever makes a part only: those of valid and test, for without them nothing is measured, then businesses as a
    whole, for a persona's prompt is read once for all of its questions, among the general ones."""
    key = lambda row: persona_of(row) if row["facts"] else row["id"]  # noqa: E731
    place = {}
    for row in random.Random(1).sample(rows, len(rows)):
        place.setdefault(key(row), len(place))
    return sorted(rows, key=lambda row: (row["split"] == "train", place[key(row)]))


def read_rows(folder):
    return [json.loads(line) for line in (Path(folder) / "triples.jsonl").read_text().splitlines()]


def asked_by_joe(folder, rows):
    """-> a function of a row: its question in the agent's own voice, 16 kHz."""
    import librosa

    from .data import Shards
    from .teacher import session

    lines = {json.loads(line)["text"]: n for n, line in enumerate((folder / "lines.jsonl").read_text().splitlines())}
    shards = Shards(folder / "latents")
    place = {int(line): n for n, line in enumerate(shards.lines)}
    generator = session(Path(__file__).parents[3] / "piper-joe/generator.onnx")

    def ask(row, rng):
        z = shards.z[place[lines[row["question"]]]].astype(np.float32).T[None]
        pcm = generator.run(None, {"z": np.ascontiguousarray(z)})[0].ravel()
        return librosa.resample(pcm, orig_sr=22050, target_sr=16000), "joe"

    return ask


def asked_by_callers(row, rng):
    from ..ear.callers import draw_voice, speak
    from ..ear.speech import synthesise, trim
    from .ear_speech import ESPEAK_TEST, FESTIVAL, festival

    if row["split"] == "train":
        engine, voice, size = draw_voice(rng)
        return speak(engine, voice, row["question"], rng, size), f"{engine}:{voice}"
    if rng.random() < 0.5:
        voice = FESTIVAL[rng.integers(len(FESTIVAL))]
        return trim(festival(voice, row["question"])), f"festival:{voice}"
    voice = ESPEAK_TEST[rng.integers(len(ESPEAK_TEST))]
    return trim(synthesise("espeak", voice, row["question"], rng)), f"espeak:{voice}"


def write_speech(options):
    from ..ear.callers import LONGEST, in_16_bits, keep

    folder = options.out / "utterances"
    folder.mkdir(parents=True, exist_ok=True)
    rows = read_rows(options.out)
    ask = asked_by_joe(options.out, rows) if options.voice == "joe" else asked_by_callers
    for row in measured_first(rows)[: options.limit]:
        path = folder / f"{row['id']:05}.npz"
        if not path.exists():
            pcm, voice = ask(row, np.random.default_rng([71, row["id"]]))
            keep(path, pcm=in_16_bits(pcm[:LONGEST]), text=row["question"], voice=voice, whole=len(pcm) <= LONGEST)


def write_calls(options):
    """Each question of a phone call twice: as it was said, and as the recogniser writes it; related.mjs adds the facts beside both."""
    from ..ear.tokens import token_bytes

    tokens = (options.whisper / "tokens.txt").read_text().split("\n")
    with (options.out / "calls.raw.jsonl").open("w") as file:
        for row in read_rows(options.out):
            path = options.out / "heard" / f"{row['id']:05}.npz"
            if row["kind"] == "phone" and path.exists():
                heard = b"".join(token_bytes(tokens[i]) for i in np.load(path)["ids"]).decode(errors="replace").strip()
                file.write(json.dumps({"id": row["id"], "facts": row["facts"], "branches": [[{"user": row["question"]}], [{"user": heard}]]}) + "\n")


def write_count(options):
    rows = read_rows(options.out)
    print(json.dumps({"triples": len(rows), "general": sum(r["kind"] != "phone" for r in rows), "splits": Counter(r["split"] for r in rows), "kinds": Counter(r["kind"] for r in rows)}))
    words = [[len(r[k].split()) for r in rows] for k in ("question", "answer")]
    print(json.dumps({"questionWords": round(float(np.mean(words[0])), 1), "answerWords": round(float(np.mean(words[1])), 1), "longestAnswer": max(words[1]), "answers": len({r["answer"] for r in rows}), "personas": len({(r["instructions"], *r["facts"]) for r in rows if r["kind"] == "phone"})}))
    voices, seconds = Counter(), 0.0
    for path in sorted((options.out / "utterances").glob("*.npz")):
        data = np.load(path)
        voices[str(data["voice"])] += 1
        seconds += len(data["pcm"]) / 16000
    latents = sum(int(sum(np.load(p)["frameCounts"])) for p in sorted((options.out / "latents").glob("latents-?????.npz")))
    print(json.dumps({"questionsSaid": sum(voices.values()), "minutes": round(seconds / 60, 1), "voices": len(voices), "engines": Counter(v.split(":")[0] for v in voices.elements()), "answersSaidMinutes": round(latents / LATENT_RATE / 60, 1), "heard": len(list((options.out / "heard").glob("*.npz")))}))
    for row in rows[: options.show]:
        print(f"{row['kind']} | {row['question']} | {row['answer']}")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", choices=["text", "speech", "calls", "count"])
    parser.add_argument("out", type=Path)
    parser.add_argument("--count", type=int, default=6000, help="general questions")
    parser.add_argument("--phone", type=int, default=250, help="businesses with up to eight questions each")
    parser.add_argument("--kinds", help="of instructions.py, by commas; all unless told")
    parser.add_argument("--voice", choices=["callers", "joe"], default="callers")
    parser.add_argument("--limit", type=int, help="questions to say")
    parser.add_argument("--whisper", type=Path, help="the recogniser's folder, for its tokens")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--show", type=int, default=0, help="rows to print")
    options = parser.parse_args()
    {"text": write_text, "speech": write_speech, "calls": write_calls, "count": write_count}[options.what](options)


if __name__ == "__main__":
    main()
