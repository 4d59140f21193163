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


class Linear(nn.Module):
    def __init__(self, inputs: int, outputs: int):
        super().__init__()
        self.weight = nn.Parameter(torch.empty(outputs, inputs))
        self.bits: int | None = None

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        weight = self.weight
        if self.bits is not None:
            # Straight-through: the forward pass sees the grid, the gradient goes to the weight itself.
            weight = weight + (fake_quantise(weight.detach(), BLOCK, self.bits) - weight.detach())
        return F.linear(x, weight)


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
        length = x.shape[0]
        h = F.rms_norm(x, (WIDTH,), self.norm1, NORM_EPSILON)
        q = rotate(self.q(h).view(length, HEADS, HEAD_WIDTH).transpose(0, 1), cos, sin)
        k = rotate(self.k(h).view(length, KV_HEADS, HEAD_WIDTH).transpose(0, 1), cos, sin)
        v = self.v(h).view(length, KV_HEADS, HEAD_WIDTH).transpose(0, 1)
        if past is not None:
            if past[0] is not None:
                k, v = torch.cat((past[0], k), 1), torch.cat((past[1], v), 1)
            past[0], past[1] = k.detach(), v.detach()
        group = HEADS // KV_HEADS
        keys, values = k.repeat_interleave(group, 0)[None], v.repeat_interleave(group, 0)[None]
        if k.shape[1] == length:
            attended = F.scaled_dot_product_attention(q[None], keys, values, is_causal=True)
        else:
            mask = torch.ones(length, k.shape[1], dtype=torch.bool).tril(k.shape[1] - length)
            attended = F.scaled_dot_product_attention(q[None], keys, values, attn_mask=mask)
        x = x + self.o(attended[0].transpose(0, 1).reshape(length, WIDTH))
        h = F.rms_norm(x, (WIDTH,), self.norm2, NORM_EPSILON)
        return x + self.down(F.silu(self.gate(h)) * self.up(h))


class Trunk(nn.Module):
    """Token ids [T] -> hidden states [T, 576]; `logits` puts them on the tied embedding."""

    def __init__(self):
        super().__init__()
        self.embedding = nn.Parameter(torch.empty(VOCABULARY, WIDTH), requires_grad=False)
        self.norm = nn.Parameter(torch.ones(WIDTH))
        self.layers = nn.ModuleList(Layer() for _ in range(LAYERS))

    def forward(self, ids: torch.Tensor, past: list | None = None, start: int = 0) -> torch.Tensor:
        positions = torch.arange(start, start + ids.shape[0], dtype=torch.float32)
        frequencies = ROPE_BASE ** (-torch.arange(0, HEAD_WIDTH, 2, dtype=torch.float32) / HEAD_WIDTH)
        angles = positions[:, None] * frequencies[None]
        angles = torch.cat((angles, angles), dim=-1)
        cos, sin = angles.cos(), angles.sin()
        x = self.embedding[ids]
        for i, layer in enumerate(self.layers):
            x = layer(x, cos, sin, None if past is None else past[i])
        return F.rms_norm(x, (WIDTH,), self.norm, NORM_EPSILON)

    def logits(self, hidden: torch.Tensor) -> torch.Tensor:
        return F.linear(hidden, self.embedding)

    def set_bits(self, bits: int | None) -> None:
        for module in self.modules():
            if isinstance(module, Linear):
                module.bits = bits

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
