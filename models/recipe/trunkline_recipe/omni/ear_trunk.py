"""The shipped trunk in torch: reads the 4-bit graph of models/smollm2-135m back into plain weights and reads soft tokens."""

import json
from pathlib import Path

import numpy as np
import onnx
import torch
import torch.nn.functional as F
from onnx import numpy_helper
from tokenizers import Tokenizer

from ..brain.network import HEAD_WIDTH, LAYERS, NORM_EPSILON, ROPE_BASE, VOCABULARY, WIDTH, Trunk
from ..brain.prompt import Prompt

BLOCK, HEAD_BLOCK = 32, 64
INTERMEDIATE = 1536


def embedding_table(folder):
    """Rows as the program reads them, float32 [49152, 576]."""
    raw = (Path(folder) / "embedding.bin").read_bytes()
    weights, blocks = VOCABULARY * WIDTH, VOCABULARY * WIDTH // HEAD_BLOCK
    codes = np.frombuffer(raw, np.uint8, weights).reshape(VOCABULARY, -1, HEAD_BLOCK).astype(np.float32)
    scales = np.frombuffer(raw, np.float32, blocks, weights).reshape(VOCABULARY, -1, 1)
    zeros = np.frombuffer(raw, np.uint8, blocks, weights + 4 * blocks).reshape(VOCABULARY, -1, 1)
    return ((codes - zeros) * scales).reshape(VOCABULARY, WIDTH)


def unpacked(packed, columns):
    """Two 4-bit codes per byte, the low one first."""
    both = np.stack([packed & 15, packed >> 4], axis=-1)
    return both.reshape(packed.shape[0], -1)[:, :columns].astype(np.float32)


def load_trunk(folder):
    """The weights that are shipped, as a frozen torch model."""
    graph = onnx.load(str(Path(folder) / "trunk.onnx")).graph
    constants = {t.name: numpy_helper.to_array(t).copy() for t in graph.initializer}

    def linear(name, rows, columns):
        codes = unpacked(constants[f"{name}.codes"].reshape(rows, -1), columns).reshape(rows, -1, BLOCK)
        zeros = unpacked(constants[f"{name}.zeros"].reshape(rows, -1), columns // BLOCK)[..., None]
        scales = constants[f"{name}.scales16"].astype(np.float32).reshape(rows, -1, 1)
        return torch.from_numpy(((codes - zeros) * scales).reshape(rows, columns))

    trunk = Trunk()
    trunk.embedding.data.copy_(torch.from_numpy(embedding_table(folder)))
    trunk.norm.data.copy_(torch.from_numpy(constants["norm"]))
    for i, layer in enumerate(trunk.layers):
        name = f"L{i}."
        layer.norm1.data.copy_(torch.from_numpy(constants[name + "norm1"]))
        layer.norm2.data.copy_(torch.from_numpy(constants[name + "norm2"]))
        q, k, v = linear(name + "qkv", WIDTH + 2 * 192, WIDTH).split((WIDTH, 192, 192))
        gate, up = linear(name + "gateup", 2 * INTERMEDIATE, WIDTH).split(INTERMEDIATE)
        for part, weight in (("q", q), ("k", k), ("v", v), ("gate", gate), ("up", up)):
            getattr(layer, part).weight.data.copy_(weight)
        layer.o.weight.data.copy_(linear(name + "o", WIDTH, WIDTH))
        layer.down.weight.data.copy_(linear(name + "down", WIDTH, INTERMEDIATE))
    trunk.requires_grad_(False)
    return trunk.eval()


def load_prompt(folder):
    return Prompt(Tokenizer.from_file(str(Path(folder) / "tokenizer.json")))


def read(trunk, rows, past=None, start=0):
    """Embedding rows [T, 576] after `past` -> hidden states [T, 576]."""
    positions = torch.arange(start, start + rows.shape[0], dtype=torch.float32)
    frequencies = ROPE_BASE ** (-torch.arange(0, HEAD_WIDTH, 2, dtype=torch.float32) / HEAD_WIDTH)
    angles = positions[:, None] * frequencies[None]
    angles = torch.cat((angles, angles), dim=-1)
    cos, sin = angles.cos().to(rows.dtype), angles.sin().to(rows.dtype)
    x = rows[None]
    for i, layer in enumerate(trunk.layers):
        x = layer(x, cos, sin, None if past is None else past[i])
    return F.rms_norm(x[0], (WIDTH,), trunk.norm, NORM_EPSILON)


def fresh_past(prefix=None):
    """A cache to append to; `prefix`: one that stays as it is."""
    return [[None, None] if prefix is None else list(prefix[i]) for i in range(LAYERS)]


@torch.no_grad()
def answer(trunk, rows, prefix, start, stop, most=60):
    """Greedy continuation of embedding rows after a cached prefix -> token ids, without the one that stopped it, and that."""
    past = fresh_past(prefix)
    hidden, position, said = read(trunk, rows, past, start)[-1], start + len(rows), []
    while len(said) < most:
        token = int(trunk.logits(hidden).argmax())
        if token in stop:
            return said, token
        said.append(token)
        hidden = read(trunk, trunk.embedding[token][None], past, position)[-1]
        position += 1
    return said, None
