"""The task A1→T1: teaches the trunk to repeat what it was told, by a small adapter (LoRA, Hu et al. 2021) on text alone.

    python -m trunkline_recipe.omni.ear_readout WORK TRUNK WHISPER [--steps 300]

The trunk as shipped answers callers and cannot repeat them. The adapter (rank 8 on queries, values and outputs of all layers)
never sees audio: whatever it reads out of soft tokens later has reached the trunk through them. Half of the texts are cut
into the recogniser's pieces instead of the trunk's own, a tenth of the words are random ones, so that it copies instead of
guessing. It is a measuring instrument and is not shipped. Resumable: WORK/readout.pt.
"""

import argparse
import re
import time
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

from ..brain.prompt import IM_END, IM_START, STOPS
from ..ear.sentences import open_sentences, template_sentence
from .ear_hear import NONE, Listener, pieces_table
from .ear_speech import caller_lines
from .ear_trunk import answer, load_prompt, load_trunk, read

RANK, SCALE = 8, 2.0
INSTRUCTION = "Repeat word for word what the caller says."
STOP = STOPS | {IM_START}


class LowRank(nn.Module):
    """A frozen product and a learned one of low rank beside it, which can be switched off."""

    def __init__(self, inner):
        super().__init__()
        self.inner, self.on = inner, True
        rows, columns = inner.weight.shape
        self.down = nn.Parameter(torch.randn(RANK, columns) / columns**0.5)
        self.up = nn.Parameter(torch.zeros(rows, RANK))

    def forward(self, x):
        y = self.inner(x)
        return y + SCALE * ((x @ self.down.T.to(x.dtype)) @ self.up.T.to(x.dtype)) if self.on else y


def add_low_rank(trunk):
    """Wraps q, v and o of every layer; returns the wrappers."""
    wrapped = []
    for layer in trunk.layers:
        for name in ("q", "v", "o"):
            setattr(layer, name, LowRank(getattr(layer, name)))
            wrapped.append(getattr(layer, name))
    return wrapped


def switch(wrapped, on):
    for part in wrapped:
        part.on = on


def load_readout(trunk, work):
    wrapped = add_low_rank(trunk)
    state = torch.load(Path(work) / "readout.pt")["state"]
    for i, part in enumerate(wrapped):
        part.down.data, part.up.data = state[f"{i}.down"], state[f"{i}.up"]
        part.requires_grad_(False)
    return wrapped


def head(prompt):
    return prompt.block("system", INSTRUCTION) + [IM_START, *prompt.text("user\n")]


def tail(prompt):
    return [IM_END, *prompt.text("\n"), IM_START, *prompt.text("assistant\n")]


def read_out(trunk, prompt, rows, most=80):
    """What the trunk (with its low-rank part on) says it was told by embedding rows [n, 576]."""
    e = trunk.embedding
    sequence = torch.cat([e[head(prompt)], rows, e[tail(prompt)]])
    said, _ = answer(trunk, sequence, None, 0, STOP, most)
    return prompt.tokenizer.decode(said)


class Resegmenter:
    """Text in the recogniser's pieces: its own byte-pair merges, each piece in the trunk's tokens."""

    def __init__(self, work, listener, prompt):
        from tokenizers import Tokenizer

        from ..ear.vocabulary import WORD, Encoder

        self.words, self.encoder = WORD, Encoder(Tokenizer.from_file(str(Path(work) / "tokenizer.json")))
        kept = [int(line) for line in (Path(work) / "kept-ids.txt").read_text().split()]
        self.new = {old: new for new, old in enumerate(kept)}
        self.table = pieces_table(listener.tokens, prompt.tokenizer)

    def __call__(self, text):
        old = [i for word in self.words.findall(f" {text}") for i in self.encoder.word(word)]
        if any(i not in self.new for i in old):
            return None
        rows = [self.table[0 if n else 1, self.new[i]] for n, i in enumerate(old)]
        return [int(i) for row in rows for i in row if i != NONE]


def make_texts(count, rng):
    callers, opened = caller_lines(count), open_sentences()
    words = sorted({w for s in opened for w in re.findall(r"[a-z']{3,}", s)})
    for i in range(count):
        draw = rng.random()
        text = callers[i] if draw < 0.3 else template_sentence(rng) if draw < 0.6 else opened[rng.integers(len(opened))]
        parts = [words[rng.integers(len(words))] if rng.random() < 0.1 else w for w in text.split()]
        yield " ".join(parts)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("work", type=Path)
    parser.add_argument("trunk")
    parser.add_argument("whisper")
    parser.add_argument("--steps", type=int, default=300)
    parser.add_argument("--batch", type=int, default=2)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    torch.manual_seed(3)
    # The frozen weights in half precision: half the time. What is learnt stays in 32 bits.
    trunk, prompt = load_trunk(arguments.trunk).bfloat16(), load_prompt(arguments.trunk)
    resegment = Resegmenter(arguments.work, Listener(arguments.whisper), prompt)
    wrapped = add_low_rank(trunk)
    trained = [p for part in wrapped for p in (part.down, part.up)]
    optimiser = torch.optim.AdamW(trained, 2e-3, betas=(0.9, 0.98), weight_decay=0)
    path, first = arguments.work / "readout.pt", 0
    if path.exists():
        saved = torch.load(path)
        first = saved["step"]
        for i, part in enumerate(wrapped):
            part.down.data, part.up.data = saved["state"][f"{i}.down"], saved["state"][f"{i}.up"]
        optimiser.load_state_dict(saved["optimiser"])
    rng = np.random.default_rng(17)
    lines = list(make_texts(arguments.steps * arguments.batch, rng))
    began, mean, right = time.time(), None, 0.0
    before, after = head(prompt), tail(prompt)
    for step in range(first, arguments.steps):
        for group in optimiser.param_groups:
            group["lr"] = 2e-3 * min(1, (step + 1) / 20) * max(0.05, 1 - step / arguments.steps)
        for text in lines[step * arguments.batch : (step + 1) * arguments.batch]:
            target = [*prompt.text(text), IM_END]
            given = (resegment(text) if (step + len(text)) % 2 else None) or target[:-1]
            sequence = torch.tensor(before + given + after + target)
            hidden = read(trunk, trunk.embedding[sequence])
            logits = trunk.logits(hidden[-len(target) - 1 : -1]).float()
            loss = F.cross_entropy(logits, torch.tensor(target))
            (loss / arguments.batch).backward()
            hit = float((logits.argmax(-1) == torch.tensor(target)).float().mean())
            mean = loss.item() if mean is None else 0.97 * mean + 0.03 * loss.item()
            right = 0.97 * right + 0.03 * hit
        torch.nn.utils.clip_grad_norm_(trained, 1.0)
        optimiser.step()
        optimiser.zero_grad()
        if step % 20 == 0 or step + 1 == arguments.steps:
            print(f"step {step} loss {mean:.3f} tokens right {right:.3f} {time.time() - began:.0f}s", flush=True)
            state = {f"{i}.{n}": getattr(part, n).detach() for i, part in enumerate(wrapped) for n in ("down", "up")}
            torch.save({"state": state, "optimiser": optimiser.state_dict(), "step": step + 1}, path.with_suffix(".part"))
            path.with_suffix(".part").rename(path)


if __name__ == "__main__":
    main()
