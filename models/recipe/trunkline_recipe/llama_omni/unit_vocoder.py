"""The unit vocoder: units without repeats, told times -> durations -> latents of the voice, which its frozen generator sounds.

Place and duties of CodeHiFiGAN with its duration predictor (Polyak et al., 2021; Lee et al., 2022): a unit's embedding,
convolutions over its neighbours, a duration, repetition, waveform. Three things are other. Durations are real numbers, so
that nothing is rounded up to a whole step. The predictor of durations begins at the time of the positions that a unit was
read from, as the speech decoder tells it from the text: two units either side do not show how fast the speech is. And the
waveform part is the voice's own generator behind a causal net, which begins as the units' own centres.
"""

import math

import torch
from torch import nn
from torch.nn import functional as F

from ..omni.codec import CausalResidual
from ..omni.talker import MAX_DURATION, gelu

KERNEL = 3
BLOCKS = 2
NEIGHBOURS = BLOCKS * (KERNEL // 2)  # units either side that a unit's features depend on
DILATIONS = (1, 2, 4, 1)


class UnitEncoder(nn.Module):
    """Units, told times in latents, both [B, N + 2 NEIGHBOURS] -> features [B, N, width + 48], durations [B, N] latents, log(1 + durations).

    The last 48 are the unit's centre: what is heard of it when nothing was learnt yet. Row `units` of the tables is no
    unit: before the beginning, behind the end; no time is told there.
    """

    def __init__(self, centres, width=128):
        super().__init__()
        self.units = len(centres)
        self.table = nn.Embedding(self.units + 1, width)
        self.register_buffer("centres", F.pad(centres, (0, 0, 0, 1)))
        self.told = nn.Linear(1, width, bias=False)
        self.norms = nn.ModuleList(nn.LayerNorm(width) for _ in range(BLOCKS))
        self.convolutions = nn.ModuleList(nn.Conv1d(width, width, KERNEL) for _ in range(BLOCKS))
        self.mixes = nn.ModuleList(nn.Linear(width, width) for _ in range(BLOCKS))
        self.last = nn.LayerNorm(width)
        self.length_out = nn.Linear(width, 1)
        nn.init.zeros_(self.told.weight)
        nn.init.zeros_(self.length_out.weight)
        nn.init.zeros_(self.length_out.bias)

    def forward(self, units, times):
        told = torch.log1p(times)
        x = self.table(units) + self.told(told[..., None])
        for norm, convolution, mix in zip(self.norms, self.convolutions, self.mixes):
            y = convolution(norm(x).transpose(1, 2)).transpose(1, 2)
            x = x[:, 1:-1] + mix(gelu(y))
        x = self.last(x)
        own, told = (row[:, NEIGHBOURS : row.shape[1] - NEIGHBOURS] for row in (units, told))
        length = (told + self.length_out(x)[..., 0]).clamp(0, math.log1p(MAX_DURATION))
        return torch.cat([x, F.embedding(own, self.centres)], 2), torch.exp(length) - 1, length

    def framed(self, units, times):
        """[B, N] -> [B, N + 2 NEIGHBOURS] with "no unit" around."""
        around = (NEIGHBOURS, NEIGHBOURS)
        return F.pad(units, around, value=self.units), F.pad(times, around)


class UnitFrames(nn.Module):
    """Features at steps of two latents -> y, causally: the unit's centre, and what the net adds to it."""

    def __init__(self, width, out):
        super().__init__()
        self.place = nn.Linear(4, width)
        self.into = nn.Linear(width + out, width)
        self.layers = nn.ModuleList(CausalResidual(width, d) for d in DILATIONS)
        self.out = nn.Conv1d(width, out, 1)
        self.size = out
        nn.init.zeros_(self.out.weight)
        nn.init.zeros_(self.out.bias)

    def forward(self, features, index, position, pasts=(None,) * len(DILATIONS)):
        """features [B, N, width + out], index [B, T], position [B, T, 4] -> y [B, out, T], next pasts."""
        own = features.gather(1, index[..., None].expand(-1, -1, features.shape[2]))
        x = gelu(self.into(own) + self.place(position)).transpose(1, 2)
        kept = []
        for layer, past in zip(self.layers, pasts):
            x, past = layer(x, past)
            kept.append(past)
        return own[:, :, own.shape[2] - self.size :].transpose(1, 2) + self.out(x), kept


class UnitVocoder(nn.Module):
    def __init__(self, centres, width=128):
        super().__init__()
        self.encoder = UnitEncoder(centres, width)
        self.frames = UnitFrames(width, centres.shape[1])

    def forward(self, units, times, index, position):
        """Units [B, N] (behind the end: the number of units), told times -> y [B, 48, steps], log durations [B, N]."""
        features, _, length = self.encoder(*self.encoder.framed(units, times))
        return self.frames(features, index, position)[0], length
