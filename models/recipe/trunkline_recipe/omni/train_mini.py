"""Trains the Mini-Omni layout, first stage: post-adapter and heads on the guide and the codes alone, without the trunk.

    python -m trunkline_recipe.omni.train_mini CODES_DIR VOICE_DIR RUN_DIR [--steps 600] [--tiny]

CODES_DIR: of mini_codes; VOICE_DIR: models/omni-voice, whose codec the heads are tied to. The model is told the teacher's
codes with random ones among them and, more and more, its own choice: so it learns to live with what it says. Cross
entropy is taken at a share of the frames, because 7 x 4096 scores cost more than the net. Resumable: run again to go on.
"""

import argparse
from pathlib import Path

import numpy as np
import torch

from . import shipped
from .mini import Mini, Said, calibrate
from .mini_codes import Codes
from .training import Run

TINY = {"width": 32, "blocks": 2, "heads": 2, "window": 8, "hidden": 24}
SQUARED = 0.3  # what squared error counts beside entropy
RANDOM = 0.1
OWN = 0.5  # rows told mostly their own choice, at the end
SHARE = 0.3  # of frames with a loss


def disturbed(mini, codec, latents, codes, real, random, own, state=None, known=None):
    """The teacher's codes with random ones among them; a share `own` of the rows is told mostly the model's own choice."""
    shape = codes.shape
    wrong = torch.as_tensor(random.random(shape) < RANDOM)
    codes = torch.where(wrong, torch.as_tensor(random.integers(0, mini.bias.shape[1], shape)), codes)
    rows = torch.as_tensor(random.random(shape[0]) < own)
    if rows.any():
        with torch.no_grad():
            some = None if state is None else state[rows]
            said = Said(mini, codec, latents[rows], codes[rows], real[rows], some, None if known is None else known[rows])
            where = real[rows] > 0
            chosen = codes[rows]
            chosen[where] = said.choice(where)
        keep = torch.as_tensor(random.random((len(chosen), *shape[1:])) < random.uniform(0, 0.4, (len(chosen), 1, 1)))
        codes[rows] = torch.where(keep, codes[rows], chosen)
    return codes


def some_frames(real, random):
    where = (real > 0) & torch.as_tensor(random.random(real.shape) < SHARE)
    where[0, 0] = True
    return where


def main():
    arguments = argparse.ArgumentParser(description=__doc__)
    for name in ("codes", "voice", "run"):
        arguments.add_argument(name, type=Path)
    arguments.add_argument("--steps", type=int, default=600)
    arguments.add_argument("--batch", type=int, default=800, help="frames")
    arguments.add_argument("--rate", type=float, default=8e-4)
    arguments.add_argument("--most", type=int, default=10**9, help="sentences held in memory (90 MB a thousand)")
    arguments.add_argument("--tiny", action="store_true", help="a net of few weights, for tests")
    options = arguments.parse_args()
    torch.set_num_threads(1)
    torch.manual_seed(1)
    data = Codes(options.codes, options.most)
    codec = shipped.codec(options.voice)
    mini = Mini(codec, **(TINY if options.tiny else {}))
    for part in (mini.into_state, mini.into_trunk, mini.specials):
        part.requires_grad_(False)
    random = np.random.default_rng(0)
    if not (options.run / "state.pt").exists():
        latents, codes, points, real = data.batch(next(data.batches(random, 150)))
        calibrate(mini, codec, latents, codes, real, points)
    run = Run(options.run, {"mini": mini}, options.rate, options.steps, warm=50, average=True)
    print(f"{len(data)} sentences, {data.frames} frames, {sum(p.numel() for p in mini.parameters())} parameters", flush=True)
    random = np.random.default_rng(run.step + 1)
    right = 0
    for rows in data.batches(random, options.batch):
        if run.step >= options.steps:
            break
        latents, codes, points, real = data.batch(rows)
        own = OWN * min(1, max(0, (run.step / options.steps - 0.1) / 0.3))
        told = disturbed(mini, codec, latents, codes, real, random, own)
        entropy, error, hits = Said(mini, codec, latents, told, real).losses(points, some_frames(real, random))
        run.update(entropy.mean() + SQUARED * error.mean(), entropy=entropy.mean(), error=error.mean())
        right = right + hits.detach()
        if run.step % 20 == 0 or run.step == options.steps:
            run.log(right=[round(float(v) / run.count, 3) for v in right], own=round(own, 2))
            right = 0
        if run.step % 60 == 0 or run.step == options.steps:
            run.save()


if __name__ == "__main__":
    main()
