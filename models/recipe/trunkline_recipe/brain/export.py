"""Writes the trunk as ONNX: MatMulNBits weights, GroupQueryAttention over a fed KV cache, logits of the last position.

Layers are 4-bit, the tied embedding 8-bit. Weights lie beside the graph as external data in files below 48 MB;
`embedding.bin` (codes, scales, zero points) is read twice: by the graph for the logits, by the program for the inputs.
"""

import argparse
import hashlib
import json
import os
import shutil

import numpy as np
import onnx
import torch
from onnx import TensorProto, helper
from safetensors.torch import load_file

from .network import HEAD_WIDTH, HEADS, INNER, KV_HEADS, LAYERS, NORM_EPSILON, ROPE_BASE, VOCABULARY, WIDTH, quantise

POSITIONS = 2048
DOMAIN = "com.microsoft"
SHARD_BYTES = 46_000_000


class Writer:
    """Initialisers, big ones as external data."""

    def __init__(self, folder: str):
        self.folder, self.tensors, self.nodes = folder, [], []
        self.shard, self.file = -1, None
        self.files: list[str] = []

    def open(self, name: str) -> None:
        if self.file is not None:
            self.file.close()
        self.files.append(name)
        self.file = open(os.path.join(self.folder, name), "wb")

    def constant(self, name: str, values: np.ndarray) -> str:
        kinds = {"uint8": TensorProto.UINT8, "float16": TensorProto.FLOAT16, "float32": TensorProto.FLOAT, "int64": TensorProto.INT64, "int32": TensorProto.INT32}
        if values.nbytes < 4096:
            self.tensors.append(helper.make_tensor(name, kinds[str(values.dtype)], values.shape, values.tobytes(), raw=True))
            return name
        # Aligned to 64 bytes, the vector width of the kernels.
        self.file.write(b"\0" * (-self.file.tell() % 64))
        offset = self.file.tell()
        if offset + values.nbytes > SHARD_BYTES:
            self.next_shard()
            offset = 0
        self.file.write(values.tobytes())
        tensor = TensorProto(name=name, data_type=kinds[str(values.dtype)], dims=values.shape, data_location=TensorProto.EXTERNAL)
        for key, value in (("location", self.files[-1]), ("offset", str(offset)), ("length", str(values.nbytes))):
            tensor.external_data.add(key=key, value=value)
        self.tensors.append(tensor)
        return name

    def next_shard(self) -> None:
        self.shard += 1
        self.open(f"layers.{self.shard:03d}.bin")

    def node(self, op: str, inputs: list[str], outputs: list[str], domain: str = DOMAIN, **attributes) -> str:
        self.nodes.append(helper.make_node(op, inputs, outputs, outputs[0], domain=domain, **attributes))
        return outputs[0]

    def linear(self, name: str, source: str, weight: torch.Tensor, block: int, bits: int) -> str:
        codes, scale, zero = quantise(weight, block, bits)
        rows, columns = weight.shape
        codes, zero = codes.to(torch.uint8).numpy(), zero.to(torch.uint8).numpy()
        if bits == 4:
            codes = codes[:, :, 0::2] | (codes[:, :, 1::2] << 4)
            if zero.shape[1] % 2:
                zero = np.pad(zero, ((0, 0), (0, 1)))
            zero = zero[:, 0::2] | (zero[:, 1::2] << 4)
        # Scales are stored in half precision; the cast is folded away when the graph is loaded.
        half = self.constant(name + ".scales16", scale.half().numpy())
        full = self.node("Cast", [half], [name + ".scales"], domain="", to=TensorProto.FLOAT)
        inputs = [source, self.constant(name + ".codes", codes), full, self.constant(name + ".zeros", zero)]
        return self.node("MatMulNBits", inputs, [name], K=columns, N=rows, bits=bits, block_size=block, accuracy_level=4)


