"""SmolLM2-135M (the Llama architecture) in plain torch, with grouped-query attention and optional 4-bit fake quantisation."""

import os
from typing import NamedTuple

import torch
import torch.nn.functional as F
from safetensors.torch import load_file
from torch import nn

LAYERS, WIDTH, HEADS, KV_HEADS, HEAD_WIDTH, INNER, VOCABULARY = 30, 576, 9, 3, 64, 1536, 49152
ROPE_BASE, NORM_EPSILON = 100000.0, 1e-5
BLOCK = 32


class Sizes(NamedTuple):
    """Others than SmolLM2's are for tests."""

    layers: int = LAYERS
    width: int = WIDTH
    heads: int = HEADS
    kv_heads: int = KV_HEADS
    head_width: int = HEAD_WIDTH
    inner: int = INNER
    vocabulary: int = VOCABULARY


SMOLLM2 = Sizes()


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
    def __init__(self, sizes: Sizes = SMOLLM2):
        super().__init__()
        self.sizes = sizes
        width, keys = sizes.width, sizes.kv_heads * sizes.head_width
        self.norm1 = nn.Parameter(torch.ones(width))
        self.norm2 = nn.Parameter(torch.ones(width))
        self.q = Linear(width, sizes.heads * sizes.head_width)
        self.k = Linear(width, keys)
        self.v = Linear(width, keys)
        self.o = Linear(sizes.heads * sizes.head_width, width)
        self.gate = Linear(width, sizes.inner)
        self.up = Linear(width, sizes.inner)
        self.down = Linear(sizes.inner, width)

    def forward(self, x, cos, sin, past):
        """x [B, T, width]; `past`: None, or [keys, values] of [1 or B, kv heads, P, head] that all of the batch continue."""
        batch, length, width = x.shape
        _, _, heads, kv_heads, head, _, _ = self.sizes
        h = F.rms_norm(x, (width,), self.norm1, NORM_EPSILON)
        q = rotate(self.q(h).view(batch, length, heads, head).transpose(1, 2), cos, sin)
        k = rotate(self.k(h).view(batch, length, kv_heads, head).transpose(1, 2), cos, sin)
        v = self.v(h).view(batch, length, kv_heads, head).transpose(1, 2)
        if past is not None:
            if past[0] is not None:
                k, v = (torch.cat((old.expand(batch, -1, -1, -1), new), 2) for old, new in zip(past, (k, v)))
            past[0], past[1] = k.detach(), v.detach()
        group = heads // kv_heads
        keys, values = k.repeat_interleave(group, 1), v.repeat_interleave(group, 1)
        if k.shape[2] == length:
            attended = F.scaled_dot_product_attention(q, keys, values, is_causal=True)
        else:
            mask = torch.ones(length, k.shape[2], dtype=torch.bool, device=x.device).tril(k.shape[2] - length)
            attended = F.scaled_dot_product_attention(q, keys, values, attn_mask=mask)
        x = x + self.o(attended.transpose(1, 2).reshape(batch, length, heads * head))
        h = F.rms_norm(x, (width,), self.norm2, NORM_EPSILON)
        return x + self.down(F.silu(self.gate(h)) * self.up(h))


def count_layers(names) -> int:
    """Of a trunk's tensors, by their names."""
    return 1 + max(int(name.split(".")[1]) for name in names if name.startswith("layers."))


class Trunk(nn.Module):
    """Token ids [T] or [B, T] -> hidden states [T, width] or [B, T, width]; `logits` puts them on the tied embedding."""

    def __init__(self, sizes: Sizes = SMOLLM2):
        super().__init__()
        self.sizes = sizes
        self.embedding = nn.Parameter(torch.empty(sizes.vocabulary, sizes.width), requires_grad=False)
        self.norm = nn.Parameter(torch.ones(sizes.width))
        self.layers = nn.ModuleList(Layer(sizes) for _ in range(sizes.layers))

    def fresh_past(self) -> list:
        return [[None, None] for _ in self.layers]

    def read(self, rows: torch.Tensor, past: list | None = None, start: int = 0) -> torch.Tensor:
        """Rows of the embedding's space [B, T, width] -> hidden states. `past`: a pair for each layer, which is written; all rows begin
        at position `start`, after what it holds."""
        head = self.sizes.head_width
        positions = torch.arange(start, start + rows.shape[1], dtype=torch.float32, device=rows.device)
        frequencies = ROPE_BASE ** (-torch.arange(0, head, 2, dtype=torch.float32, device=rows.device) / head)
        angles = positions[:, None] * frequencies[None]
        angles = torch.cat((angles, angles), dim=-1)
        cos, sin = angles.cos().to(rows.dtype), angles.sin().to(rows.dtype)
        for i, layer in enumerate(self.layers):
            rows = layer(rows, cos, sin, None if past is None else past[i])
        return F.rms_norm(rows, (self.sizes.width,), self.norm, NORM_EPSILON)

    def forward(self, ids: torch.Tensor, past: list | None = None, start: int = 0) -> torch.Tensor:
        """As `read`, of token ids."""
        return self.read(self.embedding[ids.reshape(-1, ids.shape[-1])], past, start).reshape(*ids.shape, self.sizes.width)

    def logits(self, hidden: torch.Tensor) -> torch.Tensor:
        return F.linear(hidden, self.embedding)

    @staticmethod
    def of(weights: dict[str, torch.Tensor]) -> "Trunk":
        """With as many layers as there are weights of; all other sizes are SmolLM2's."""
        trunk = Trunk(SMOLLM2._replace(layers=count_layers(weights)))
        for name, parameter in trunk.named_parameters():
            parameter.data.copy_(weights[name.replace(".weight", "")])
        return trunk

    @staticmethod
    def load(folder: str, file: str = "model.safetensors") -> "Trunk":
        return Trunk.of(load_file(os.path.join(folder, file)))

    def tensors(self) -> dict[str, torch.Tensor]:
        return {name.replace(".weight", ""): p.detach().clone().contiguous() for name, p in self.named_parameters()}


@torch.no_grad()
def generate(trunk: Trunk, ids: list[int], most: int, stop: set[int]) -> list[int]:
    past = trunk.fresh_past()
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
