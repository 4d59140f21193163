"""Stage three: trunk, ear adapter and talker learn together from spoken questions with spoken answers; the recogniser stays.

    python -m trunkline_recipe.omni.train_together TRIPLES TRUNK WHISPER ADAPTER.pt BASIS.npz TALKER_RUN RUN
        [--steps 1500] [--minutes 60] [--from-layer 20] [--duty-data CALLS.jsonl] [--tiny]

"Any Model Can Talk" (Xie and Wu, 2024), third stage: all weights but the audio encoder's. TRIPLES is a folder of triples.py,
TRUNK model.safetensors and tokenizer.json (brain.tune's run, or import_onnx of what ships), ADAPTER.pt of ear_adapter.py, TALKER_RUN of
train_talker.py or import_voice.py. The trunk learns from layer `--from-layer` on, on its 4-bit grid; its embedding stays, for the ear's
expectation is made of it. A quarter of the questions is read instead of heard, so that written ones are still answered; of a third
of the answers the talker does not see the states (train_talker.batch). With `--duty-data`, branches of written calls as brain.tune
reads them, some of the steps are such ones, so that what the trunk was tuned for is not forgotten; `--general-data` and `--knowledge` are against forgetting what it knew before. Resumable: run again to go on. When it ends, RUN holds
trunk/model.safetensors, adapter.pt and talker/state.pt, as the exporters read them.
"""

import argparse
import os
import shutil
import time
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import load_file, save_file
from torch import nn

from ..brain.network import Linear, Trunk, fake_quantise
from ..brain.tune import Tuning, dithered, on_grid
from .data import Shards
from .ear_adapter import Adapter
from .ear_hear import pieces_table
from .ear_trunk import load_prompt
from .talker import Talker
from .together import Duty, General, Knowledge, Together, Triples
from .train_talker import TINY
from .training import Run, load

WRITTEN = 0.25
SHARES = {"trunk": 1.0, "adapter": 3.0, "talker": 3.0}


class Upper(nn.Module):
    """The layers of a trunk that learn, and its last norm; the rest is frozen."""

    def __init__(self, trunk, from_layer):
        super().__init__()
        trunk.requires_grad_(False)
        self.layers, self.norm = nn.ModuleList(trunk.layers[from_layer:]), trunk.norm
        self.requires_grad_(True)

    @property
    def grids(self):
        return [m.weight for m in self.modules() if isinstance(m, Linear)]

    def loosen(self):
        """Weights that lie exactly on the grid are moved by lot within the reach of their points (brain/tune.py)."""
        for weight in self.grids:
            if torch.allclose(weight.data, fake_quantise(weight.data), atol=1e-6):
                weight.data = dithered(weight.data, torch.Generator(weight.device).manual_seed(1))


def backward(net, rows, shards, options, random):
    """Adds the gradient of some rows of one persona -> what the log shows."""
    text, right, states = net(rows, random.random(len(rows)) < options.written)
    loss, shown = text, {"text": text, "right": right}
    if options.sound:
        error, duration = net.sound(shards, rows, states, random)
        loss, shown = text + options.sound * (error + 0.3 * duration), {**shown, "error": error, "duration": duration}
    loss.backward()
    return {"loss": loss, **shown}


def learn(net, upper, run, triples, shards, options, until=lambda: False, beside=()):
    """Steps until the wanted number is reached or `until` says so. beside: (share of the steps, together.Duty or General) each."""
    random = np.random.default_rng(run.step + 3)
    saved = time.monotonic()
    for rows in triples.groups(random, options.batch, options.least):
        if run.step >= options.steps or until():
            break
        run.optimiser.zero_grad(set_to_none=True)
        with on_grid(upper.grids), torch.autocast(net.trunk.norm.device.type, torch.bfloat16, enabled=options.bf16):
            draw = random.random()
            for share, other in beside:
                if 0 <= draw < share:
                    shown = other.backward(random, options.batch)
                draw -= share
            if draw >= 0:
                shown = backward(net, rows, shards, options, random)
        run.apply(**shown)
        if run.step % options.log == 0 or run.step == options.steps:
            run.log()
        if time.monotonic() - saved > 60 * options.save_minutes:
            saved = time.monotonic()
            run.save()
    run.save()


def lighten(upper, trunk):
    """Frozen layers hold their products' weights in bf16: nothing is learnt there, and they need not be turned into it at each step."""
    learnt = {id(weight) for weight in upper.parameters()}
    for module in trunk.modules():
        if isinstance(module, Linear) and id(module.weight) not in learnt:
            module.weight.data = module.weight.data.bfloat16()


def write(net, out, source, step):
    """What the exporters read. source: the folder of the trunk to begin with; what did not learn is copied from there."""
    for name in ("trunk", "talker"):
        (out / name).mkdir(parents=True, exist_ok=True)
    weights = load_file(source / "model.safetensors")
    for name, parameter in net.trunk.named_parameters():
        if parameter.requires_grad:
            told = fake_quantise(parameter.data) if name.endswith(".weight") else parameter.data
            weights[name.removesuffix(".weight")] = told.cpu().contiguous()
    save_file(weights, out / "trunk/model.part")
    os.replace(out / "trunk/model.part", out / "trunk/model.safetensors")
    shutil.copy(source / "tokenizer.json", out / "trunk")
    torch.save({name: value.cpu() for name, value in net.adapter.state_dict().items()}, out / "adapter.pt")
    torch.save({"nets": {"talker": net.talker.state_dict()}, "step": step, "spent": 0.0}, out / "talker/state.pt")


