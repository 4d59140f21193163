"""Trains the unit vocoder: units without repeats and told times -> durations and latents (squared error in the heard directions).

    python -m trunkline_recipe.llama_omni.train_vocoder LATENTS_DIR UNITS.npz RUN_DIR --decoder RUN_DIR [--hidden DIR]
        [--steps 1000] [--rate 2e-3] [--tiny]

It learns from the units that a trained decoder chooses and the times that it tells of them: they lie on positions whose true
time is known, so the sound that belongs to them is known too. Resumable.
"""

import argparse
from pathlib import Path

import numpy as np
import torch

from ..omni.data import Shards
from ..omni.talker import TRUNK_WIDTH, steps_of
from ..omni.training import Run, load
from ..omni.trunk_states import States
from .speech_decoder import SpeechDecoder
from .train_decoder import TINY as TINY_DECODER
from .train_decoder import inputs
from .unit_data import Units, padded, start_weight, steps_in, times
from .unit_vocoder import UnitVocoder

TINY = {"width": 16}


@torch.no_grad()
def chosen(decoder, shards, group, units, states, random):
    """-> [(units [R], told times [R], true times [R])] of the decoder for some sentences, without repeats, in latents."""
    given, index, place = inputs(shards, group, units.positions, states, random)
    y, durations, _ = decoder(*given)
    out = []
    for row, i in enumerate(group):
        symbols = decoder.generator.logits(y[row, : len(index[row])]).argmax(1).cpu().numpy()
        told, true = (times(d, index[row], place[row])[1] for d in (durations[row].cpu().numpy(), shards.durations[i]))
        found, told = merged(symbols, told, units.count)
        out.append((found, told, merged(symbols, true, units.count)[1]))
    return out


def merged(symbols, time, blank):
    """CTC's reading of symbols that each stand for some time: a blank's time goes to the unit before it."""
    owner = np.where(symbols == blank, -1, np.arange(len(symbols)))
    owner = np.maximum.accumulate(owner)
    first = owner < 0
    # A unit behind a blank is a new one even if it is the same.
    begins = (symbols != blank) & np.r_[True, (symbols[1:] != symbols[:-1])]
    run = np.cumsum(begins) - 1
    run[first] = 0
    if not begins.any():
        return np.zeros(0, np.int64), np.zeros(0)
    return symbols[begins], np.bincount(run, weights=time, minlength=int(begins.sum()))


def losses(vocoder, shards, group, units, said):
    size = max(steps_in(shards.z[i]) for i in group)
    index, position = zip(*(steps_of(torch.as_tensor(true), size) for _, _, true in said))
    y = padded([units.heard(shards.z[i]) for i in group]).transpose(1, 2)
    weight = padded([start_weight(np.arange(0, 2 * steps_in(shards.z[i]), 2)) for i in group])
    codes = padded([codes.astype(np.int64) for codes, _, _ in said], units.count)
    told, true = (padded([row[which].astype(np.float32) for row in said]) for which in (1, 2))
    out, length = vocoder(codes, told, torch.stack(index), torch.stack(position))
    known = (codes < units.count).float()
    duration = ((length - torch.log1p(true)) ** 2 * known).sum() / known.sum()
    error = (((out - y) ** 2).mean(1) * weight).sum() / weight.sum()
    return error, duration


def main():
    arguments = argparse.ArgumentParser(description=__doc__)
    for name in ("latents", "units", "run"):
        arguments.add_argument(name, type=Path)
    arguments.add_argument("--decoder", type=Path, required=True)
    arguments.add_argument("--hidden", type=Path)
    arguments.add_argument("--steps", type=int, default=1000)
    arguments.add_argument("--rate", type=float, default=2e-3)
    arguments.add_argument("--batch", type=int, default=3600, help="latents")
    arguments.add_argument("--tiny", action="store_true", help="a net of a few thousand weights, for tests")
    options = arguments.parse_args()
    torch.set_num_threads(1)
    torch.manual_seed(1)
    shards, units = Shards(options.latents), Units(options.units)
    decoder = SpeechDecoder(units.centres, **(TINY_DECODER if options.tiny else {}))
    load(options.decoder, decoder=decoder)
    vocoder = UnitVocoder(units.centres, **(TINY if options.tiny else {}))
    states = States(options.hidden, TRUNK_WIDTH)
    run = Run(options.run, {"vocoder": vocoder}, options.rate, options.steps, average=True)
    print(f"{shards.hours:.2f} h, {len(shards)} sentences, {sum(p.numel() for p in vocoder.parameters())} parameters", flush=True)
    random = np.random.default_rng(run.step)
    for group in shards.batches(random, options.batch):
        if run.step >= options.steps:
            break
        said = chosen(decoder, shards, group, units, states, random)
        error, duration = losses(vocoder, shards, group, units, said)
        run.update(error + 0.3 * duration, error=error, duration=duration)
        if run.step % 50 == 0 or run.step == options.steps:
            run.log()
        if run.step % 100 == 0 or run.step == options.steps:
            run.save()


if __name__ == "__main__":
    main()
