"""Trains the unit vocoder: units without repeats -> durations and latents (squared error in the heard directions).

    python -m trunkline_recipe.llama_omni.train_vocoder LATENTS_DIR UNITS.npz RUN_DIR [--steps 1000] [--tiny]
        [--decoder RUN_DIR [--hidden DIR]]      (learn from the units that a trained decoder chooses)

With `--decoder` three of four sentences are told by the decoder's choice, the others by the teacher's own units: the choice
lies on positions whose time is known, so the sound that belongs to it is known too. Resumable.
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
from .unit_data import Units, padded, runs, steps_in, times
from .unit_vocoder import UnitVocoder

TINY = {"width": 16}
MOST_AT_ONCE = 16  # sentences that the decoder reads in one run
FIRST_GROUPS = 12  # of sentences that say how long each unit usually lasts
OWN = 0.25  # share of sentences that are told by the teacher's units when there is a decoder


@torch.no_grad()
def chosen(decoder, shards, group, units, states, random):
    """The decoder's units for each sentence without repeats, and the time of each in latents."""
    given, index, place = inputs(shards, group, units.positions, states, random)
    y = decoder(*given)
    out = []
    for row, i in enumerate(group):
        _, time = times(shards.durations[i], index[row], place[row])
        out.append(merged(decoder.generator.logits(y[row, : len(time)]).argmax(1).cpu().numpy(), time, units.count))
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


def told(shards, group, units, decoder, states, random):
    """-> [(units [R], durations [R] latents)] for some sentences."""
    own = []
    if decoder is not None and len(group) > MOST_AT_ONCE:
        parts = [group[at : at + MOST_AT_ONCE] for at in range(0, len(group), MOST_AT_ONCE)]
        return [one for part in parts for one in told(shards, part, units, decoder, states, random)]
    for i in group:
        steps = units.of(units.heard(shards.z[i]))
        own.append(runs(steps, np.full(len(steps), 2.0)))
    if decoder is None:
        return own
    other = chosen(decoder, shards, group, units, states, random)
    return [a if random.random() < OWN or len(b[0]) == 0 else b for a, b in zip(own, other)]


@torch.no_grad()
def usual_durations(vocoder, said):
    """Begins each unit's duration as its mean; a unit that was not met takes the mean of all."""
    units = np.concatenate([codes for codes, _ in said])
    time = np.concatenate([time for _, time in said])
    count = np.bincount(units, minlength=vocoder.encoder.units)
    mean = np.where(count > 0, np.bincount(units, weights=time, minlength=len(count)) / np.maximum(count, 1), time.mean())
    vocoder.encoder.usual.weight[:-1, 0] = torch.as_tensor(np.log1p(mean)).float()


def losses(vocoder, shards, group, units, said):
    size = max(steps_in(shards.z[i]) for i in group)
    index, position = zip(*(steps_of(torch.as_tensor(time), size) for _, time in said))
    y = padded([units.heard(shards.z[i]) for i in group]).transpose(1, 2)
    real = padded([np.ones(steps_in(shards.z[i]), np.float32) for i in group])
    codes = padded([codes.astype(np.int64) for codes, _ in said], units.count)
    out, length = vocoder(codes, torch.stack(index), torch.stack(position))
    known = (codes < units.count).float()
    want = torch.log1p(padded([time.astype(np.float32) for _, time in said]))
    duration = ((length - want) ** 2 * known).sum() / known.sum()
    error = (((out - y) ** 2).mean(1) * real).sum() / real.sum()
    return error, duration


def main():
    arguments = argparse.ArgumentParser(description=__doc__)
    for name in ("latents", "units", "run"):
        arguments.add_argument(name, type=Path)
    arguments.add_argument("--decoder", type=Path)
    arguments.add_argument("--hidden", type=Path)
    arguments.add_argument("--steps", type=int, default=1000)
    arguments.add_argument("--batch", type=int, default=3600, help="latents")
    arguments.add_argument("--tiny", action="store_true", help="a net of a few thousand weights, for tests")
    options = arguments.parse_args()
    torch.set_num_threads(1)
    torch.manual_seed(1)
    shards, units = Shards(options.latents), Units(options.units)
    decoder = None
    if options.decoder:
        decoder = SpeechDecoder(units.centres, **(TINY_DECODER if options.tiny else {}))
        load(options.decoder, decoder=decoder)
    vocoder = UnitVocoder(units.centres, **(TINY if options.tiny else {}))
    states = States(options.hidden, TRUNK_WIDTH)
    if not (options.run / "state.pt").exists():
        random = np.random.default_rng(1)
        some = [i for _, group in zip(range(FIRST_GROUPS), shards.batches(random, options.batch)) for i in group]
        usual_durations(vocoder, told(shards, some, units, decoder, states, random))
    run = Run(options.run, {"vocoder": vocoder}, 2e-3, options.steps, average=True)
    print(f"{shards.hours:.2f} h, {len(shards)} sentences, {sum(p.numel() for p in vocoder.parameters())} parameters", flush=True)
    random = np.random.default_rng(run.step)
    for group in shards.batches(random, options.batch):
        if run.step >= options.steps:
            break
        said = told(shards, group, units, decoder, states, random)
        error, duration = losses(vocoder, shards, group, units, said)
        run.update(error + 0.3 * duration, error=error, duration=duration)
        if run.step % 50 == 0 or run.step == options.steps:
            run.log()
        if run.step % 100 == 0 or run.step == options.steps:
            run.save()
    if run.step == 0:
        run.save()


if __name__ == "__main__":
    main()
