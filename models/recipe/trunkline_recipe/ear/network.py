"""Whisper base in torch, after Radford et al. 2022, with an encoder context of any length up to 30 s."""

import math

import torch
import torch.nn.functional as F
from torch import nn

WIDTH = 512
HEADS = 8
HEAD_WIDTH = WIDTH // HEADS
LAYERS = 6
MEL_BANDS = 80
MAX_FRAMES = 1500  # encoder frames, 20 ms each
MAX_TOKENS = 448
VOCABULARY = 51865


def split_heads(x):
    batch, length, _ = x.shape
    return x.view(batch, length, HEADS, HEAD_WIDTH).transpose(1, 2)


def join_heads(x):
    batch, _, length, _ = x.shape
    return x.transpose(1, 2).reshape(batch, length, WIDTH)


class FeedForward(nn.Module):
    def __init__(self):
        super().__init__()
        self.norm = nn.LayerNorm(WIDTH)
        self.up = nn.Linear(WIDTH, 4 * WIDTH)
        self.down = nn.Linear(4 * WIDTH, WIDTH)

    def forward(self, x):
        return x + self.down(F.gelu(self.up(self.norm(x))))


class SelfAttention(nn.Module):
    """Query, key and value in one projection; the key's bias is zero in the published weights."""

    def __init__(self):
        super().__init__()
        self.norm = nn.LayerNorm(WIDTH)
        self.qkv = nn.Linear(WIDTH, 3 * WIDTH)
        self.out = nn.Linear(WIDTH, WIDTH)

    def forward(self, x, mask=None, past=None):
        q, k, v = self.qkv(self.norm(x)).split(WIDTH, dim=-1)
        if past is not None:
            k, v = torch.cat([past[0], k], dim=1), torch.cat([past[1], v], dim=1)
        y = F.scaled_dot_product_attention(split_heads(q), split_heads(k), split_heads(v), attn_mask=mask)
        return x + self.out(join_heads(y)), (k, v)


class CrossAttention(nn.Module):
    def __init__(self):
        super().__init__()
        self.norm = nn.LayerNorm(WIDTH)
        self.query = nn.Linear(WIDTH, WIDTH)
        self.kv = nn.Linear(WIDTH, 2 * WIDTH)
        self.out = nn.Linear(WIDTH, WIDTH)

    def remember(self, audio):
        k, v = self.kv(audio).split(WIDTH, dim=-1)
        return split_heads(k), split_heads(v)

    def forward(self, x, memory, mask=None):
        y = F.scaled_dot_product_attention(split_heads(self.query(self.norm(x))), memory[0], memory[1], attn_mask=mask)
        return x + self.out(join_heads(y))


class EncoderLayer(nn.Module):
    def __init__(self):
        super().__init__()
        self.attention = SelfAttention()
        self.ffn = FeedForward()

    def forward(self, x):
        return self.ffn(self.attention(x)[0])


class DecoderLayer(nn.Module):
    def __init__(self):
        super().__init__()
        self.attention = SelfAttention()
        self.cross = CrossAttention()
        self.ffn = FeedForward()


class Encoder(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv1d(MEL_BANDS, WIDTH, 3, padding=1)
        self.conv2 = nn.Conv1d(WIDTH, WIDTH, 3, stride=2, padding=1)
        self.register_buffer("positions", torch.zeros(MAX_FRAMES, WIDTH))
        self.layers = nn.ModuleList(EncoderLayer() for _ in range(LAYERS))
        self.norm = nn.LayerNorm(WIDTH)

    def forward(self, mel):
        """mel [batch, 80, 2·frames] -> [batch, frames, 512]"""
        x = F.gelu(self.conv2(F.gelu(self.conv1(mel)))).transpose(1, 2)
        x = x + self.positions[: x.shape[1]]
        for layer in self.layers:
            x = layer(x)
        return self.norm(x)


class Decoder(nn.Module):
    def __init__(self, vocabulary=VOCABULARY):
        super().__init__()
        self.embedding = nn.Embedding(vocabulary, WIDTH)
        self.positions = nn.Parameter(torch.zeros(MAX_TOKENS, WIDTH))
        self.layers = nn.ModuleList(DecoderLayer() for _ in range(LAYERS))
        self.norm = nn.LayerNorm(WIDTH)

    def remember(self, audio):
        return [layer.cross.remember(audio) for layer in self.layers]

    def forward(self, tokens, memory, past=None, audio_mask=None):
        """tokens [batch, n] after `past` -> logits [batch, n, vocabulary] and the caches of all layers.

        audio_mask: [batch, 1, 1, frames], True where there is audio.
        """
        x, caches = self.run(tokens, memory, past, audio_mask)
        return x @ self.embedding.weight.T, caches

    def hidden(self, tokens, memory, audio_mask=None):
        """What the vocabulary is compared with, [batch, n, 512]; for training."""
        return self.run(tokens, memory, None, audio_mask)[0]

    def run(self, tokens, memory, past, audio_mask):
        start = 0 if past is None else past[0][0].shape[1]
        n = tokens.shape[1]
        x = self.embedding(tokens) + self.positions[start : start + n]
        mask = None
        if n > 1:
            mask = torch.ones(n, start + n, dtype=torch.bool).tril(start)
        caches = []
        for i, layer in enumerate(self.layers):
            x, cache = layer.attention(x, mask, None if past is None else past[i])
            x = layer.cross(x, memory[i], audio_mask)
            x = layer.ffn(x)
            caches.append(cache)
        return self.norm(x), caches


class Whisper(nn.Module):
    def __init__(self, vocabulary=VOCABULARY):
        super().__init__()
        self.encoder = Encoder()
        self.decoder = Decoder(vocabulary)


def sinusoids(length, channels):
    scale = torch.exp(-math.log(10000) / (channels // 2 - 1) * torch.arange(channels // 2))
    phase = torch.arange(length)[:, None] * scale[None, :]
    return torch.cat([phase.sin(), phase.cos()], dim=1)
