"""Trains the talker on the teacher's durations and latents (squared error in the heard directions).

    python -m trunkline_recipe.omni.train_talker LATENTS_DIR BASIS.npz RUN_DIR [--hidden DIR] [--steps 4000] [--tiny]
        [--trunk TRUNK_DIR --sentences SENTENCES.jsonl --shards 4]      (makes the states that --hidden lacks first)

The codec takes no part: the talker aims at what the codec encodes. `--hidden`: the trunk's hidden states by sentence, as
trunk_states.py writes them; a third of the time they are withheld, for a text that comes from elsewhere.
Resumable: run again to go on; new shards are seen after a restart.
"""

import argparse
import contextlib
from pathlib import Path

import numpy as np
import torch
from torch.nn import functional as F

from .data import Shards
from .talker import TRUNK_WIDTH, Talker, steps_of
from .training import Run
from .trunk_states import States, make

TINY = {"width": 16, "condition": 4}


def batch(shards, group, basis, states, random):
    """-> the encoder's and the frame net's inputs and targets of one group of sentences."""
    symbols, words, durations = shards.text(group)
    z, counts = shards.latents(group)
    y = (z.transpose(1, 2) - basis["mean"]) @ basis["down"]
    y = y.reshape(len(group), -1, 2 * y.shape[2]).transpose(1, 2)
    steps = y.shape[2]
    index, position = zip(*(steps_of(durations[row, : len(shards.symbols[i])], steps) for row, i in enumerate(group)))
    hidden, known = states.of([shards.lines[i] for i in group], shards.most_words(group))
    known = known * torch.as_tensor((random.random(len(group)) < 0.67).astype(np.float32))[:, None]
    real = (2 * torch.arange(steps)[None] < counts[:, None] + 4).float()
    return symbols, words, durations, hidden, known, torch.stack(index), torch.stack(position), y, real


def losses(talker, inputs, bf16=False):
    symbols, words, durations, hidden, known, index, position, y, real = inputs
    with torch.autocast(y.device.type, torch.bfloat16) if bf16 else contextlib.nullcontext():
        features, _, length = talker.encoder(symbols, words, hidden, known)
        out, _ = talker.frames(features, index, position)
    told = (symbols > 0).float()
    duration = (((length.float() - torch.log1p(durations.float())) ** 2) * told).sum() / told.sum()
    error = (((out.float() - y) ** 2).mean(1) * real).sum() / real.sum()
    return error, duration


def main():
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("latents", type=Path)
    arguments.add_argument("basis", type=Path)
    arguments.add_argument("run", type=Path)
    arguments.add_argument("--hidden", type=Path)
    arguments.add_argument("--trunk", type=Path)
    arguments.add_argument("--sentences", type=Path)
    arguments.add_argument("--shards", type=int, default=4)
    arguments.add_argument("--steps", type=int, default=4000)
    arguments.add_argument("--batch", type=int, default=3600, help="latents")
    arguments.add_argument("--bf16", action="store_true", help="1.6 times faster where the processor has it")
    arguments.add_argument("--tiny", action="store_true", help="a net of a few thousand weights, for tests")
    options = arguments.parse_args()
    torch.set_num_threads(1)
    torch.manual_seed(1)
    if options.trunk:
        make(options.sentences, options.trunk, options.hidden, 60, options.shards)
    shards = Shards(options.latents)
    basis = {k: torch.as_tensor(v) for k, v in np.load(options.basis).items()}
    talker = Talker(**(TINY if options.tiny else {}), out=2 * basis["down"].shape[1])
    run = Run(options.run, {"talker": talker}, 2e-3, options.steps, average=True)
    print(f"{shards.hours:.2f} h, {len(shards)} sentences, {sum(p.numel() for p in talker.parameters())} parameters", flush=True)
    random = np.random.default_rng(run.step)
    states = States(options.hidden, TRUNK_WIDTH)
    for group in shards.batches(random, options.batch):
        if run.step >= options.steps:
            break
        error, duration = losses(talker, batch(shards, group, basis, states, random), options.bf16)
        run.update(error + 0.3 * duration, error=error, duration=duration)
        if run.step % 50 == 0 or run.step == options.steps:
            run.log()
        if run.step % 100 == 0 or run.step == options.steps:
            run.save()


if __name__ == "__main__":
    main()
