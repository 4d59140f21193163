"""Word error rates of what reaches the trunk, read out by the trunk: python -m trunkline_recipe.omni.ear_evaluate WORK TRUNK WHISPER EAR PIPER_WHEEL

Sets of at least --words words: voices and engines that nothing of the ear was trained on (festival, Piper, other variants of
espeak-ng) through 300–3400 Hz and G.711; the half of the human prompts that is for measuring, as recorded and through
G.711. Rows: the recogniser's transcript (what the cascade reads), the token of the trunk's table nearest to each soft row, and
the trunk's own reading, A1→T1: it repeats what it was told (--repeat, with ear_readout's low-rank part, which never heard
audio). The same is done with the words of the true text in place of soft rows: what the instrument itself loses.
What was heard is kept in WORK/evaluated; resumable.
"""

import argparse
import json
import time
from pathlib import Path

import jiwer
import numpy as np
import torch

from ..ear.evaluate import plain
from ..ear.sentences import open_sentences, template_sentence
from ..ear.speech import human_prompts, level, read_wav, synthesise, telephone, trim
from .ear_hear import Listener, adapter_rows, mixture, pieces_table, session
from .ear_speech import ESPEAK_TEST, FESTIVAL, Piper, caller_lines, festival
from .ear_trunk import embedding_table, load_prompt, load_trunk


class Ear:
    """The exported ear: PCM -> what the trunk reads."""

    def __init__(self, trunk, whisper, ear, padded_seconds=None):
        decoder = Path(ear) / "decoder.onnx"
        self.listener = Listener(whisper, decoder if decoder.exists() else None, padded_seconds)
        self.prompt, self.embedding = load_prompt(trunk), embedding_table(trunk)
        self.table = pieces_table(self.listener.tokens, self.prompt.tokenizer)
        self.adapter = session(Path(ear) / "adapter.onnx")

    def soft(self, heard):
        mixed = mixture(heard, self.table)
        names = ("states", "before", "base", "piece")
        return self.adapter.run(None, dict(zip(names, adapter_rows(heard, mixed, self.embedding))))[0]

    def nearest(self, soft):
        norms = (self.embedding**2).sum(axis=1)
        return self.prompt.tokenizer.decode((2 * soft @ self.embedding.T - norms).argmax(axis=1).tolist())


def unseen_texts(rng):
    callers, opened = caller_lines(2000, "test"), open_sentences()
    while True:
        draw = rng.random()
        yield template_sentence(rng) if draw < 0.35 else callers[rng.integers(len(callers))] if draw < 0.75 else opened[rng.integers(len(opened))]


def unseen_voices(piper):
    voices = [("piper", lambda text, rng: piper(text)) for _ in range(4)]
    voices += [(f"festival {v}", lambda text, rng, v=v: festival(v, text)) for v in FESTIVAL for _ in range(2)]
    return voices + [(f"espeak {v}", lambda text, rng, v=v: synthesise("espeak", v, text, rng)) for v in ESPEAK_TEST]


def items(words, piper):
    """(set, number, text, voice, audio)"""
    rng, count = np.random.default_rng(77), 0
    voices, lines = unseen_voices(piper), unseen_texts(np.random.default_rng(78))
    for i, text in enumerate(lines):
        if count >= words:
            break
        count += len(plain(text).split())
        name, speak = voices[i % len(voices)]
        yield "unseen voices, G.711", i, text, name, lambda s=speak, t=text, n=i: telephone(level(trim(s(t, np.random.default_rng(n))), 0.5))
    rows = [row for row in human_prompts(test=True) if len(plain(row[1])) > 2]
    count = 0
    for i in rng.permutation(len(rows)):
        _, text, path = rows[i]
        if count >= words:
            break
        pcm = read_wav(path)
        if len(pcm) > 14 * 16000:
            continue
        count += len(plain(text).split())
        yield "human, wide", int(i), text, "human", lambda p=pcm: level(p, 0.5)
        yield "human, G.711", int(i), text, "human", lambda p=pcm: telephone(level(p, 0.5))


def hear_all(work, words, ear, piper):
    folder, rows = work / "evaluated", []
    folder.mkdir(exist_ok=True)
    for kind, number, text, voice, audio in items(words, piper):
        path = folder / f"{kind.replace(', ', '-').replace(' ', '-')}-{number:04}.npz"
        if not path.exists():
            heard = ear.listener(audio())
            with path.with_suffix(".part").open("wb") as file:
                np.savez(file, text=text, voice=voice, **heard)
            path.with_suffix(".part").rename(path)
        rows.append((kind, path))
    return rows


