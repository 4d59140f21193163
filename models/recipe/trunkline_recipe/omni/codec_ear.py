"""The codec's ear: PCM of any speaker -> latents of the voice, through the recogniser's encoder -> codes.

What the encoder of models/whisper-base made of the speech hardly depends on who speaks: 50 states a second. A small net
of convolutions over them, and over the pitch and level of the voice (ear_tune.py), tells the voice's latents in their heard
directions (basis.py) at 86.13 Hz; the codec's own encoder makes codes of them. An utterance at a time: the encoder looks both
ways. The generator knows one voice only, so a caller comes back in that voice: words and melody, not identity.

    python -m trunkline_recipe.omni.codec_ear MODEL_DIR SPEECH.wav OUT.json      (golden values for a runtime, of invented states)
"""

import argparse
import json
from pathlib import Path

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

from ..ear.features import SAMPLE_RATE, cut_context
from .ear_tune import contour, quantile
from .teacher import session

STATES_PER_SECOND = 50
LATENTS_PER_SECOND = 22050 / 256
LATENTS_PER_FRAME = 8
TUNE = 4
LEAST_DB = -60
LOST = 0.15  # share of the states' numbers that are withheld while learning
DILATIONS = (1, 2, 4, 1, 2, 4)


def latents_of(samples):
    """Latents of so much speech at 16 kHz, whole frames of the codec."""
    return -(-samples * 22050 // (SAMPLE_RATE * 256 * LATENTS_PER_FRAME)) * LATENTS_PER_FRAME


def times(count):
    """Seconds at which the latents stand."""
    return (np.arange(count) + 0.5) / LATENTS_PER_SECOND


def tune_rows(pcm, count):
    """[count, TUNE]: octaves from the speaker's usual pitch, voiced or not, strength, tens of dB below the loudest; of the nearest 10 ms."""
    octaves, strength, level = contour(pcm)
    if len(octaves) == 0:
        return np.zeros((count, TUNE), np.float32)
    voiced = ~np.isnan(octaves)
    usual = quantile(np.sort(octaves[voiced]), 0.5) if voiced.any() else 0.0
    rows = np.stack([np.where(voiced, octaves - usual, 0.0), voiced, np.where(voiced, strength, 0.0), np.maximum(level - level.max(), LEAST_DB) / 20], 1)
    at = np.minimum((times(count) * 100).astype(int), len(rows) - 1)
    return rows[at].astype(np.float32)


class Listener:
    """The recogniser's encoder: PCM at 16 kHz -> states [frames, 512]."""

    def __init__(self, folder):
        self.graph = session(Path(folder) / "encoder.onnx")

    def __call__(self, pcm):
        return self.graph.run(["hidden"], {"mel": cut_context(pcm)[None]})[0][0]


class Residual(nn.Module):
    """x + mix(gelu(conv(x))), looking both ways."""

    def __init__(self, width, kernel, dilation=1):
        super().__init__()
        self.convolution = nn.Conv1d(width, width, kernel, dilation=dilation, padding=dilation * (kernel // 2))
        self.mix = nn.Conv1d(width, width, 1)

    def forward(self, x):
        return x + self.mix(F.gelu(self.convolution(x), approximate="tanh"))


class CodecEar(nn.Module):
    """hidden [B, frames, 512], tune [B, latents, 4] -> y [B, latents, size]."""

    def __init__(self, states=512, inner=256, width=192, size=24):
        super().__init__()
        self.normal = nn.LayerNorm(states)
        self.into = nn.Conv1d(states, inner, 1)
        self.slow = nn.ModuleList(Residual(inner, 3) for _ in range(3))
        self.across = nn.Conv1d(inner, width, 1)
        self.tune = nn.Conv1d(TUNE, width, 3, padding=1)
        self.fast = nn.ModuleList(Residual(width, 3, d) for d in DILATIONS)
        self.out = nn.Conv1d(width, size, 1)

    def forward(self, hidden, tune):
        x = self.into(F.dropout(self.normal(hidden), LOST, self.training).transpose(1, 2))
        for layer in self.slow:
            x = layer(x)
        x = self.stretched(self.across(x), tune.shape[1]) + self.tune(tune.transpose(1, 2))
        for layer in self.fast:
            x = layer(x)
        return self.out(F.gelu(x, approximate="tanh")).transpose(1, 2)

    @staticmethod
    def stretched(x, count):
        """[B, width, frames] of 20 ms -> [B, width, count] where the latents stand, by linear interpolation."""
        at = (torch.arange(count, device=x.device) + 0.5) * (STATES_PER_SECOND / LATENTS_PER_SECOND)
        at = at.clamp(max=x.shape[2] - 1)
        low = at.floor().long()
        high = (low + 1).clamp(max=x.shape[2] - 1)
        share = (at - low).to(x.dtype)
        return x[:, :, low] * (1 - share) + x[:, :, high] * share


def golden(folder, pcm):
    """What an exported ear and codec make of the tune of `pcm` (16 kHz) and of states that are drawn."""
    from .reference import rounded

    ear, coder = (session(Path(folder) / f"codec-{part}.onnx") for part in ("ear", "encoder"))
    tune = tune_rows(pcm, latents_of(len(pcm)))
    shape = (1, cut_context(pcm).shape[1] // 2, ear.get_inputs()[0].shape[2])
    hidden = np.random.default_rng(8).standard_normal(shape).astype(np.float32).round(3)
    z = ear.run(None, {"hidden": hidden, "tune": tune[None]})[0]
    codes = coder.run(None, {"z": z, "state": np.zeros(coder.get_inputs()[1].shape, np.float32)})[:3]
    return {"hidden": rounded(hidden[0]), "tune": rounded(tune), "first8of4Channels": rounded(z[0, :4, :8]), "codes": [c[0].tolist() for c in codes]}


def main():
    from ..ear.speech import read_wav

    arguments = argparse.ArgumentParser(description=__doc__)
    for name in ("model", "speech", "out"):
        arguments.add_argument(name, type=Path)
    options = arguments.parse_args()
    options.out.write_text(json.dumps(golden(options.model, read_wav(options.speech))) + "\n")


if __name__ == "__main__":
    main()
