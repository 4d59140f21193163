"""Tuning on callers' questions: loss on answers only, the persona read once for many questions, on the 4-bit grid throughout.

A step takes a few personas. Each one's prompt is read without gradient; its branches (a question with its answer, or a
few that follow on one another) stand side by side in a batch, each as if it came right after the prompt. Only the layers from
`--from-layer` on learn. Embeddings stay as they are, so that whatever was fitted to them (an ear in their space) stays valid.

Shipped weights lie exactly on the grid, where an update smaller than half a step of it (0.03) would be rounded away. So each is
first moved by lot within the reach of its own grid point: the function stays the same, and of many weights a share crosses to the
next point that goes with the update (dither, as in quantising audio).

Resumable: the folder holds the weights and the place in the data (`state.json`); the optimiser's moments begin anew.
"""

import argparse
import contextlib
import json
import os
import shutil
import time

import torch
import torch.nn.functional as F
from safetensors.torch import save_file
from tokenizers import Tokenizer

from .network import Linear, Trunk, fake_quantise, quantise
from .prompt import Prompt

WARM_UP_STEPS = 5
# A branch longer than this costs more than it teaches.
MOST_TOKENS = 180
# Tokens (with padding) that are held with their gradients at once.
BATCH_TOKENS = 600
# Of a batch's longest branch; shorter ones would be mostly padding.
LEAST_SHARE = 0.8
# The first word of an answer decides between yes, no and a refusal.
FIRST_WORD_WEIGHT = 4.0
DITHER = 0.48


def rate_at(step: int, passed: float, top: float, fall: float) -> float:
    """Warm-up over the first steps, flat, then linear to a twentieth over the last `fall` of the time. `passed`: 0 to 1."""
    return top * min(1.0, (step + 1) / WARM_UP_STEPS) * min(1.0, 0.05 + 0.95 * max(0.0, 1 - passed) / fall)