def rate(pairs):
    return jiwer.wer([plain(a) for a, _ in pairs], [plain(b) for _, b in pairs])


def interval(pairs):
    """95 % by resampling utterances."""
    rng = np.random.default_rng(1)
    counts = []
    for a, b in pairs:
        measured = jiwer.process_words(plain(a), plain(b))
        counts.append((measured.substitutions + measured.deletions + measured.insertions, len(plain(a).split())))
    counts = np.array(counts)
    draws = counts[rng.integers(len(counts), size=(1000, len(counts)))].sum(axis=1)
    return np.percentile(100 * draws[:, 0] / draws[:, 1], [2.5, 97.5])


def report(name, pairs):
    low, high = interval(pairs)
    words = sum(len(plain(a).split()) for a, _ in pairs)
    print(f"{name}: {100 * rate(pairs):.1f} % [{low:.1f}, {high:.1f}], {len(pairs)} utterances, {words} words", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("work", type=Path)
    parser.add_argument("trunk")
    parser.add_argument("whisper")
    parser.add_argument("ear")
    parser.add_argument("piper")
    parser.add_argument("--words", type=int, default=1000)
    parser.add_argument("--repeat", type=int, default=0, help="utterances per set that the trunk repeats; -1: all")
    parser.add_argument("--padded", type=int, help="seconds to fill up to, for the published model")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    ear = Ear(arguments.trunk, arguments.whisper, arguments.ear, arguments.padded)
    sets = {}
    for kind, path in hear_all(arguments.work, arguments.words, ear, Piper(arguments.piper)):
        sets.setdefault(kind, []).append({k: v for k, v in np.load(path).items()})
    soft = {kind: [ear.soft(h) for h in rows] for kind, rows in sets.items()}
    for kind, rows in sets.items():
        report(f"{kind} | transcript", [(str(h["text"]), ear.listener.text(h["ids"])) for h in rows])
        report(f"{kind} | nearest tokens of the soft rows", [(str(h["text"]), ear.nearest(s) if len(s) else "") for h, s in zip(rows, soft[kind])])
        print(f"{kind}: {sum(bool(h['looped']) for h in rows)} loops, {sum(not h['speech'] for h in rows)} missed", flush=True)
        for engine in sorted({str(h["voice"]).split()[0] for h in rows}) if "voices" in kind else ():
            report(f"{kind} | {engine} | transcript", [(str(h["text"]), ear.listener.text(h["ids"])) for h in rows if str(h["voice"]).startswith(engine)])
    if arguments.repeat:
        repeat(arguments, ear, sets, soft)


@torch.inference_mode()
def repeat(arguments, ear, sets, soft):
    from .ear_readout import load_readout, read_out

    trunk = load_trunk(arguments.trunk)
    load_readout(trunk, arguments.work)
    kept = arguments.work / "repeated.jsonl"
    done = {}
    if kept.exists():
        done = {tuple(json.loads(line)[:2]): json.loads(line)[2:] for line in kept.read_text().splitlines()}
    trunk.bfloat16()
    for kind, rows in sets.items():
        pairs, control = [], []
        for i, (heard, given) in enumerate(zip(rows, soft[kind])):
            if 0 <= arguments.repeat <= i:
                break
            text = str(heard["text"])
            if (kind, i) not in done:
                said = read_out(trunk, ear.prompt, torch.from_numpy(given).bfloat16()) if len(given) else ""
                true = read_out(trunk, ear.prompt, trunk.embedding[ear.prompt.text(text)]) if kind != "human, wide" else ""
                done[kind, i] = [said, true]
                with kept.open("a") as file:
                    file.write(json.dumps([kind, i, said, true]) + "\n")
            pairs.append((text, done[kind, i][0]))
            control.append((text, done[kind, i][1]))
        report(f"{kind} | repeated by the trunk (A1→T1)", pairs)
        if kind != "human, wide":
            report(f"{kind} | the same from the true text (the instrument's own loss)", control)


if __name__ == "__main__":
    started = time.process_time()
    main()
    print(f"{time.process_time() - started:.0f} s of processor time")