def build(weights: dict[str, torch.Tensor], folder: str, block: int, head_block: int, head_bits: int) -> onnx.ModelProto:
    w = Writer(folder)
    # The embedding first and alone in its file: rows of codes, then scales, then zero points.
    w.open("embedding.bin")
    codes, scale, zero = quantise(weights["embedding"], head_block, head_bits)
    head = [w.constant("head.codes", codes.to(torch.uint8).numpy()), w.constant("head.scales", scale.float().numpy()), w.constant("head.zeros", zero.to(torch.uint8).numpy())]
    w.next_shard()
    angles = np.arange(POSITIONS)[:, None] * ROPE_BASE ** (-np.arange(0, HEAD_WIDTH, 2) / HEAD_WIDTH)[None]
    w.constant("cos", np.cos(angles).astype(np.float32))
    w.constant("sin", np.sin(angles).astype(np.float32))
    w.constant("axis", np.array([2], dtype=np.int64))
    w.node("Cast", ["total_length"], ["end"], domain="", to=TensorProto.INT64)
    w.node("Shape", ["inputs_embeds"], ["tokens"], domain="", start=1, end=2)
    w.node("Sub", ["end", "tokens"], ["first"], domain="")
    x, residual = "", "inputs_embeds"
    for i in range(LAYERS):
        p, n = f"layers.{i}.", f"L{i}."
        norm1 = w.constant(n + "norm1", weights[p + "norm1"].numpy())
        norm2 = w.constant(n + "norm2", weights[p + "norm2"].numpy())
        if x == "":
            h = w.node("SimplifiedLayerNormalization", [residual, norm1], [n + "h1"], domain="", epsilon=NORM_EPSILON, axis=-1)
        else:
            h = n + "h1"
            w.node("SkipSimplifiedLayerNormalization", [x, residual, norm1], [h, "", "", n + "r1"], epsilon=NORM_EPSILON)
            residual = n + "r1"
        qkv = w.linear(n + "qkv", h, torch.cat([weights[p + "q"], weights[p + "k"], weights[p + "v"]]), block, 4)
        w.node("GroupQueryAttention", [qkv, "", "", f"past.{i}.key", f"past.{i}.value", "last_position", "total_length", "cos", "sin"], [n + "a", n + "keys", n + "values"], num_heads=HEADS, kv_num_heads=KV_HEADS, do_rotary=1, rotary_interleaved=0)
        # Only the new rows leave the graph: the program writes them into its cache, so that no step copies all of it out.
        w.node("Slice", [n + "keys", "first", "end", "axis"], [f"new.{i}.key"], domain="")
        w.node("Slice", [n + "values", "first", "end", "axis"], [f"new.{i}.value"], domain="")
        o = w.linear(n + "o", n + "a", weights[p + "o"], block, 4)
        w.node("SkipSimplifiedLayerNormalization", [o, residual, norm2], [n + "h2", "", "", n + "r2"], epsilon=NORM_EPSILON)
        residual = n + "r2"
        both = w.linear(n + "gateup", n + "h2", torch.cat([weights[p + "gate"], weights[p + "up"]]), block, 4)
        w.node("Split", [both], [n + "gate", n + "up"], domain="", axis=-1, num_outputs=2)
        w.node("QuickGelu", [n + "gate"], [n + "silu"], alpha=1.0)
        w.node("Mul", [n + "silu", n + "up"], [n + "m"], domain="")
        x = w.linear(n + "down", n + "m", weights[p + "down"], block, 4)
    w.constant("minus_one", np.array([-1], dtype=np.int64))
    w.node("Gather", [x, "minus_one"], ["x_last"], domain="", axis=1)
    w.node("Gather", [residual, "minus_one"], ["r_last"], domain="", axis=1)
    w.node("SkipSimplifiedLayerNormalization", ["x_last", "r_last", w.constant("norm", weights["norm"].numpy())], ["hidden"], epsilon=NORM_EPSILON)
    w.node("MatMulNBits", ["hidden", *head], ["logits"], K=WIDTH, N=VOCABULARY, bits=head_bits, block_size=head_block, accuracy_level=4)
    w.file.close()
    f, i32 = TensorProto.FLOAT, TensorProto.INT32
    cache = [1, KV_HEADS, "capacity", HEAD_WIDTH]
    inputs = [helper.make_tensor_value_info("inputs_embeds", f, [1, "tokens", WIDTH]), helper.make_tensor_value_info("last_position", i32, [1]), helper.make_tensor_value_info("total_length", i32, [1])]
    outputs = [helper.make_tensor_value_info("logits", f, [1, 1, VOCABULARY]), helper.make_tensor_value_info("hidden", f, [1, 1, WIDTH])]
    for i in range(LAYERS):
        for part in ("key", "value"):
            inputs.append(helper.make_tensor_value_info(f"past.{i}.{part}", f, cache))
            outputs.append(helper.make_tensor_value_info(f"new.{i}.{part}", f, [1, KV_HEADS, "tokens", HEAD_WIDTH]))
    graph = helper.make_graph(w.nodes, "smollm2-135m-trunk", inputs, outputs, w.tensors)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 21), helper.make_opsetid(DOMAIN, 1)], ir_version=10)


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("weights", help="safetensors of the tuned trunk")
    arguments.add_argument("out")
    arguments.add_argument("--block", type=int, default=32)
    arguments.add_argument("--head-block", type=int, default=64)
    arguments.add_argument("--head-bits", type=int, default=8)
    arguments.add_argument("--embedding", help="embedding.bin to keep as it is: put on its grid again, a few codes would round otherwise")
    arguments.add_argument("--tokenizer", help="folder with tokenizer.json to copy")
    options = arguments.parse_args()
    os.makedirs(options.out, exist_ok=True)
    model = build(load_file(options.weights), options.out, options.block, options.head_block, options.head_bits)
    onnx.save(model, os.path.join(options.out, "trunk.onnx"))
    if options.embedding:
        shutil.copy(options.embedding, os.path.join(options.out, "embedding.bin"))
    if options.tokenizer:
        shutil.copy(os.path.join(options.tokenizer, "tokenizer.json"), options.out)
    files = []
    for name in sorted(os.listdir(options.out)):
        if name == "manifest.json":
            continue
        data = open(os.path.join(options.out, name), "rb").read()
        files.append({"path": name, "bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()})
    print(json.dumps(files, indent=2), sum(f["bytes"] for f in files) / 1e6)


if __name__ == "__main__":
    main()
