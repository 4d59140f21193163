"""Whisper's encoder (Radford et al. 2022) in torch and as a graph, from the checkpoints that OpenAI publishes (`small.pt`)."""

import math
import pathlib

import torch
import torch.nn.functional as F

from .weights import WeightGraph


def load_encoder(path: pathlib.Path) -> tuple[dict[str, int], dict[str, torch.Tensor]]:
    """Its dimensions (n_mels, n_audio_ctx, n_audio_state, n_audio_head, n_audio_layer) and the encoder's weights."""
    checkpoint = torch.load(path, map_location="cpu", weights_only=True)
    state = {key.removeprefix("encoder."): value.float() for key, value in checkpoint["model_state_dict"].items() if key.startswith("encoder.")}
    return dict(checkpoint["dims"]), state


def encode(dims: dict[str, int], state: dict[str, torch.Tensor], mel: torch.Tensor) -> torch.Tensor:
    """mel [1, bands, 2 · frames] → [1, frames, width]."""
    heads = dims["n_audio_head"]
    x = F.gelu(F.conv1d(mel, state["conv1.weight"], state["conv1.bias"], padding=1))
    x = F.gelu(F.conv1d(x, state["conv2.weight"], state["conv2.bias"], stride=2, padding=1)).transpose(1, 2)
    x = x + state["positional_embedding"][: x.shape[1]]
    for layer in range(dims["n_audio_layer"]):
        p = f"blocks.{layer}."
        y = F.layer_norm(x, x.shape[-1:], state[p + "attn_ln.weight"], state[p + "attn_ln.bias"])
        q = F.linear(y, state[p + "attn.query.weight"], state[p + "attn.query.bias"])
        k = F.linear(y, state[p + "attn.key.weight"])
        v = F.linear(y, state[p + "attn.value.weight"], state[p + "attn.value.bias"])
        batch, length, width = q.shape
        q, k, v = (t.view(batch, length, heads, width // heads).transpose(1, 2) for t in (q, k, v))
        scores = (q @ k.transpose(-1, -2)) / math.sqrt(width // heads)
        y = (scores.softmax(-1) @ v).transpose(1, 2).reshape(batch, length, width)
        x = x + F.linear(y, state[p + "attn.out.weight"], state[p + "attn.out.bias"])
        y = F.layer_norm(x, x.shape[-1:], state[p + "mlp_ln.weight"], state[p + "mlp_ln.bias"])
        y = F.gelu(F.linear(y, state[p + "mlp.0.weight"], state[p + "mlp.0.bias"]))
        x = x + F.linear(y, state[p + "mlp.2.weight"], state[p + "mlp.2.bias"])
    return F.layer_norm(x, x.shape[-1:], state["ln_post.weight"], state["ln_post.bias"])


def write_encoder(g: WeightGraph, mel: str, dims: dict[str, int], state: dict[str, torch.Tensor]) -> str:
    """The same as a graph; returns the name of [1, frames, width]."""

    def array(name):
        return g.constant(state[name].numpy())

    def norm(x, name):
        return g.norm(x, state[name + ".weight"].numpy(), state[name + ".bias"].numpy())

    def gelu(x):
        return g.gelu(x)

    x = gelu(g.op("Conv", mel, array("conv1.weight"), array("conv1.bias"), kernel_shape=[3], pads=[1, 1]))
    x = gelu(g.op("Conv", x, array("conv2.weight"), array("conv2.bias"), kernel_shape=[3], pads=[1, 1], strides=[2]))
    x = g.op("Add", g.op("Transpose", x, perm=[0, 2, 1]), array("positional_embedding"))
    for layer in range(dims["n_audio_layer"]):
        p = f"blocks.{layer}."
        y = norm(x, p + "attn_ln")
        q = g.matrix(y, state[p + "attn.query.weight"], state[p + "attn.query.bias"])
        k = g.matrix(y, state[p + "attn.key.weight"])
        v = g.matrix(y, state[p + "attn.value.weight"], state[p + "attn.value.bias"])
        y = g.attention(q, k, v, dims["n_audio_head"])
        x = g.op("Add", x, g.matrix(y, state[p + "attn.out.weight"], state[p + "attn.out.bias"]))
        y = gelu(g.matrix(norm(x, p + "mlp_ln"), state[p + "mlp.0.weight"], state[p + "mlp.0.bias"]))
        x = g.op("Add", x, g.matrix(y, state[p + "mlp.2.weight"], state[p + "mlp.2.bias"]))
    return norm(x, "ln_post")
