"""Trains the speech decoder on the frozen trunk's states and the known alignment; the trunk learns nothing (stage two).

    python -m trunkline_recipe.llama_omni.train_decoder LATENTS_DIR UNITS.npz RUN_DIR [--hidden DIR] [--steps 1500] [--rate 2e-3]
        [--start SHIPPED] [--tiny]      (the symbol encoder begins as the shipped talker's: omni/import_voice.py)

LLaMA-Omni learns by CTC, because it does not know when a unit is said. The teacher told its durations, so each position
has its step of speech: squared error in the heard directions, which for units that are told by their distance is cross
entropy against all of them. Durations of symbols are learnt beside it, as the talker's are. States by sentence as omni/trunk_states.py writes them; a third of the time they are withheld,
for texts that come from elsewhere. Resumable.
"""

import argparse
from pathlib import Path

import numpy as np
import torch

from ..omni.data import Shards
from ..omni.talker import TRUNK_WIDTH, Talker
from ..omni.training import Run, load
from ..omni.trunk_states import States
from .speech_decoder import SpeechDecoder
from .unit_data import Units, layout, padded, start_weight, times
from .units import LATENTS_PER_STEP, nearest

TINY = {"encoder": {"width": 16, "condition": 4}, "width": 32, "heads": 2, "inner": 32}


def inputs(shards, group, table, states, random, withheld=1 / 3):
    """-> the decoder's inputs for some sentences, and index, place of each as arrays."""
    symbols, words, _ = shards.text(group)
    hidden, known = states.of([shards.lines[i] for i in group], shards.most_words(group))
    known = known * torch.as_tensor((random.random(len(group)) >= withheld).astype(np.float32))[:, None]
    index, place = zip(*(layout(shards.symbols[i], table) for i in group))
    return (symbols, words, hidden, known, padded(index), padded(place)), index, place


def losses(decoder, shards, group, units, states, random):
    """-> squared error, that of log(1 + durations), share of positions whose unit is the teacher's."""
    given, index, place = inputs(shards, group, units.positions, states, random)
    wanted, weight = [], []
    for row, i in enumerate(group):
        y = units.heard(shards.z[i])
        middle, time = times(shards.durations[i], index[row], place[row])
        wanted.append(y[np.minimum((middle / LATENTS_PER_STEP).astype(int), len(y) - 1)])
        weight.append(np.minimum(time, 4).astype(np.float32) * start_weight(middle))
    wanted, weight = padded(wanted), padded(weight)
    out, _, length = decoder(*given)
    error = (((out - wanted) ** 2).mean(2) * weight).sum() / weight.sum()
    symbols, durations = given[0], shards.text(group)[2]
    told = (symbols > 0).float()
    duration = ((length - torch.log1p(durations.float())) ** 2 * told).sum() / told.sum()
    with torch.no_grad():
        same = (nearest(out[0], units.centres).argmin(1) == nearest(wanted[0], units.centres).argmin(1)).float().mean()
    return error, duration, same


def main():
    arguments = argparse.ArgumentParser(description=__doc__)
    for name in ("latents", "units", "run"):
        arguments.add_argument(name, type=Path)
    arguments.add_argument("--hidden", type=Path)
    arguments.add_argument("--steps", type=int, default=1500)
    arguments.add_argument("--batch", type=int, default=1800, help="latents")
    arguments.add_argument("--rate", type=float, default=2e-3)
    arguments.add_argument("--start", type=Path)
    arguments.add_argument("--tiny", action="store_true", help="a net of a few thousand weights, for tests")
    options = arguments.parse_args()
    torch.set_num_threads(1)
    torch.manual_seed(1)
    shards, units = Shards(options.latents), Units(options.units)
    decoder = SpeechDecoder(units.centres, **(TINY if options.tiny else {}))
    if options.start:
        talker = Talker()
        load(options.start / "talker", talker=talker)
        decoder.encoder.load_state_dict(talker.encoder.state_dict())
    run = Run(options.run, {"decoder": decoder}, options.rate, options.steps, average=True)
    print(f"{shards.hours:.2f} h, {len(shards)} sentences, {sum(p.numel() for p in decoder.parameters())} parameters", flush=True)
    random = np.random.default_rng(run.step)
    states = States(options.hidden, TRUNK_WIDTH)
    for group in shards.batches(random, options.batch):
        if run.step >= options.steps:
            break
        error, duration, same = losses(decoder, shards, group, units, states, random)
        run.update(error + 0.3 * duration, error=error, duration=duration, same=same)
        if run.step % 50 == 0 or run.step == options.steps:
            run.log()
        if run.step % 100 == 0 or run.step == options.steps:
            run.save()


if __name__ == "__main__":
    main()
