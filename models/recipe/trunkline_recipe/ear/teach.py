"""Gathers utterances and what the unchanged model says of each with padding: python -m trunkline_recipe.ear.teach WORK

Resumable: one .npz per utterance in WORK/taught. Padding that leaves 3 s of silence gives the text of padding to 30 s at a quarter of the cost.
"""

import argparse
from pathlib import Path

import numpy as np
import torch

from . import tokens
from .features import SAMPLE_RATE, padded_context
from .network import Whisper
from .sentences import REPLIES, open_sentences, template_sentence
from .speech import ESPEAK, FLITE, human_prompts, is_validation_prompt, read_wav, synthesise, trim

TOP = 32
LONGEST = 11 * SAMPLE_RATE


def recipe_list(count):
    """(key, source) in the order in which they are taught, human speech spread evenly."""
    rng = np.random.default_rng(7)
    open_texts = open_sentences()
    humans = [row for row in human_prompts(test=False) if not is_validation_prompt(row[0])]
    rng.shuffle(humans)
    digits = [row for row in humans if "/" in row[0]]
    items = []
    for i in range(count):
        draw = rng.random()
        if draw < 0.62:
            items.append(("human", [humans[i % len(humans)]]))
        elif draw < 0.72:
            first = rng.integers(len(humans))
            items.append(("human", [humans[(first + k) % len(humans)] for k in range(rng.integers(2, 4))]))
        elif draw < 0.8 and digits:
            items.append(("human", [digits[rng.integers(len(digits))] for _ in range(rng.integers(2, 7))]))
        else:
            kind = rng.random()
            if kind < 0.35:
                text = open_texts[rng.integers(len(open_texts))]
            elif kind < 0.5:
                text = REPLIES[rng.integers(len(REPLIES))]
            else:
                text = template_sentence(rng)
            items.append(("synthetic", text))
    return items


def load(kind, what, rng):
    if kind == "human":
        pause = np.zeros(int(rng.uniform(0.02, 0.4) * SAMPLE_RATE), np.float32)
        parts = []
        for _, _, path in what:
            parts += [trim(read_wav(path)), pause]
        return np.concatenate(parts[:-1])
    if rng.random() < 0.6:
        return trim(synthesise("flite", FLITE[rng.integers(len(FLITE))], what, rng))
    return trim(synthesise("espeak", ESPEAK[rng.integers(len(ESPEAK))], what, rng))


@torch.inference_mode()
def teach(model, pcm):
    """The padded model's text and, at every position from the prompt's start, its top logits."""
    audio = model.encoder(torch.from_numpy(padded_context(pcm, 8 if len(pcm) < 5 * SAMPLE_RATE else 14))[None])
    memory = model.decoder.remember(audio)
    logits, past = model.decoder(torch.tensor([tokens.PROMPT]), memory)
    rows, written = [logits[0]], []
    limit = 8 + int(len(pcm) / SAMPLE_RATE * 7)
    while len(written) < limit:
        best = int(rows[-1][-1].argmax())
        written.append(best)
        if best == tokens.END:
            break
        logits, past = model.decoder(torch.tensor([[best]]), memory, past)
        rows.append(logits[0])
    every = torch.log_softmax(torch.cat(rows), dim=-1)
    # What came before the transcription tokens is fixed by us; only "no speech" at the start says something.
    top = every.topk(TOP, dim=-1)
    return {
        "written": np.array(written, np.int32),
        "top_ids": top.indices[3:].numpy().astype(np.int32),
        "top_log": top.values[3:].numpy().astype(np.float16),
        "no_speech": np.float32(every[0, tokens.NO_SPEECH].exp()),
        "finished": written[-1] == tokens.END,
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("work", type=Path)
    parser.add_argument("--count", type=int, default=420)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    model = Whisper().eval()
    model.load_state_dict(torch.load(arguments.work / "whisper-base.pt"))
    folder = arguments.work / "taught"
    folder.mkdir(exist_ok=True)
    for i, (kind, what) in enumerate(recipe_list(arguments.count)):
        path = folder / f"{i:05}.npz"
        if path.exists():
            continue
        rng = np.random.default_rng(1000 + i)
        pcm = load(kind, what, rng)[:LONGEST]
        cut = rng.random() < 0.25 and len(pcm) > SAMPLE_RATE
        if cut:  # in the middle of a word, as when a caller is transcribed while still speaking
            pcm = pcm[: int(len(pcm) * rng.uniform(0.3, 0.95))]
        taught = teach(model, pcm)
        text = what if kind == "synthetic" else " ".join(row[1] for row in what)
        part = path.with_suffix(".part")
        with part.open("wb") as file:
            np.savez(file, pcm=(np.clip(pcm, -1, 1) * 32767).astype(np.int16), text=text, cut=cut, **taught)
        part.rename(path)
        if i % 50 == 0:
            print(i, kind, repr(text[:60]), len(pcm) / SAMPLE_RATE, flush=True)


if __name__ == "__main__":
    main()
