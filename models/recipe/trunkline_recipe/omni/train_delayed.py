"""Trains the talker's autoregressive form on top of a trained talker and codec, both frozen: cross entropy of the codes.

    python -m trunkline_recipe.omni.train_delayed LATENTS_DIR BASIS.npz CODEC_RUN TALKER_RUN RUN_DIR [--steps 800]

15 % of the codes it is told are random ones, so that it learns to go on after a mistake. Resumable.
"""

import argparse
from pathlib import Path

import numpy as np
import torch

from .codec import Codec, interleave
from .data import Shards
from .delayed import Delayed, calibrate, losses
from .talker import TRUNK_WIDTH, Talker
from .train_talker import batch
from .training import Run, load
from .trunk_states import States


def main():
    arguments = argparse.ArgumentParser(description=__doc__)
    for name in ("latents", "basis", "codec", "talker", "run"):
        arguments.add_argument(name, type=Path)
    arguments.add_argument("--steps", type=int, default=800)
    arguments.add_argument("--batch", type=int, default=5000, help="latents")
    options = arguments.parse_args()
    torch.set_num_threads(1)
    torch.manual_seed(1)
    shards = Shards(options.latents)
    arrays = np.load(options.basis)
    basis = {k: torch.as_tensor(v) for k, v in arrays.items()}
    codec, talker, net = Codec(arrays), Talker(out=2 * arrays["down"].shape[1]), Delayed()
    load(options.codec, codec=codec)
    load(options.talker, talker=talker)
    run = Run(options.run, {"delayed": net}, 5e-4, options.steps, average=True)
    print(f"{shards.hours:.2f} h, {sum(p.numel() for p in net.parameters())} parameters", flush=True)
    random = np.random.default_rng(run.step)
    states = States(None, TRUNK_WIDTH)
    right = 0
    for group in shards.batches(random, options.batch):
        if run.step >= options.steps:
            break
        symbols, words, _, hidden, known, index, position, y, real = batch(shards, group, basis, states, random)
        with torch.no_grad(), torch.autocast(y.device.type, torch.bfloat16):
            features, _, _ = talker.encoder(symbols, words, hidden, known)
            said, _ = talker.frames(features, index, position)
        with torch.no_grad():
            latents, _ = codec.encode(said.float())
            codes = interleave(codec.quantise(codec.encode(y)[0])[1])
        if run.step == 0:
            calibrate(net, codec, latents, codes)
            print("sharpness", [round(v, 2) for v in torch.exp(4 * net.sharpness - 1).tolist()], flush=True)
        loss, hits = losses(net, codec, latents, codes, real[:, ::4])
        run.update(loss)
        right = right + hits.detach()
        if run.step % 10 == 0 or run.step == options.steps:
            run.log(right=[round(v, 3) for v in (right / 10).tolist()])
            right = 0
        if run.step % 100 == 0 or run.step == options.steps:
            run.save()


if __name__ == "__main__":
    main()