def dithered(weight: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
    """Weights on the grid moved by up to `DITHER` of its step; the ends of a block, which its step comes from, stay."""
    codes, scale, _ = quantise(weight)
    inner = (codes > 0) & (codes < 15)
    noise = (torch.rand(codes.shape, generator=generator, device=weight.device) * 2 - 1) * DITHER * scale[..., None]
    return weight + (noise * inner).reshape(weight.shape)


@contextlib.contextmanager
def on_grid(weights: list[torch.nn.Parameter]):
    """The products see the 4-bit grid, the update goes to the weights behind it (straight through)."""
    masters = [w.data for w in weights]
    for w in weights:
        w.data = fake_quantise(w.data)
    try:
        yield
    finally:
        for w, master in zip(weights, masters):
            w.data = master


def save(trunk: Trunk, folder: str, state: dict) -> None:
    part = os.path.join(folder, "model.safetensors.part")
    save_file(trunk.tensors(), part)
    os.replace(part, os.path.join(folder, "model.safetensors"))
    with open(os.path.join(folder, "state.json"), "w", encoding="utf-8") as file:
        json.dump(state, file)


def batches(branches: list[tuple[list[int], list[bool]]]) -> list[list[tuple[list[int], list[bool]]]]:
    """Branches of about the same length together, at most `BATCH_TOKENS` with their padding."""
    out: list[list[tuple[list[int], list[bool]]]] = []
    for branch in sorted(branches, key=lambda b: -len(b[0])):
        longest = len(out[-1][0][0]) if out else 0
        if out and longest * (len(out[-1]) + 1) <= BATCH_TOKENS and len(branch[0]) >= LEAST_SHARE * longest:
            out[-1].append(branch)
        else:
            out.append([branch])
    return out


def weights_of(said: list[bool]) -> list[float]:
    return [(FIRST_WORD_WEIGHT if i == 0 or not said[i - 1] else 1.0) if s else 0.0 for i, s in enumerate(said)]


class Tuning:
    def __init__(self, trunk: Trunk, from_layer: int):
        self.trunk, self.from_layer = trunk, from_layer
        for parameter in trunk.parameters():
            parameter.requires_grad = False
        for layer in trunk.layers[from_layer:]:
            for parameter in layer.parameters():
                parameter.requires_grad = True
        trunk.norm.requires_grad = True
        self.parameters = [p for p in trunk.parameters() if p.requires_grad]
        self.grids = [m.weight for m in trunk.modules() if isinstance(m, Linear) and m.weight.requires_grad]

    def losses(self, prefix: list[int], batch: list[tuple[list[int], list[bool]]]) -> tuple[torch.Tensor, torch.Tensor]:
        """Weighted sum of the losses of each branch, and the sum of its weights."""
        past = [[key, value] for key, value in self.past]
        longest = len(batch[0][0])
        ids = torch.tensor([b + [0] * (longest - len(b)) for b, _ in batch])
        weights = torch.tensor([weights_of(s) + [0.0] * (longest - len(s)) for _, s in batch])
        hidden = self.trunk(ids, past, len(prefix))
        rows, places = weights.nonzero(as_tuple=True)
        logits = self.trunk.logits(hidden[rows, places - 1])
        each = F.cross_entropy(logits, ids[rows, places], reduction="none") * weights[rows, places]
        return torch.zeros(len(batch)).index_add(0, rows, each), weights.sum(1)

    def read(self, prefix: list[int]) -> None:
        self.past = self.trunk.fresh_past()
        with torch.no_grad():
            self.trunk(torch.tensor(prefix), self.past)


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("base", help="folder with model.safetensors and tokenizer.json to start from")
    arguments.add_argument("data", help="jsonl of personas with branches; read again from its start when it ends")
    arguments.add_argument("out")
    arguments.add_argument("--minutes", type=float, default=35, help="processor time of this run, over which the rate falls")
    arguments.add_argument("--wall-minutes", type=float, default=1e9, help="ends by then even if the processor was busy with other things")
    arguments.add_argument("--rate", type=float, default=2e-4)
    arguments.add_argument("--personas", type=int, default=2, help="personas a step")
    arguments.add_argument("--branches", type=int, default=10, help="branches of a persona in a step, at most")
    arguments.add_argument("--from-layer", type=int, default=10)
    arguments.add_argument("--fall", type=float, default=0.5, help="share of the time, at the end, in which the rate falls")
    arguments.add_argument("--save-minutes", type=float, default=6)
    options = arguments.parse_args()
    torch.set_num_threads(1)
    os.makedirs(options.out, exist_ok=True)
    state = {"step": 0, "line": 0, "tokens": 0, "answers": 0}
    source = options.base
    if os.path.exists(os.path.join(options.out, "state.json")):
        with open(os.path.join(options.out, "state.json"), encoding="utf-8") as file:
            state |= json.load(file)
        source = options.out
    shutil.copy(os.path.join(options.base, "tokenizer.json"), options.out)
    prompt = Prompt(Tokenizer.from_file(os.path.join(options.base, "tokenizer.json")))
    trunk = Trunk.load(source)
    tuning = Tuning(trunk, options.from_layer)
    if source == options.base:
        generator = torch.Generator(trunk.norm.device).manual_seed(1)
        for weight in tuning.grids:
            weight.data = dithered(weight.data, generator)
    optimiser = torch.optim.AdamW(tuning.parameters, lr=options.rate, betas=(0.9, 0.95), weight_decay=0.0, fused=True)
    since, saved, mean, began, began_wall = state["step"], time.time(), None, time.process_time(), time.time()
    with open(options.data, encoding="utf-8") as file:
        personas = file.read().splitlines()
    passed, seen = 0.0, 0
    while passed < 1 and not os.path.exists(os.path.join(options.out, "stop")):
        for group in optimiser.param_groups:
            group["lr"] = rate_at(state["step"] - since, passed, options.rate, options.fall)
        read = []
        for _ in range(options.personas):
            d = json.loads(personas[state["line"] % len(personas)])
            state["line"] += 1
            prefix, branches = prompt.persona_with_branches(d)
            read.append((prefix, [b for b in branches if len(b[0]) <= MOST_TOKENS and any(b[1])][: options.branches]))
        whole = sum(sum(weights_of(said)) for _, branches in read for _, said in branches)
        with on_grid(tuning.grids):
            sum_of_step = 0.0
            for prefix, branches in read:
                tuning.read(prefix)
                seen += len(prefix)
                for batch in batches(branches):
                    losses, _ = tuning.losses(prefix, batch)
                    loss = losses.sum() / whole
                    loss.backward()
                    sum_of_step += float(loss.detach())
                    seen += sum(len(b) for b, _ in batch)
                    state["answers"] += len(batch)
        torch.nn.utils.clip_grad_norm_(tuning.parameters, 1.0, foreach=True)
        optimiser.step()
        optimiser.zero_grad(set_to_none=False)
        mean = sum_of_step if mean is None else 0.95 * mean + 0.05 * sum_of_step
        state["step"] += 1
        used = (time.process_time() - began) / 60
        passed = max(used / options.minutes, (time.time() - began_wall) / 60 / options.wall_minutes)
        if state["step"] % 2 == 0:
            print(f"{state['step']} {used:.1f} min loss {mean:.3f} rate {group['lr']:.2e} {seen / used / 60:.0f} tokens per cpu second, answers {state['answers']}", flush=True)
        if time.time() - saved > options.save_minutes * 60:
            saved = time.time()
            save(trunk, options.out, state | {"tokens": state["tokens"] + seen})
    save(trunk, options.out, state | {"tokens": state["tokens"] + seen})
    print("done", state, flush=True)


if __name__ == "__main__":
    main()
