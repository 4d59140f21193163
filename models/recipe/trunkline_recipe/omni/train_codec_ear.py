"""Trains the codec's ear on the pairs of codec_ear_speech.py (squared error in the heard directions, and of their slopes).

    python -m trunkline_recipe.omni.train_codec_ear PAIRS_DIR RUN_DIR [--steps 1500] [--without human ...] [--tiny]

Resumable: run again to go on; new shards are seen after a restart. Every twentieth sentence is kept from training; `kept` in
the log is the share of the heard variance that the net foretells on those, by who speaks.
"""

import argparse
from pathlib import Path

import numpy as np
import torch

from .codec_ear import CodecEar
from .training import Run

SLOPES = 0.5  # share of the slopes' error
TINY = {"inner": 16, "width": 16}


class Pairs:
    def __init__(self, folder):
        self.who, self.states, self.tune, self.y, self.sentence = [], [], [], [], []
        for path in sorted(Path(folder).glob("*-?????.npz")):
            data = np.load(path)
            frames, latents = np.cumsum(data["frames"])[:-1], np.cumsum(data["latents"])[:-1]
            self.who += [str(w).split()[0] for w in data["who"]]
            self.states += np.split(data["states"], frames)
            self.tune += np.split(data["tune"], latents)
            self.y += np.split(data["y"], latents)
            # Clips of one sentence stand together, ten of four or five sentences.
            self.sentence += [f"{path.stem} {at // 10}" for at in range(len(data["who"]))]

    def batch(self, indices):
        """-> states, tune, y, real [B, latents]; the last row of each again behind its end."""
        longest = max(len(self.y[i]) for i in indices)
        frames = max(len(self.states[i]) for i in indices)
        fill = lambda rows, count: np.pad(rows[:count].astype(np.float32), ((0, max(0, count - len(rows))), (0, 0)), mode="edge")  # noqa: E731
        real = np.array([np.arange(longest) < len(self.y[i]) for i in indices], np.float32)
        parts = [np.stack([fill(rows[i], count) for i in indices]) for rows, count in ((self.states, frames), (self.tune, longest), (self.y, longest))]
        return [torch.as_tensor(part) for part in (*parts, real)]

    def batches(self, indices, random, latents):
        """Clips of like length, about `latents` a batch, for ever."""
        while True:
            length = np.array([len(self.y[i]) for i in indices]) * random.uniform(0.85, 1.15, len(indices))
            groups, group, longest = [], [], 0
            for at in np.argsort(length):
                longest = max(longest, len(self.y[indices[at]]))
                if group and longest * (len(group) + 1) > latents:
                    groups.append(group)
                    group, longest = [], len(self.y[indices[at]])
                group.append(int(indices[at]))
            groups.append(group)
            random.shuffle(groups)
            yield from groups


def error(net, states, tune, y, real):
    wrong = net(states, tune) - y
    both = real[:, 1:] * real[:, :-1]
    slopes = ((wrong[:, 1:] - wrong[:, :-1]) ** 2).mean(2)
    return ((wrong**2).mean(2) * real).sum() / real.sum() + SLOPES * (slopes * both).sum() / both.sum()


@torch.no_grad()
def kept(net, pairs, indices):
    """1 - error / variance, by who speaks."""
    lost, total = {}, {}
    net.eval()
    for index in indices:
        states, tune, y, _ = pairs.batch([index])
        who = pairs.who[index]
        lost[who] = lost.get(who, 0) + float(((net(states, tune) - y) ** 2).sum())
        total[who] = total.get(who, 0) + float((y**2).sum())
    net.train()
    return {who: round(1 - lost[who] / total[who], 3) for who in lost}


def main():
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("pairs", type=Path)
    arguments.add_argument("run", type=Path)
    arguments.add_argument("--steps", type=int, default=1500)
    arguments.add_argument("--latents", type=int, default=3000, help="of a batch")
    arguments.add_argument("--without", nargs="*", default=[], help="kinds of speakers to leave out")
    arguments.add_argument("--tiny", action="store_true", help="a net of a few thousand weights, for tests")
    options = arguments.parse_args()
    torch.set_num_threads(1)
    torch.manual_seed(1)
    pairs = Pairs(options.pairs)
    net = CodecEar(states=pairs.states[0].shape[1], size=pairs.y[0].shape[1], **(TINY if options.tiny else {}))
    print(f"{sum(map(len, pairs.y)) * 256 / 22050 / 3600:.2f} h, {len(pairs.who)} clips, {sum(p.numel() for p in net.parameters())} parameters", flush=True)
    run = Run(options.run, {"ear": net}, 1.5e-3, options.steps, average=True)
    random = np.random.default_rng(run.step)
    groups = sorted(set(pairs.sentence))
    aside = set(groups[7 % len(groups) :: 20])
    learnt = np.array([i for i, who in enumerate(pairs.who) if who not in options.without and pairs.sentence[i] not in aside])
    held = [i for i, who in enumerate(pairs.who) if pairs.sentence[i] in aside]
    batches = pairs.batches(learnt, random, options.latents)
    while run.step < options.steps:
        loss = error(net, *pairs.batch(next(batches)))
        run.update(loss, error=loss)
        if run.step % 50 == 0 or run.step == options.steps:
            run.log(**({"kept": kept(net, pairs, held)} if run.step % 250 == 0 or run.step == options.steps else {}))
        if run.step % 100 == 0 or run.step == options.steps:
            run.save()


if __name__ == "__main__":
    main()
