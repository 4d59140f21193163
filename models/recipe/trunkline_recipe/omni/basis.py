"""The few directions of the voice's latents that are heard, found once from data.

    python -m trunkline_recipe.omni.basis LATENTS_DIR OUT.npz [--size 24]

z has 192 channels that differ 50-fold in scale, and the generator's first convolution hears only some mixtures of them:
principal components of z under that convolution's own metric (the sum over its taps of W'W). Codec and talker work on
these `size` numbers per latent; in them plain squared error is what the generator hears. `mean` [192], `down`
[192, size]: y = (z - mean) down; `up` [size, 192]: least squares back to z.
"""

import argparse
from pathlib import Path

import numpy as np

from .data import Shards, conv_pre


def find(z, weight, size):
    """z [N, 192], weight [out, 192, taps] -> mean, down, up, share of the heard variance kept."""
    z = z.astype(np.float64)
    mean = z.mean(0)
    rest = z - mean
    metric = np.einsum("oik,ojk->ij", weight, weight).astype(np.float64)
    root = np.linalg.cholesky(metric + 1e-6 * np.diag(metric).mean() * np.eye(len(metric)))
    heard = rest @ root
    values, vectors = np.linalg.eigh(heard.T @ heard / len(z))
    order = np.argsort(values)[::-1]
    share = values[order[:size]].sum() / values.sum()
    # One step of y means the same in every direction; on average over directions its variance is 1.
    down = root @ vectors[:, order[:size]] * np.sqrt(size / values[order[:size]].sum())
    y = rest @ down
    up = np.linalg.solve(y.T @ y / len(z) + 1e-9 * np.eye(size), y.T @ rest / len(z))
    return mean.astype(np.float32), down.astype(np.float32), up.astype(np.float32), float(share)


def main():
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("latents", type=Path)
    arguments.add_argument("out", type=Path)
    arguments.add_argument("--size", type=int, default=24)
    arguments.add_argument("--voice", type=Path, default=Path(__file__).parents[3] / "piper-joe")
    options = arguments.parse_args()
    shards = Shards(options.latents, most=512)
    weight, _ = conv_pre(options.voice)
    mean, down, up, share = find(np.concatenate(shards.z[:512]), weight.numpy(), options.size)
    np.savez(options.out, mean=mean, down=down, up=up)
    print(f"{100 * share:.3f} % of the heard variance in {options.size} directions")


if __name__ == "__main__":
    main()
