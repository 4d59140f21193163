"""Reads the shipped, tuned model back into torch, to go on from it: python -m trunkline_recipe.ear.recover MODEL WORK

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

from .network import LAYERS, WIDTH, Decoder, Encoder, sinusoids

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


def read_encoder(folder):
    """state_dict of network.Encoder."""
    graph = onnx.load(str(folder / "encoder.onnx")).graph
    constants = {t.name: numpy_helper.to_array(t) for t in graph.initializer}
    # Weights that are stored short and widened when the model is loaded: half precision, or 8 bits with a scale per row or column.
    for node in graph.node:
        if node.op_type == "Cast" and node.input[0] in constants:
            constants[node.output[0]] = constants[node.input[0]].astype(np.float32)
        if node.op_type == "DequantizeLinear":
            codes, scale = (constants[name].astype(np.float32) for name in node.input[:2])
            axis = next(a.i for a in node.attribute if a.name == "axis")
            constants[node.output[0]] = codes * scale.reshape([-1 if i == axis else 1 for i in range(codes.ndim)])
    tensor = lambda name: torch.from_numpy(np.array(constants[name], np.float32))  # noqa: E731
    state = {"positions": sinusoids(1500, WIDTH)}
    convolutions = [node for node in graph.node if node.op_type == "Conv"]
    for name, node in zip(("conv1", "conv2"), convolutions):
        state[f"{name}.weight"], state[f"{name}.bias"] = tensor(node.input[1]), tensor(node.input[2])
    linears, added = [], {node.input[0]: node for node in graph.node if node.op_type == "Add"}
    for node in graph.node:
        if node.op_type == "DynamicQuantizeMatMul":
            weight = constants[node.input[1]].astype(np.float32) * constants[node.input[2]]
            linears.append((torch.from_numpy(weight.T.copy()), tensor(node.input[4])))
        elif node.op_type == "MatMul" and node.input[1] in constants:
            linears.append((tensor(node.input[1]).T.contiguous(), tensor(added[node.output[0]].input[1])))
    norms = [(tensor(node.input[1]), tensor(node.input[2])) for node in graph.node if node.op_type == "LayerNormalization"]
    for i in range(LAYERS):
        for part, (weight, bias) in zip(("attention.qkv", "attention.out", "ffn.up", "ffn.down"), linears[4 * i :]):
            state[f"layers.{i}.{part}.weight"], state[f"layers.{i}.{part}.bias"] = weight, bias
        for part, (weight, bias) in zip(("attention", "ffn"), norms[2 * i :]):
            state[f"layers.{i}.{part}.norm.weight"], state[f"layers.{i}.{part}.norm.bias"] = weight, bias
    state["norm.weight"], state["norm.bias"] = norms[-1]
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
    encoder = read_encoder(arguments.model)
    Encoder().load_state_dict(encoder)
    torch.save({"decoder": state, "encoder": encoder, "step": 0}, arguments.work / "tuned.pt")
    print(len(names), "tokens", sum(v.numel() for part in (state, encoder) for v in part.values()), "weights")


if __name__ == "__main__":
    main()
