"""Reads the shipped, tuned decoder back into torch, to go on from it: python -m trunkline_recipe.ear.recover MODEL WORK

Writes WORK/kept-ids.txt and WORK/tuned.pt (step 0). Weights come back as their 8 bits hold them; what those rounded away
is gone, and is what tuning makes good first. WORK/whisper-base.pt and WORK/tokenizer.json come from convert.py.
"""

import argparse
from pathlib import Path

import numpy as np
import onnx
import torch
from onnx import numpy_helper
from tokenizers import Tokenizer

from .network import LAYERS, Decoder

PARTS = ("attention.qkv", "attention.out", "cross.query", "cross.out", "ffn.up", "ffn.down")


def products(graph, constants):
    """(weight as torch keeps it [out, in], bias) of every 8-bit product, in the graph's order."""
    found = []
    for node in graph.node:
        if node.op_type == "DynamicQuantizeMatMul":
            weight = constants[node.input[1]].astype(np.float32) * constants[node.input[2]]
            bias = constants[node.input[4]] if len(node.input) > 4 else None
            found.append((torch.from_numpy(weight.T.copy()), None if bias is None else torch.from_numpy(bias.copy())))
    return found


def read_decoder(folder):
    """state_dict of network.Decoder."""
    graph = onnx.load(str(folder / "decoder.onnx")).graph
    constants = {t.name: numpy_helper.to_array(t) for t in graph.initializer}
    *linears, (embedding, _) = products(graph, constants)
    norms = [tuple(torch.from_numpy(constants[n].copy()) for n in node.input[1:3]) for node in graph.node if node.op_type == "LayerNormalization"]
    state = {"embedding.weight": embedding, "norm.weight": norms[-1][0], "norm.bias": norms[-1][1]}
    for i in range(LAYERS):
        for part, (weight, bias) in zip(PARTS, linears[len(PARTS) * i :]):
            state[f"layers.{i}.{part}.weight"], state[f"layers.{i}.{part}.bias"] = weight, bias
        for part, (weight, bias) in zip(("attention", "cross", "ffn"), norms[3 * i :]):
            state[f"layers.{i}.{part}.norm.weight"], state[f"layers.{i}.{part}.norm.bias"] = weight, bias
    halves = [c for c in constants.values() if c.dtype == np.float16 and c.shape == (448, 512)]
    state["positions"] = torch.from_numpy(halves[0].astype(np.float32))
    encoder = onnx.load(str(folder / "encoder.onnx")).graph
    constants = {t.name: numpy_helper.to_array(t) for t in encoder.initializer}
    for i, (weight, bias) in enumerate(products(encoder, constants)[-LAYERS:]):
        state[f"layers.{i}.cross.kv.weight"], state[f"layers.{i}.cross.kv.bias"] = weight, bias
    return state


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model", type=Path)
    parser.add_argument("work", type=Path)
    arguments = parser.parse_args()
    tokenizer = Tokenizer.from_file(str(arguments.work / "tokenizer.json"))
    old_id = tokenizer.get_vocab()
    names = (arguments.model / "tokens.txt").read_text().split("\n")
    missing = [name for name in names if name not in old_id]
    if missing:
        raise SystemExit(f"tokens without an id: {missing[:5]}")
    (arguments.work / "kept-ids.txt").write_text("\n".join(str(old_id[name]) for name in names))
    state = read_decoder(arguments.model)
    Decoder(len(names)).load_state_dict(state)
    torch.save({"decoder": state, "step": 0}, arguments.work / "tuned.pt")
    print(len(names), "tokens", sum(v.numel() for v in state.values()), "weights")


if __name__ == "__main__":
    main()
