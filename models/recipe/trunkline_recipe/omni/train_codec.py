"""Trains the codec on the teacher's latents; squared error in the heard directions.

    python -m trunkline_recipe.omni.train_codec LATENTS_DIR BASIS.npz RUN_DIR [--steps 3000] [--tiny]

Resumable: run again to go on; new shards are seen after a restart.
"""

import argparse
from pathlib import Path

import numpy as np
import torch
from torch.nn import functional as F

from .codec import Codec
from .data import Shards
from .training import Run

CROP = 96
TINY = {"width": 16, "codes": 64, "code_width": 8}


def crops(shards, random, count):
    """[count, 192, CROP] of random places; a short sentence is followed by its own last latent."""
    out = np.empty((count, CROP, 192), np.float32)
    for row in range(count):
        z = shards.z[random.integers(len(shards))]
        at = random.integers(max(1, len(z) - CROP + 1))
        piece = z[at : at + CROP]
        out[row, : len(piece)] = piece
        out[row, len(piece) :] = piece[-1]
    return torch.as_tensor(out.transpose(0, 2, 1).copy())


@torch.no_grad()
def start_books(codec, h):
    rest = h
    for level in codec.levels:
        rows = level.project(rest).transpose(1, 2).flatten(0, 1)
        level.restart(torch.arange(len(level.book)), rows, len(rows) / len(level.book))
        rest = rest - level.embed(level.nearest(level.project(rest)))


def main():
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("latents", type=Path)
    arguments.add_argument("basis", type=Path)
    arguments.add_argument("run", type=Path)
    arguments.add_argument("--steps", type=int, default=3000)
    arguments.add_argument("--batch", type=int, default=32)
    arguments.add_argument("--tiny", action="store_true", help="a net of a few thousand weights, for tests")
    options = arguments.parse_args()
    torch.set_num_threads(1)
    torch.manual_seed(1)
    shards = Shards(options.latents)
    codec = Codec(np.load(options.basis), **(TINY if options.tiny else {}))
    run = Run(options.run, {"codec": codec}, 2e-3, options.steps)
    print(f"{shards.hours:.2f} h, {len(shards)} sentences, {sum(p.numel() for p in codec.parameters())} parameters", flush=True)
    random = np.random.default_rng(run.step)
    codec.train()
    while run.step < options.steps:
        y = codec.heard(crops(shards, random, options.batch))
        h, _ = codec.encode(y)
        if run.step == 0:
            start_books(codec, h)
        q, _, commit = codec.quantise(h)
        error = F.mse_loss(codec.decode(q), y)
        run.update(error + 0.25 * commit, error=error, commit=commit)
        if run.step % 50 == 0 or run.step == options.steps:
            run.log(used=[round((level.used > 0.2 * level.used.mean()).float().mean().item(), 2) for level in codec.levels])
        if run.step % 200 == 0 or run.step == options.steps:
            run.save()


if __name__ == "__main__":
    main()
