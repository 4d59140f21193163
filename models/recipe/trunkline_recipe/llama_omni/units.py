"""Units of speech: k-means over what the voice's generator hears, and the upsampled positions that each phoneme gets.

    python -m trunkline_recipe.llama_omni.units LATENTS_DIR OUT.npz [--units 1000] [--start SHIPPED]

--start: the basis of shipped weights (omni/import_voice.py), so that nets which speak in it can be gone on with.

LLaMA-Omni (Fang et al., 2024) clusters the 50 Hz features of HuBERT's 11th layer. Here a step is two latents of the voice
(43.07 Hz) in the heard directions of omni/basis.py: the same thing measured where it is heard, without a second network.
LLaMA-Omni gives every text token 25 positions, for nothing is known of its length; here each phoneme gets as many as
four in five of its kind need at most, so that its time can be laid out on them evenly.

OUT holds mean [192], down [192, 24], up [24, 192] of the basis, centres [units, 48], positions [symbols].
"""

import argparse
from pathlib import Path

import numpy as np
import torch

from ..omni import basis as heard_basis
from ..omni.data import Shards, conv_pre
from ..omni.symbols import SYMBOLS

LATENTS_PER_STEP = 2
FEWEST, MOST = 2, 12


def steps_heard(z, basis):
    """z [frames, 192] of one sentence -> [steps, 48], the last latent repeated where one is missing."""
    z = np.concatenate([z, z[-1:]]) if len(z) % LATENTS_PER_STEP else z
    y = (z.astype(np.float32) - basis["mean"]) @ basis["down"]
    return y.reshape(len(z) // LATENTS_PER_STEP, -1)


def nearest(y, centres):
    """y [N, C], centres [K, C] -> squared distances [N, K] but for |y|^2, which is the same for all."""
    return (centres**2).sum(1) - 2 * y @ centres.T


def cluster(rows, units, random, rounds=30):
    """Lloyd's algorithm from random rows; a centre that has none begins anew at a random row."""
    centres = rows[random.choice(len(rows), units, replace=False)].clone()
    for _ in range(rounds):
        own = torch.cat([nearest(part, centres).argmin(1) for part in rows.split(8192)])
        count = torch.bincount(own, minlength=units)
        total = torch.zeros_like(centres).index_add_(0, own, rows)
        centres = torch.where(count[:, None] > 0, total / count.clamp(min=1)[:, None], rows[torch.from_numpy(random.integers(len(rows), size=units))])
    return centres, float(torch.cat([nearest(part, centres).amin(1) + (part**2).sum(1) for part in rows.split(8192)]).mean())


def positions_of(shards):
    """Positions of each symbol: the 80th percentile of its steps, at least FEWEST and at most MOST."""
    symbols, durations = np.concatenate(shards.symbols), np.concatenate(shards.durations)
    table = np.full(SYMBOLS, FEWEST, np.int64)
    for symbol in np.unique(symbols):
        steps = np.quantile(durations[symbols == symbol], 0.8) / LATENTS_PER_STEP
        table[symbol] = np.clip(np.ceil(steps), FEWEST, MOST)
    return table


def main():
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("latents", type=Path)
    arguments.add_argument("out", type=Path)
    arguments.add_argument("--units", type=int, default=1000)
    arguments.add_argument("--size", type=int, default=24)
    arguments.add_argument("--start", type=Path)
    arguments.add_argument("--voice", type=Path, default=Path(__file__).parents[3] / "piper-joe")
    options = arguments.parse_args()
    torch.set_num_threads(1)
    shards = Shards(options.latents, most=2048)
    if options.start:
        basis = dict(np.load(options.start / "basis.npz"))
    else:
        weight, _ = conv_pre(options.voice)
        found = heard_basis.find(np.concatenate(shards.z[:512]), weight.numpy(), options.size)
        basis = dict(zip(("mean", "down", "up"), found))
    random = np.random.default_rng(1)
    rows = torch.from_numpy(np.concatenate([steps_heard(z, basis) for z in shards.z]))
    rows = rows[torch.from_numpy(random.permutation(len(rows))[:120_000])]
    centres, error = cluster(rows, min(options.units, len(rows)), random)
    table = positions_of(shards)
    np.savez(options.out, **basis, centres=centres.numpy(), positions=table)
    print(f"{len(centres)} units leave {error / rows.var(0).sum():.3f} of the variance of {len(rows)} steps")
    symbols, durations = np.concatenate(shards.symbols), np.concatenate(shards.durations)
    print(f"{table[symbols].sum() / (durations.sum() * 256 / 22050):.1f} positions a second")


if __name__ == "__main__":
    main()