def assemble(options):
    """-> the net with the weights that options name, and the triples' sound."""
    prompt = load_prompt(options.trunk)
    tokens = (options.whisper / "tokens.txt").read_text().split("\n")
    basis = dict(np.load(options.basis))
    talker = Talker(**(TINY if options.tiny else {}), out=2 * basis["down"].shape[1])
    load(options.talker, talker=talker)
    adapter = Adapter()
    adapter.load_state_dict(torch.load(options.adapter, weights_only=True, map_location="cpu"))
    basis = {name: torch.as_tensor(value) for name, value in basis.items()}
    return Together(Trunk.load(str(options.trunk)), adapter, talker, prompt, pieces_table(tokens, prompt.tokenizer), basis)


def add_inputs(arguments):
    for name in ("triples", "trunk", "whisper", "adapter", "basis", "talker"):
        arguments.add_argument(name, type=Path)
    arguments.add_argument("--tiny", action="store_true", help="the talker is one of train_talker --tiny")


def main():
    arguments = argparse.ArgumentParser(description=__doc__)
    add_inputs(arguments)
    arguments.add_argument("run", type=Path)
    arguments.add_argument("--steps", type=int, default=1500)
    arguments.add_argument("--minutes", type=float, default=1e9, help="of processor time; stops then, to go on another time")
    arguments.add_argument("--batch", type=int, default=6, help="questions of one persona in a step, at most")
    arguments.add_argument("--least", type=int, default=1, help="groups of fewer questions are left out")
    arguments.add_argument("--rate", type=float, default=1e-4, help="of the trunk; three times that for the adapter")
    arguments.add_argument("--from-layer", type=int, default=20)
    arguments.add_argument("--written", type=float, default=WRITTEN, help="share of questions that are read instead of heard")
    arguments.add_argument("--sound", type=float, default=1.0, help="weight of the talker's loss beside the text's; 0: the talker takes no part, as in LLaMA-Omni's first stage")
    arguments.add_argument("--duty-data", type=Path, help="written calls with the facts beside each question (brain/related.mjs)")
    arguments.add_argument("--duty", type=float, default=0.4, help="share of the steps that learn from them")
    arguments.add_argument("--talker-share", type=float, default=SHARES["talker"], help="rate of the talker, as a multiple of the trunk's")
    arguments.add_argument("--general-data", type=Path, help="folder of general questions that are only read (triples.py text --phone 0)")
    arguments.add_argument("--general", type=float, default=0.3, help="share of the steps that learn from them")
    arguments.add_argument("--knowledge", type=Path, help="folder of the trunk before any tuning (brain.gguf_to_torch): general answers stay near its own")
    arguments.add_argument("--near", type=float, default=0.5, help="weight of that beside the text's loss")
    arguments.add_argument("--bf16", action="store_true", help="products in it: nearly twice as fast where the processor has it")
    arguments.add_argument("--log", type=int, default=10, help="steps")
    arguments.add_argument("--save-minutes", type=float, default=6)
    options = arguments.parse_args()
    torch.set_num_threads(1)
    torch.manual_seed(1)
    net = assemble(options)
    upper = Upper(net.trunk, options.from_layer)
    if not (options.run / "state.pt").exists():
        upper.loosen()
    if options.knowledge:
        net.knowledge = (Knowledge(Trunk.load(str(options.knowledge)), net), options.near)
    if options.bf16:
        lighten(upper, net.trunk)
        if options.knowledge:
            lighten(upper, net.knowledge[0].trunk)
    run = Run(options.run, {"trunk": upper, "adapter": net.adapter.train(), "talker": net.talker.train()}, options.rate, options.steps, warm=20, shares={**SHARES, "talker": options.talker_share}, weight_decay=0.0, betas=(0.9, 0.95))
    shards = Shards(options.triples / "latents")
    triples = Triples(options.triples, "train", shards)
    if not len(triples):
        raise SystemExit(f"recipe.no-triples: no question of {options.triples} was heard and has an answer with its sound. Fix: the steps in triples.py.")
    beside = []
    if options.duty_data:
        beside.append((options.duty, Duty(options.duty_data, Tuning(net.trunk, options.from_layer), net.prompt)))
    if options.general_data:
        beside.append((options.general, General(options.general_data, net)))
    sizes = {name: sum(p.numel() for p in part.parameters()) for name, part in run.nets.items()}
    print(f"{len(triples)} triples, {shards.hours:.2f} h of answers, parameters that learn: {sizes}", flush=True)
    began = time.process_time()
    learn(net, upper, run, triples, shards, options, lambda: time.process_time() - began > 60 * options.minutes, beside)
    write(net, options.run, options.trunk, run.step)
    print(f"step {run.step} of {options.steps}", flush=True)


if __name__ == "__main__":
    main()
