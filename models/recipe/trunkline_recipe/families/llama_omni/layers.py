"""Llama's layers (Touvron et al., 2023) as a graph with a cache, for the trunk and for the speech decoder on it."""

import numpy as np
import torch
from onnx import TensorProto

from ..weights import CONTRIB, FLOAT, WeightGraph

INT32, INT64 = TensorProto.INT32, TensorProto.INT64


def inverse_frequencies(head: int, base: float, scaling: dict | None = None) -> torch.Tensor:
    """[head / 2], float32. `scaling`: config.json's rope_scaling of kind llama3, which stretches slow rotations."""
    rates = 1.0 / base ** (torch.arange(0, head, 2, dtype=torch.float32) / head)
    if not scaling:
        return rates
    kind = scaling.get("rope_type", scaling.get("type"))
    if kind != "llama3":
        raise SystemExit(f"Rotary positions of kind {kind} are not known; Llama 3.1 has llama3.")
    factor, low, high, old = (scaling[k] for k in ("factor", "low_freq_factor", "high_freq_factor", "original_max_position_embeddings"))
    lengths = 2 * torch.pi / rates
    smooth = ((old / lengths - low) / (high - low)).clamp(0, 1)
    return (1 - smooth) * rates / factor + smooth * rates


def layer_names(prefix: str, i: int) -> dict[str, str]:
    p = f"{prefix}layers.{i}."
    names = {k: f"{p}self_attn.{k}_proj.weight" for k in ("q", "k", "v", "o")}
    names |= {k: f"{p}mlp.{k}_proj.weight" for k in ("gate", "up", "down")}
    return names | {"norm1": f"{p}input_layernorm.weight", "norm2": f"{p}post_attention_layernorm.weight"}


def write_layers(g: WeightGraph, x: str, state: dict[str, torch.Tensor], prefix: str, *, layers: int, heads: int, groups: int, head: int, epsilon: float, rates: torch.Tensor, positions: int) -> str:
    """x [1, n, width] -> [1, n, width], before any last norm. Adds the inputs last_position, total_length, past.i.key|value and
    the outputs present.i.key|value [1, groups, capacity, head]: given the same memory, the cache is extended in place."""
    last = g.input("last_position", INT32, [1])
    total = g.input("total_length", INT32, [1])
    angles = np.arange(positions)[:, None] * rates.numpy()[None]
    cos, sin = g.constant(np.cos(angles).astype(np.float32)), g.constant(np.sin(angles).astype(np.float32))
    cache = [1, groups, "capacity", head]
    for i in range(layers):
        w = {name: state[key] for name, key in layer_names(prefix, i).items()}
        y = g.rms_norm(x, w["norm1"], epsilon)
        packed = g.matrix(y, torch.cat([w["q"], w["k"], w["v"]]))
        past = [g.input(f"past.{i}.{part}", FLOAT, cache) for part in ("key", "value")]
        attended, *present = g.op("GroupQueryAttention", packed, "", "", *past, last, total, cos, sin, outputs=3, domain=CONTRIB, num_heads=heads, kv_num_heads=groups, do_rotary=1, rotary_interleaved=0)
        for part, value in zip(("key", "value"), present, strict=True):
            g.rename(value, f"present.{i}.{part}", FLOAT, cache)
        x = g.op("Add", x, g.matrix(attended, w["o"]))
        x = g.op("Add", x, g.swiglu(g.rms_norm(x, w["norm2"], epsilon), w["gate"], w["up"], w["down"]))
    return x


def build_speech_decoder(bits: int, state: dict[str, torch.Tensor], *, layers: int, heads: int, head: int, epsilon: float, rates: torch.Tensor, positions: int, prefix: str = "") -> WeightGraph:
    """rows [1, n, inputs] (upsampled states) -> symbols int64 [1, n]: the likeliest unit, or the blank behind them."""
    g = WeightGraph("speech-decoder", bits)
    weight = state[prefix + "input_proj.weight"]
    rows = g.input("rows", FLOAT, [1, "n", weight.shape[1]])
    x = g.matrix(rows, weight, state[prefix + "input_proj.bias"])
    x = write_layers(g, x, state, prefix, layers=layers, heads=heads, groups=heads, head=head, epsilon=epsilon, rates=rates, positions=positions)
    x = g.matrix(x, state[prefix + "output_proj.weight"], state[prefix + "output_proj.bias"])
    g.output(g.op("ArgMax", x, axis=2, keepdims=0), "symbols", INT64, [1, "n"])
    return g
