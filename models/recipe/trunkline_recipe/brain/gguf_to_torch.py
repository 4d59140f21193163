"""Reads SmolLM2-135M-Instruct from its GGUF file (Q4_1) into plain torch tensors and saves them with the tokenizer."""

import argparse
import os

import gguf
import numpy as np
import torch
from safetensors.torch import save_file

LAYERS, WIDTH, HEADS, KV_HEADS, HEAD_WIDTH = 30, 576, 9, 3, 64


def unpermute(weight: torch.Tensor, heads: int) -> torch.Tensor:
    """llama.cpp stores query and key rows with the two halves of each head interleaved; undo it."""
    rows, columns = weight.shape
    return weight.reshape(heads, rows // heads // 2, 2, columns).swapaxes(1, 2).reshape(rows, columns)


def read_weights(path: str) -> dict[str, torch.Tensor]:
    raw = {}
    for tensor in gguf.GGUFReader(path).tensors:
        values = gguf.quants.dequantize(tensor.data, tensor.tensor_type).astype(np.float32)
        raw[tensor.name] = torch.from_numpy(values)
    weights = {"embedding": raw["token_embd.weight"], "norm": raw["output_norm.weight"]}
    for i in range(LAYERS):
        source, target = f"blk.{i}.", f"layers.{i}."
        weights[target + "norm1"] = raw[source + "attn_norm.weight"]
        weights[target + "norm2"] = raw[source + "ffn_norm.weight"]
        weights[target + "q"] = unpermute(raw[source + "attn_q.weight"], HEADS)
        weights[target + "k"] = unpermute(raw[source + "attn_k.weight"], KV_HEADS)
        weights[target + "v"] = raw[source + "attn_v.weight"]
        weights[target + "o"] = raw[source + "attn_output.weight"]
        weights[target + "gate"] = raw[source + "ffn_gate.weight"]
        weights[target + "up"] = raw[source + "ffn_up.weight"]
        weights[target + "down"] = raw[source + "ffn_down.weight"]
    return {name: value.contiguous().clone() for name, value in weights.items()}


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("gguf")
    arguments.add_argument("out")
    options = arguments.parse_args()
    os.makedirs(options.out, exist_ok=True)
    save_file(read_weights(options.gguf), os.path.join(options.out, "model.safetensors"))
    from transformers import AutoTokenizer

    folder, name = os.path.split(options.gguf)
    AutoTokenizer.from_pretrained(folder, gguf_file=name).save_pretrained(options.out)


if __name__ == "__main__":
    main()
