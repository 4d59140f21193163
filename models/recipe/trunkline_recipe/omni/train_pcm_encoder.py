"""Trains the codec's ear on the pairs of pcm_speech.py (squared error in the heard directions).

    python -m trunkline_recipe.omni.train_pcm_encoder PAIRS_DIR RUN_DIR [--steps 1500] [--tiny]

Resumable: run again to go on; new shards are seen after a restart. Every twentieth sentence is kept from training; `kept` in the log is the share of the heard
variance that the net foretells on those, by who speaks.
"""

import argparse
from pathlib import Path

import numpy as np
import torch

from .pcm_encoder import PcmEncoder
from .training import Run

CROP = 128  # steps of two latents


class Pairs:
    def __init__(self, folder):
        self.who, self.mel, self.y = [], [], []
        for path in sorted(Path(folder).glob("pairs-?????.npz")):
            data = np.load(path)
            bounds = np.cumsum(data["lengths"])[:-1]
            self.who += [str(w).split()[0] for w in data["who"]]
            self.mel += np.split(data["mel"], bounds)
            self.y += np.split(data["y"], bounds)

    def steps(self, index, lead, size):
        """`size` steps of a clip after `lead` steps of it that repeat its first frame -> mel [160, size], y [48, size], real."""
        mel, y = self.mel[index].astype(np.float32), self.y[index].astype(np.float32)
        at = np.arange(2 * size) - 2 * lead
        inside = np.clip(at, 0, len(mel) - 1)
        # Resampled speech may have a frame more than its latents.
        target = np.clip(at - 2, 0, len(y) - 1)
        real = (at < len(mel) + 8).reshape(size, 2).all(1)
        return mel[inside].reshape(size, -1).T, y[target].reshape(size, -1).T, real

    def batch(self, indices, random, crop):
        rows = []
        for index in indices:
            spare = len(self.mel[index]) // 2 - crop
            rows.append(self.steps(index, -random.integers(0, spare + 1) if spare > 0 else random.integers(0, 12), crop))
        mel, y, real = (np.stack(part) for part in zip(*rows))
        return torch.as_tensor(mel), torch.as_tensor(y), torch.as_tensor(real).float()


def error(net, mel, y, real):
    out, _ = net(mel)
    return (((out - y) ** 2).mean(1) * real).sum() / real.sum()


@torch.no_grad()
def kept(net, pairs, indices):
    """1 - error / variance, by who speaks."""
    lost, total = {}, {}
    for index in indices:
        mel, y, _ = (torch.as_tensor(np.asarray(part, np.float32)) for part in pairs.steps(index, 0, len(pairs.mel[index]) // 2))
        out, _ = net(mel[None])
        who = pairs.who[index]
        lost[who] = lost.get(who, 0) + float(((out[0] - y) ** 2).sum())
        total[who] = total.get(who, 0) + float((y**2).sum())
    return {who: round(1 - lost[who] / total[who], 3) for who in lost}


def main():
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("pairs", type=Path)
    arguments.add_argument("run", type=Path)
    arguments.add_argument("--steps", type=int, default=1500)
    arguments.add_argument("--batch", type=int, default=16)
    arguments.add_argument("--tiny", action="store_true", help="a net of a few thousand weights, for tests")
    options = arguments.parse_args()
    torch.set_num_threads(1)
    torch.manual_seed(1)
    pairs = Pairs(options.pairs)
    net = PcmEncoder(**({"width": 16} if options.tiny else {}), out=2 * pairs.y[0].shape[1])
    print(f"{sum(map(len, pairs.mel)) * 256 / 22050 / 3600:.2f} h, {len(pairs.who)} clips, {sum(p.numel() for p in net.parameters())} parameters", flush=True)
    run = Run(options.run, {"pcm": net}, 2e-3, options.steps, average=True)
    random = np.random.default_rng(run.step)
    every = np.arange(len(pairs.who))
    # Clips of one sentence stand together.
    group = every // 4 % 20
    learnt, held = every[group != 7], every[group == 7]
    # By length, so that each second of speech comes as often as any other.
    weight = np.array([len(pairs.mel[i]) for i in learnt], float)
    while run.step < options.steps:
        loss = error(net, *pairs.batch(random.choice(learnt, options.batch, p=weight / weight.sum()), random, CROP))
        run.update(loss, error=loss)
        if run.step % 50 == 0 or run.step == options.steps:
            run.log(**({"kept": kept(net, pairs, held)} if run.step % 250 == 0 or run.step == options.steps else {}))
        if run.step % 100 == 0 or run.step == options.steps:
            run.save()


if __name__ == "__main__":
    main()
