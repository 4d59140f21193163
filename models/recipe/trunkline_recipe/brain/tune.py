"""Full fine-tuning on dialogues: loss on answers only, one dialogue a step, persona prefix without gradient, 4-bit grid at the end."""

import argparse
import json
import math
import os
import random
import time

import torch
import torch.nn.functional as F
from safetensors.torch import save_file
from tokenizers import Tokenizer

from .network import LAYERS, Linear, Trunk, fake_quantise
from .prompt import Prompt


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("base")
    arguments.add_argument("data")
    arguments.add_argument("out")
    arguments.add_argument("--minutes", type=float, default=55)
    arguments.add_argument("--rate", type=float, default=1.5e-4)
    arguments.add_argument("--grid-from", type=float, default=0.6, help="share of the time after which weights are put on the 4-bit grid")
    arguments.add_argument("--block", type=int, default=32)
    arguments.add_argument("--save-minutes", type=float, default=6)
    arguments.add_argument("--file", default="model.safetensors")
    arguments.add_argument("--skip", type=int, default=0)
    options = arguments.parse_args()
    torch.set_num_threads(1)
    os.makedirs(options.out, exist_ok=True)
    prompt = Prompt(Tokenizer.from_file(os.path.join(options.base, "tokenizer.json")))
    trunk = Trunk.load(options.base, options.file)
    parameters = [p for p in trunk.parameters() if p.requires_grad]
    optimiser = torch.optim.AdamW(parameters, lr=options.rate, betas=(0.9, 0.95), weight_decay=0.01, fused=True)
    grids = [m.weight for m in trunk.modules() if isinstance(m, Linear)]
    rng = random.Random(1)
    started = saved = time.time()
    tokens = step = 0
    mean = None
    with open(options.data, encoding="utf-8") as file:
        for number, line in enumerate(file):
            if number < options.skip:
                continue
            share = (time.time() - started) / 60 / options.minutes
            if share >= 1:
                break
            d = json.loads(line)
            prefix, ids, said = prompt.dialogue(d, listed=rng.random() < 0.85)
            whole = torch.tensor(prefix + ids)
            places = torch.tensor([i for i, s in enumerate(said) if s])
            if len(places) == 0 or len(whole) > 1500:
                continue
            rate = options.rate * min(1.0, (step + 1) / 15) * (0.08 + 0.92 * 0.5 * (1 + math.cos(math.pi * min(1.0, share))))
            for group in optimiser.param_groups:
                group["lr"] = rate
            masters = None
            if share >= options.grid_from:
                masters = [w.data for w in grids]
                for w in grids:
                    w.data = fake_quantise(w.data, options.block)
            past = [[None, None] for _ in range(LAYERS)]
            with torch.no_grad():
                trunk(whole[: len(prefix)], past)
            hidden = trunk(whole[len(prefix) :], past, len(prefix))
            loss = F.cross_entropy(trunk.logits(hidden[places - 1]), whole[len(prefix) :][places])
            loss.backward()
            if masters is not None:
                for w, master in zip(grids, masters):
                    w.data = master
            torch.nn.utils.clip_grad_norm_(parameters, 1.0, foreach=True)
            optimiser.step()
            optimiser.zero_grad(set_to_none=False)
            step += 1
            tokens += len(whole)
            mean = float(loss) if mean is None else 0.95 * mean + 0.05 * float(loss)
            if step % 10 == 0:
                passed = time.time() - started
                print(f"{step} {passed / 60:.1f} min loss {mean:.3f} rate {rate:.2e} {tokens / passed:.0f} tokens/s grid {masters is not None}", flush=True)
            if time.time() - saved > options.save_minutes * 60:
                saved = time.time()
                save_file(trunk.tensors(), os.path.join(options.out, "model.safetensors.part"))
                os.replace(os.path.join(options.out, "model.safetensors.part"), os.path.join(options.out, "model.safetensors"))
                if os.path.exists(os.path.join(options.out, "stop")):
                    break
    save_file(trunk.tensors(), os.path.join(options.out, "final.safetensors"))
    print("done", step, number, flush=True)


if __name__ == "__main__":
    main()
