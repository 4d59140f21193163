"""SmolLM2-135M (the Llama architecture) in plain torch, with grouped-query attention and optional 4-bit fake quantisation."""

import os

import torch
import torch.nn.functional as F
from safetensors.torch import load_file
from torch import nn

LAYERS, WIDTH, HEADS, KV_HEADS, HEAD_WIDTH, INNER, VOCABULARY = 30, 576, 9, 3, 64, 1536, 49152
ROPE_BASE, NORM_EPSILON = 100000.0, 1e-5
BLOCK = 32


def quantise(weight: torch.Tensor, block: int = BLOCK, bits: int = 4) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Asymmetric round-to-nearest per block of inputs: integers, scales, zero points, as MatMulNBits reads them."""
    rows, columns = weight.shape
    top = 2**bits - 1
    blocks = weight.reshape(rows, columns // block, block)
    low = blocks.amin(2).clamp(max=0)
    high = blocks.amax(2).clamp(min=0)
    scale = ((high - low) / top).clamp(min=1e-8)
    zero = (-low / scale).round().clamp(0, top)
    codes = (blocks / scale[..., None] + zero[..., None]).round().clamp(0, top)
    return codes, scale, zero


def fake_quantise(weight: torch.Tensor, block: int = BLOCK, bits: int = 4) -> torch.Tensor:
    with torch.no_grad():
        codes, scale, zero = quantise(weight, block, bits)
        return ((codes - zero[..., None]) * scale[..., None]).reshape(weight.shape)


class Linear(nn.Linear):
    """Marks the weights that are shipped on the 4-bit grid."""

    def __init__(self, inputs: int, outputs: int):
        super().__init__(inputs, outputs, bias=False)


def rotate(x: torch.Tensor, cos: torch.Tensor, sin: torch.Tensor) -> torch.Tensor:
    first, second = x.chunk(2, dim=-1)
    return x * cos + torch.cat((-second, first), dim=-1) * sin


class Layer(nn.Module):
    def __init__(self):
        super().__init__()
        self.norm1 = nn.Parameter(torch.ones(WIDTH))
        self.norm2 = nn.Parameter(torch.ones(WIDTH))
        self.q = Linear(WIDTH, WIDTH)
        self.k = Linear(WIDTH, KV_HEADS * HEAD_WIDTH)
        self.v = Linear(WIDTH, KV_HEADS * HEAD_WIDTH)
        self.o = Linear(WIDTH, WIDTH)
        self.gate = Linear(WIDTH, INNER)
        self.up = Linear(WIDTH, INNER)
        self.down = Linear(INNER, WIDTH)

    def forward(self, x, cos, sin, past):
        """x [B, T, 576]; `past`: None, or [keys, values] of [1 or B, 3, P, 64] that all of the batch continue."""
        batch, length, _ = x.shape
        h = F.rms_norm(x, (WIDTH,), self.norm1, NORM_EPSILON)
        q = rotate(self.q(h).view(batch, length, HEADS, HEAD_WIDTH).transpose(1, 2), cos, sin)
        k = rotate(self.k(h).view(batch, length, KV_HEADS, HEAD_WIDTH).transpose(1, 2), cos, sin)
        v = self.v(h).view(batch, length, KV_HEADS, HEAD_WIDTH).transpose(1, 2)
        if past is not None:
            if past[0] is not None:
                k, v = (torch.cat((old.expand(batch, -1, -1, -1), new), 2) for old, new in zip(past, (k, v)))
            past[0], past[1] = k.detach(), v.detach()
        group = HEADS // KV_HEADS
        keys, values = k.repeat_interleave(group, 1), v.repeat_interleave(group, 1)
        if k.shape[2] == length:
            attended = F.scaled_dot_product_attention(q, keys, values, is_causal=True)
        else:
            mask = torch.ones(length, k.shape[2], dtype=torch.bool).tril(k.shape[2] - length)
            attended = F.scaled_dot_product_attention(q, keys, values, attn_mask=mask)
        x = x + self.o(attended.transpose(1, 2).reshape(batch, length, WIDTH))
        h = F.rms_norm(x, (WIDTH,), self.norm2, NORM_EPSILON)
        return x + self.down(F.silu(self.gate(h)) * self.up(h))


class Trunk(nn.Module):
    """Token ids [T] or [B, T] -> hidden states [T, 576] or [B, T, 576]; `logits` puts them on the tied embedding."""

    def __init__(self):
        super().__init__()
        self.embedding = nn.Parameter(torch.empty(VOCABULARY, WIDTH), requires_grad=False)
        self.norm = nn.Parameter(torch.ones(WIDTH))
        self.layers = nn.ModuleList(Layer() for _ in range(LAYERS))

    def forward(self, ids: torch.Tensor, past: list | None = None, start: int = 0) -> torch.Tensor:
        """`past`: a pair for each layer, which is written; all rows begin at position `start`, after what it holds."""
        length = ids.shape[-1]
        positions = torch.arange(start, start + length, dtype=torch.float32)
        frequencies = ROPE_BASE ** (-torch.arange(0, HEAD_WIDTH, 2, dtype=torch.float32) / HEAD_WIDTH)
        angles = positions[:, None] * frequencies[None]
        angles = torch.cat((angles, angles), dim=-1)
        cos, sin = angles.cos(), angles.sin()
        x = self.embedding[ids.reshape(-1, length)]
        for i, layer in enumerate(self.layers):
            x = layer(x, cos, sin, None if past is None else past[i])
        return F.rms_norm(x, (WIDTH,), self.norm, NORM_EPSILON).reshape(*ids.shape, WIDTH)

    def logits(self, hidden: torch.Tensor) -> torch.Tensor:
        return F.linear(hidden, self.embedding)

    @staticmethod
    def load(folder: str, file: str = "model.safetensors") -> "Trunk":
        trunk = Trunk()
        weights = load_file(os.path.join(folder, file))
        own = dict(trunk.named_parameters())
        for name, parameter in own.items():
            key = name.replace(".weight", "")
            parameter.data.copy_(weights[key])
        return trunk

    def tensors(self) -> dict[str, torch.Tensor]:
        return {name.replace(".weight", ""): p.detach().clone().contiguous() for name, p in self.named_parameters()}


@torch.no_grad()
def generate(trunk: Trunk, ids: list[int], most: int, stop: set[int]) -> list[int]:
    past = [[None, None] for _ in range(LAYERS)]
    hidden = trunk(torch.tensor(ids), past)
    position, out = len(ids), []
    while len(out) < most:
        token = int(trunk.logits(hidden[-1]).argmax())
        out.append(token)
        if token in stop:
            break
        hidden = trunk(torch.tensor([token]), past, position)
        position += 1
    return out
