"""What the training loops share: resumable checkpoints, a falling learning rate, averaged weights, a log of JSON lines."""

import json
import math
import os
import time
from pathlib import Path

import torch


class Run:
    """A training run in a folder; `state.pt` holds everything needed to go on, and the mean of late weights if wanted.

    Trainers make tensors of arrays by torch.as_tensor, which puts them on the device that trunkline_recipe.on chose."""

    def __init__(self, folder, nets, rate, steps, warm=100, average=False, shares=None, **optimiser):
        """shares: by net, what its rate is a multiple of `rate` by."""
        self.folder, self.nets, self.rate, self.steps, self.warm = Path(folder), nets, rate, steps, warm
        self.folder.mkdir(parents=True, exist_ok=True)
        weights = [p for net in nets.values() for p in net.parameters() if p.requires_grad]
        self.weights = weights
        groups = weights
        if shares:
            groups = [{"params": [p for p in net.parameters() if p.requires_grad], "share": shares.get(name, 1.0)} for name, net in nets.items()]
        self.optimiser = torch.optim.AdamW(groups, lr=rate, **{"betas": (0.9, 0.98), "weight_decay": 0.01, **optimiser})
        self.step, self.spent, self.tick, self.sums, self.counts, self.count = 0, 0.0, time.process_time(), {}, {}, 0
        path = self.folder / "state.pt"
        if path.exists():
            state = torch.load(path, weights_only=True, map_location="cpu")
            for name, net in nets.items():
                net.load_state_dict(state["nets"][name])
            if "optimiser" in state:
                self.optimiser.load_state_dict(state["optimiser"])
            self.step, self.spent = state["step"], state["spent"]
        self.average = None
        if average:
            self.average = {n: {k: v.clone() for k, v in net.state_dict().items()} for n, net in nets.items()}
            if path.exists():
                for name, kept in self.average.items():
                    for key, value in kept.items():
                        value.copy_(state["average"][name][key])

    def learning_rate(self):
        if self.step < self.warm:
            return self.rate * (self.step + 1) / self.warm
        share = min(1, (self.step - self.warm) / max(1, self.steps - self.warm))
        return self.rate * (0.05 + 0.95 * 0.5 * (1 + math.cos(math.pi * share)))

    def update(self, loss, clip=1.0, **shown):
        self.optimiser.zero_grad(set_to_none=True)
        loss.backward()
        self.apply(clip, loss=loss, **shown)

    def apply(self, clip=1.0, **shown):
        """A step by the gradients that are there."""
        for group in self.optimiser.param_groups:
            group["lr"] = self.learning_rate() * group.get("share", 1.0)
        torch.nn.utils.clip_grad_norm_(self.weights, clip)
        self.optimiser.step()
        self.step += 1
        if self.average:
            # Over the last hundred steps or so, fewer at first.
            keep = min(0.99, self.step / (self.step + 10))
            for name, net in self.nets.items():
                for key, value in net.state_dict().items():
                    self.average[name][key].lerp_(value, 1 - keep)
        for name, value in shown.items():
            self.sums[name] = self.sums.get(name, 0.0) + float(value.detach() if hasattr(value, "detach") else value)
            # Not every kind of step shows every figure.
            self.counts[name] = self.counts.get(name, 0) + 1
        self.count += 1

    def log(self, **more):
        now = time.process_time()
        self.spent, self.tick = self.spent + now - self.tick, now
        means = {k: round(v / self.counts[k], 4) for k, v in self.sums.items()}
        print(json.dumps({"step": self.step, "cpuSeconds": round(self.spent), **means, **more}), flush=True)
        self.sums, self.counts, self.count = {}, {}, 0

    def save(self):
        state = {"nets": {n: net.state_dict() for n, net in self.nets.items()}, "optimiser": self.optimiser.state_dict(), "step": self.step, "spent": self.spent}
        if self.average:
            state["average"] = self.average
        part = self.folder / "state.part"
        torch.save(state, part)
        os.replace(part, self.folder / "state.pt")


def load(folder, **nets):
    """Weights of a finished or running run into nets, for use; the averaged ones where there are."""
    state = torch.load(Path(folder) / "state.pt", weights_only=True, map_location="cpu")
    for name, net in nets.items():
        net.load_state_dict(state.get("average", state["nets"])[name])
        net.eval()
    return state["step"]
