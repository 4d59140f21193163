"""Full fine-tuning on dialogues: loss on answers only, persona prefix without gradient, bf16 products, 4-bit grid at the end.

Embeddings stay as they are, so that whatever was fitted to them (an ear in their space) stays valid. Resumable: the
folder holds the weights and the place in the data (`state.json`); the moments of the optimiser begin anew after a stop.
One folder may be read by `evaluate`, `export` and `fixtures` while training goes on.
"""

import argparse
import contextlib
import json
import os
import random
import time

import torch
import torch.nn.functional as F
from safetensors.torch import save_file
from tokenizers import Tokenizer

from .network import LAYERS, Linear, Trunk, fake_quantise
from .prompt import Prompt

WARM_UP_STEPS = 12
# A dialogue longer than this costs more than it teaches.
MOST_TOKENS = 1000


def rate_at(step: int, since: int, total: int, top: float, fall: float) -> float:
    """Warm-up after every start, flat, then linear to a twentieth over the last `fall` of the steps."""
    left = max(0.0, 1 - step / total)
    return top * min(1.0, (step - since + 1) / WARM_UP_STEPS) * min(1.0, 0.05 + 0.95 * left / fall)


@contextlib.contextmanager
def on_grid(weights: list[torch.nn.Parameter], active: bool):
    """The products see the 4-bit grid, the update goes to the weights behind it (straight through)."""
    masters = [w.data for w in weights] if active else []
    for w in weights if active else []:
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


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("base", help="folder with model.safetensors and tokenizer.json to start from")
    arguments.add_argument("data", help="jsonl of dialogues; read again from its start when it ends")
    arguments.add_argument("out")
    arguments.add_argument("--steps", type=int, default=300)
    arguments.add_argument("--rate", type=float, default=1e-4)
    arguments.add_argument("--together", type=int, default=2, help="dialogues a step")
    arguments.add_argument("--grid-from", type=float, default=0.6, help="share of the steps after which weights are put on the 4-bit grid")
    arguments.add_argument("--fall", type=float, default=0.4, help="share of the steps, at the end, in which the rate falls")
    arguments.add_argument("--listed", type=float, default=0.9, help="share of dialogues with all facts in the prompt")
    arguments.add_argument("--save-minutes", type=float, default=6)
    options = arguments.parse_args()
    torch.set_num_threads(1)
    os.makedirs(options.out, exist_ok=True)
    state = {"step": 0, "line": 0, "tokens": 0}
    source = options.base
    if os.path.exists(os.path.join(options.out, "state.json")):
        with open(os.path.join(options.out, "state.json"), encoding="utf-8") as file:
            state = json.load(file)
        source = options.out
    prompt = Prompt(Tokenizer.from_file(os.path.join(options.base, "tokenizer.json")))
    trunk = Trunk.load(source)
    head = trunk.embedding.data.bfloat16()
    parameters = [p for p in trunk.parameters() if p.requires_grad]
    optimiser = torch.optim.AdamW(parameters, lr=options.rate, betas=(0.9, 0.95), weight_decay=0.0, fused=True)
    grids = [m.weight for m in trunk.modules() if isinstance(m, Linear)]
    since, began, saved, seen, mean = state["step"], time.time(), time.time(), 0, None
    with open(options.data, encoding="utf-8") as file:
        dialogues = file.read().splitlines()
    while state["step"] < options.steps and not os.path.exists(os.path.join(options.out, "stop")):
        rate = rate_at(state["step"], since, options.steps, options.rate, options.fall)
        for group in optimiser.param_groups:
            group["lr"] = rate
        gridded = state["step"] >= options.grid_from * options.steps
        with on_grid(grids, gridded), torch.autocast("cpu", dtype=torch.bfloat16):
            for _ in range(options.together):
                rng = random.Random(state["line"])
                d = json.loads(dialogues[state["line"] % len(dialogues)])
                state["line"] += 1
                prefix, ids, said = prompt.dialogue(d, listed=rng.random() < options.listed)
                if len(prefix) + len(ids) > MOST_TOKENS or not any(said):
                    continue
                whole = torch.tensor(prefix + ids)
                places = torch.tensor([i for i, s in enumerate(said) if s])
                past = [[None, None] for _ in range(LAYERS)]
                with torch.no_grad():
                    trunk(whole[: len(prefix)], past)
                hidden = trunk(whole[len(prefix) :], past, len(prefix))
                loss = F.cross_entropy(F.linear(hidden[places - 1].bfloat16(), head).float(), whole[len(prefix) :][places])
                (loss / options.together).backward()
                seen += len(whole)
                mean = float(loss) if mean is None else 0.97 * mean + 0.03 * float(loss)
        torch.nn.utils.clip_grad_norm_(parameters, 1.0, foreach=True)
        optimiser.step()
        optimiser.zero_grad(set_to_none=False)
        state["step"] += 1
        if state["step"] % 5 == 0:
            passed = time.time() - began
            print(f"{state['step']} {passed / 60:.1f} min loss {mean:.3f} rate {rate:.2e} {seen / passed:.0f} tokens/s {seen / time.process_time():.0f} per cpu second, grid {gridded}", flush=True)
        if time.time() - saved > options.save_minutes * 60:
            saved = time.time()
            save(trunk, options.out, state | {"tokens": state["tokens"] + seen})
    save(trunk, options.out, state | {"tokens": state["tokens"] + seen})
    print("done", state, flush=True)


if __name__ == "__main__":
    main()
