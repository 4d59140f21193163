"""The speech decoder of LLaMA-Omni (Fang et al., 2024, §2.3): upsampled states -> two causal Llama layers -> units by CTC.

Form and names of the published one (`input_proj`, `layers`, `output_proj`; no norm behind the last layer), small. Our
addition, so that some hours of speech suffice: beside the language model's state of a word go its phonemes, read by the
symbol encoder of our own talker (omni/talker.py), and positions belong to phonemes instead of tokens (units.py). The same
encoder tells how long each phoneme lasts, so a position stands for some time, which goes to the vocoder with its unit.

The output projection is tied to the units' centres c: a position's state is put on the y that the generator would hear,
and unit c gets 2 y·c - |c|². So the likeliest unit is the one nearest to y, and squared error on y teaches all units at
once; written out, it is one matrix of the published shape.
"""

import torch
from torch import nn
from torch.nn import functional as F

from ..omni.talker import Encoder
from .unit_data import PLACES

WIDTH, HEADS, INNER, LAYERS = 192, 3, 512, 2
BLANK_BIAS = -1e4  # the tied projection has no place for a blank: time is told, nothing has to be skipped
ROPE_BASE, EPSILON = 10000.0, 1e-5


def rotations(positions, head, base):
    """[T] -> cos, sin [T, head]; two halves, as Llama keeps them."""
    angles = positions[:, None].double() * base ** (-torch.arange(0, head, 2).double() / head)
    angles = torch.cat([angles, angles], 1)
    return angles.cos().float(), angles.sin().float()


def rotate(x, cos, sin):
    first, second = x.chunk(2, -1)
    return x * cos + torch.cat([-second, first], -1) * sin


class Attention(nn.Module):
    def __init__(self, width, heads):
        super().__init__()
        self.heads = heads
        self.q_proj, self.k_proj, self.v_proj, self.o_proj = (nn.Linear(width, width, bias=False) for _ in range(4))

    def forward(self, x, cos, sin):
        b, t, width = x.shape
        q, k, v = (p(x).view(b, t, self.heads, -1).transpose(1, 2) for p in (self.q_proj, self.k_proj, self.v_proj))
        y = F.scaled_dot_product_attention(rotate(q, cos, sin), rotate(k, cos, sin), v, is_causal=True)
        return self.o_proj(y.transpose(1, 2).reshape(b, t, width))


class Gated(nn.Module):
    def __init__(self, width, inner):
        super().__init__()
        self.gate_proj, self.up_proj = (nn.Linear(width, inner, bias=False) for _ in range(2))
        self.down_proj = nn.Linear(inner, width, bias=False)

    def forward(self, x):
        return self.down_proj(F.silu(self.gate_proj(x)) * self.up_proj(x))


class Layer(nn.Module):
    def __init__(self, width, heads, inner):
        super().__init__()
        self.self_attn, self.mlp = Attention(width, heads), Gated(width, inner)
        self.input_layernorm, self.post_attention_layernorm = (nn.RMSNorm(width, eps=EPSILON) for _ in range(2))

    def forward(self, x, cos, sin):
        x = x + self.self_attn(self.input_layernorm(x), cos, sin)
        return x + self.mlp(self.post_attention_layernorm(x))


class SpeechGenerator(nn.Module):
    """Upsampled rows [B, P, inputs] -> y [B, P, 48]; `logits` of it [B, P, units + 1], the last class CTC's blank."""

    def __init__(self, inputs, centres, width=WIDTH, heads=HEADS, inner=INNER, layers=LAYERS):
        super().__init__()
        self.heads = heads
        self.input_proj = nn.Linear(inputs, width)
        self.layers = nn.ModuleList(Layer(width, heads, inner) for _ in range(layers))
        self.heard = nn.Linear(width, centres.shape[1])
        self.register_buffer("centres", centres)
        # Layers begin as nothing, the projection as the features themselves.
        nn.init.eye_(self.input_proj.weight)
        nn.init.zeros_(self.input_proj.bias)
        for layer in self.layers:
            nn.init.zeros_(layer.self_attn.o_proj.weight)
            nn.init.zeros_(layer.mlp.down_proj.weight)

    def forward(self, rows):
        x = self.input_proj(rows)
        cos, sin = rotations(torch.arange(x.shape[1]), x.shape[2] // self.heads, ROPE_BASE)
        for layer in self.layers:
            x = layer(x, cos, sin)
        return self.heard(x)

    def logits(self, y):
        near = 2 * y @ self.centres.T - (self.centres**2).sum(1)
        return F.pad(near, (0, 1), value=BLANK_BIAS)

    def output_proj(self):
        """The same as weight [units + 1, width] and bias [units + 1] on the last layer's state."""
        weight = 2 * self.centres @ self.heard.weight
        bias = 2 * self.centres @ self.heard.bias - (self.centres**2).sum(1)
        return F.pad(weight, (0, 0, 0, 1)), F.pad(bias, (0, 1), value=BLANK_BIAS)


class SpeechDecoder(nn.Module):
    """Symbols, words, the trunk's states of words; index [B, P] and place [B, P, 3] of positions -> y [B, P, 48], durations
    of symbols [B, S] in latents, log(1 + durations)."""

    def __init__(self, centres, encoder=None, **generator):
        super().__init__()
        self.encoder = Encoder(**(encoder or {}))
        self.generator = SpeechGenerator(self.encoder.table.embedding_dim + PLACES, centres, **generator)

    def forward(self, symbols, words, hidden, known, index, place):
        features, durations, length = self.encoder(symbols, words, hidden, known)
        rows = features.gather(1, index[..., None].expand(-1, -1, features.shape[2]))
        return self.generator(torch.cat([rows, place], 2)), durations, length
