"""The codec's ear: PCM of any speaker -> the heard directions of the voice's latents -> codes, causally but for 46 ms.

Log-mel frames of 46 ms at the latents' own 86.13 Hz, two to a step of 23 ms; causal dilated convolutions; the net's step
q speaks for the latents of step q - 1. The codes lag the sound by LAG samples: frame k stands for the 2,048 samples from
2048 k - LAG on. The vocoder knows one voice only, so a caller comes back in that voice: words and melody, not identity.
"""

import librosa
import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

from .codec import CausalResidual

SAMPLE_RATE = 22050
HOP = 256
WINDOW = 1024
BANDS = 80
LAG = 1024  # samples
LEAD = WINDOW // 2 - HOP // 2  # samples of a window that lie before its latent
MEMORY = LEAD + 2 * HOP  # samples before a chunk that its first window hears
FLOOR = 1e-5
DILATIONS = (1, 2, 4, 8, 1, 2, 4, 8)


def mel_weights():
    """[bands, bins]"""
    return librosa.filters.mel(sr=SAMPLE_RATE, n_fft=WINDOW, n_mels=BANDS, fmin=50, fmax=8000).astype(np.float32)


def log_mel(pcm):
    """PCM at 22,050 Hz, -1…1 -> [frames, bands]; frame m is centred on the samples of latent m."""
    count = len(pcm) // HOP
    padded = np.pad(pcm, (LEAD, WINDOW)).astype(np.float32)
    frames = np.lib.stride_tricks.sliding_window_view(padded, WINDOW)[::HOP][:count]
    power = np.abs(np.fft.rfft(frames * np.hanning(WINDOW + 1)[:-1].astype(np.float32))) ** 2
    return scaled(np.log(power.astype(np.float32) @ mel_weights().T + FLOOR))


def scaled(logarithm):
    return (logarithm + 4) / 4


class PcmEncoder(nn.Module):
    """[B, 2 bands, steps] -> y [B, 2 size, steps], each for the step before."""

    def __init__(self, width=192, out=48):
        super().__init__()
        self.into = nn.Conv1d(2 * BANDS, width, 1)
        self.layers = nn.ModuleList(CausalResidual(width, d) for d in DILATIONS)
        self.out = nn.Conv1d(width, out, 1)

    def forward(self, mel, pasts=(None,) * len(DILATIONS)):
        x, kept = self.into(mel), []
        for layer, past in zip(self.layers, pasts):
            x, past = layer(x, past)
            kept.append(past)
        return self.out(F.gelu(x, approximate="tanh")), kept


class PcmEncoderGraph(nn.Module):
    """pcm [1, 2048 F], memory [1, MEMORY], state -> codes of the levels, next memory, next state: the exported form."""

    def __init__(self, encoder, codec):
        super().__init__()
        self.encoder, self.codec = encoder, codec
        turns = 2 * np.pi * np.outer(np.arange(WINDOW // 2 + 1), np.arange(WINDOW)) / WINDOW
        window = np.hanning(WINDOW + 1)[:-1]
        bases = np.concatenate([np.cos(turns) * window, np.sin(turns) * window]).astype(np.float32)
        self.register_buffer("bases", torch.from_numpy(bases)[:, None])
        self.register_buffer("mel", torch.from_numpy(mel_weights()))

    @property
    def layers(self):
        return [*self.encoder.layers, *self.codec.encode_past]

    def features(self, pcm, memory):
        heard = torch.cat([memory, pcm], 1)
        parts = F.conv1d(heard[:, None, : heard.shape[1] - HOP // 2], self.bases, stride=HOP)
        real, imaginary = parts.chunk(2, 1)
        mel = scaled(torch.log(self.mel @ (real**2 + imaginary**2) + FLOOR))
        b, bands, frames = mel.shape
        return mel.transpose(1, 2).reshape(b, frames // 2, 2 * bands).transpose(1, 2)

    def forward(self, pcm, memory, state):
        pasts = state.split([layer.reach for layer in self.layers], 2)
        own = len(self.encoder.layers)
        y, kept = self.encoder(self.features(pcm, memory), pasts[:own])
        h, more = self.codec.encode(y, pasts[own:])
        return (*self.codec.quantise(h)[1], pcm[:, -MEMORY:], torch.cat([*kept, *more], 2))
