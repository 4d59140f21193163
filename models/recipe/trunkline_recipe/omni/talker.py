"""The talker: symbols of the text so far and at most two words more -> the codec's codes, frame by frame, and durations.

Not autoregressive: LLaMA-Omni's form (Fang et al., 2024), with predicted durations instead of CTC (FastSpeech: Ren et
al., 2019). The symbol encoder looks back freely and ahead only inside the word, then once over the next two words; the
frame net is causal. The language model's last hidden state of each word goes in beside its symbols, and may be missing.
"""

import math

import torch
from torch import nn
from torch.nn import functional as F

from .codec import CausalResidual
from .symbols import SYMBOLS

LOOK_AHEAD_WORDS = 2
SPAN = 16  # symbols either side that the look-ahead layer sees
KERNEL = 5
BLOCKS = 3
# Symbols before the first wanted one that its features depend on.
LEFT_SYMBOLS = SPAN + BLOCKS * (KERNEL // 2)
DILATIONS = (1, 2, 4, 8, 1, 2, 4, 8)
MAX_DURATION = 86.0  # latents, one second
TRUNK_WIDTH = 576


def gelu(x):
    return F.gelu(x, approximate="tanh")


class WordConvolution(nn.Module):
    """A convolution over symbols whose taps never reach into a later word."""

    def __init__(self, width):
        super().__init__()
        self.norm = nn.LayerNorm(width)
        self.taps = nn.Linear(KERNEL * width, width)
        self.mix = nn.Linear(width, width)

    def forward(self, x, words):
        half = KERNEL // 2
        size = x.shape[1]
        # Behind the end: a word that is later than all.
        numbers = F.pad(F.pad(words, (half, 0), value=-1), (0, half), value=1 << 20)
        padded = F.pad(self.norm(x), (0, 0, half, half))
        taken = []
        for tap in range(KERNEL):
            part = padded[:, tap : tap + size]
            if tap > half:
                part = part * (numbers[:, tap : tap + size] <= words)[..., None].to(x.dtype)
            taken.append(part)
        return x + self.mix(gelu(self.taps(torch.cat(taken, 2))))


class LookAhead(nn.Module):
    """Attention over the symbols at most 16 away, of words at most two ahead."""

    def __init__(self, width, heads=4):
        super().__init__()
        self.heads = heads
        self.norm = nn.LayerNorm(width)
        self.qkv = nn.Linear(width, 3 * width)
        self.out = nn.Linear(width, width)
        self.near = nn.Parameter(torch.zeros(2 * SPAN + 1, heads))
        self.norm2 = nn.LayerNorm(width)
        self.up = nn.Linear(width, 2 * width)
        self.down = nn.Linear(2 * width, width)

    def forward(self, x, words):
        b, size, width = x.shape
        q, k, v = self.qkv(self.norm(x)).view(b, size, 3, self.heads, width // self.heads).permute(2, 0, 3, 1, 4).unbind(0)
        place = torch.arange(size, device=x.device)
        away = place[None, :] - place[:, None]
        bias = self.near[away.clamp(-SPAN, SPAN) + SPAN].permute(2, 0, 1)
        seen = (away.abs() <= SPAN)[None] & (words[:, None, :] <= words[:, :, None] + LOOK_AHEAD_WORDS)
        scores = q @ k.transpose(2, 3) / math.sqrt(width // self.heads) + bias
        scores = scores.masked_fill(~seen[:, None], -1e4)
        y = (scores.softmax(3) @ v).permute(0, 2, 1, 3).reshape(b, size, width)
        x = x + self.out(y)
        return x + self.down(gelu(self.up(self.norm2(x))))


class Encoder(nn.Module):
    """Symbols [B, S], words [B, S], hidden [B, W, 576], known [B, W] -> features [B, S, width], durations [B, S] latents."""

    def __init__(self, width=192, condition=64, trunk=TRUNK_WIDTH):
        super().__init__()
        self.table = nn.Embedding(SYMBOLS, width)
        self.condition_norm = nn.LayerNorm(trunk, elementwise_affine=False)
        self.condition_down = nn.Linear(trunk, condition)
        self.condition_up = nn.Linear(condition, width)
        # States may come later than symbols: at first they say nothing.
        nn.init.zeros_(self.condition_up.weight)
        nn.init.zeros_(self.condition_up.bias)
        self.blocks = nn.ModuleList(WordConvolution(width) for _ in range(BLOCKS))
        self.ahead = LookAhead(width)
        self.last = nn.LayerNorm(width)
        self.length = nn.Linear(width, width)
        self.length_out = nn.Linear(width, 1)

    def features(self, symbols, words, hidden, known):
        told = self.condition_up(gelu(self.condition_down(self.condition_norm(hidden)))) * known[..., None]
        place = (words - words[:, :1])[..., None].expand(-1, -1, told.shape[2])
        x = self.table(symbols) + told.gather(1, place)
        # Padding of a batch is a word later than all.
        words = words.masked_fill(symbols == 0, 1 << 20)
        for block in self.blocks:
            x = block(x, words)
        return self.last(self.ahead(x, words))

    def forward(self, symbols, words, hidden, known):
        x = self.features(symbols, words, hidden, known)
        length = self.length_out(gelu(self.length(x)))[..., 0].clamp(0, math.log1p(MAX_DURATION))
        return x, torch.exp(length) - 1, length


def steps_of(durations, steps):
    """The symbol and place of each step of two latents. durations [S] latents, real numbers.

    Step t stands for the time 2 t + 1 latents; its symbol is the one in which that time lies, the last one behind the end.
    -> index [steps], position [steps, 4]: log(1 + elapsed), log(1 + remaining), elapsed share, log(1 + duration).
    """
    end = torch.cumsum(durations.double(), 0)
    time = 2 * torch.arange(steps, dtype=torch.float64) + 1
    index = torch.searchsorted(end, time, right=True).clamp(max=len(durations) - 1)
    duration = durations.double()[index]
    elapsed = time - (end[index] - duration)
    remaining = (end[index] - time).clamp(min=0)
    share = (elapsed / duration.clamp(min=1)).clamp(max=2)
    elapsed = elapsed.clamp(max=MAX_DURATION)
    return index, torch.stack([torch.log1p(elapsed), torch.log1p(remaining), share, torch.log1p(duration)], 1).float()


class Frames(nn.Module):
    """Features at steps of two latents -> y of the codec's basis, causally."""

    def __init__(self, width=192, out=48):
        super().__init__()
        self.place = nn.Linear(4, width)
        self.mix = nn.Linear(width, width)
        self.layers = nn.ModuleList(CausalResidual(width, d) for d in DILATIONS)
        self.out = nn.Conv1d(width, out, 1)

    def forward(self, features, index, position, pasts=(None,) * len(DILATIONS)):
        """features [B, S, width], index [B, N], position [B, N, 4] -> y [B, out, N], next pasts."""
        x = features.gather(1, index[..., None].expand(-1, -1, features.shape[2])) + self.place(position)
        x = self.mix(gelu(x)).transpose(1, 2)
        kept = []
        for layer, past in zip(self.layers, pasts):
            x, past = layer(x, past)
            kept.append(past)
        return self.out(gelu(x)), kept


class Talker(nn.Module):
    def __init__(self, width=192, condition=64, trunk=TRUNK_WIDTH, out=48):
        super().__init__()
        self.encoder = Encoder(width, condition, trunk)
        self.frames = Frames(width, out)
