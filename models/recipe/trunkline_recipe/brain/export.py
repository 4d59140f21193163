"""Writes the trunk as ONNX: MatMulNBits weights, attention over KV caches that are fed, logits of each row's last position.

A run reads rows: one sequence with many tokens, or many sequences with a token each. Caches lie side by side as seats of one
buffer, and a run is given a stretch of it; a seat of the stretch whose sequence has nothing to read shares another's row, and what
comes of it is left aside. Where attention may not look (room that no position uses, later tokens) the mask says so.

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

from .network import HEAD_WIDTH, HEADS, INNER, KV_HEADS, NORM_EPSILON, ROPE_BASE, VOCABULARY, WIDTH, count_layers, quantise

POSITIONS = 2048
DOMAIN = "com.microsoft"
SHARD_BYTES = 46_000_000


class Writer:
    """Nodes and initialisers of `weights`, big ones as external data."""

    def __init__(self, folder: str, weights: dict[str, torch.Tensor], block: int, head_block: int, head_bits: int):
        self.folder, self.weights, self.tensors, self.nodes = folder, weights, [], []
        self.block, self.head_block, self.head_bits = block, head_block, head_bits
        self.layers = count_layers(weights) if weights else 0
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

    def vector(self, name: str, key: str) -> str:
        return self.constant(name, self.weights[key].numpy())

    def linear(self, name: str, source: str, keys: list[str], columns: int, rows: int) -> str:
        """`source` [.., columns] times the weights of `keys`, one below the other [rows, columns]."""
        self.codes(name, keys, columns, rows)
        # Scales are stored in half precision; the cast is folded away when the graph is loaded.
        full = self.node("Cast", [name + ".scales16"], [name + ".scales"], domain="", to=TensorProto.FLOAT)
        return self.node("MatMulNBits", [source, name + ".codes", full, name + ".zeros"], [name], K=columns, N=rows, bits=4, block_size=self.block, accuracy_level=4)

    def codes(self, name: str, keys: list[str], columns: int, rows: int) -> None:
        weight = torch.cat([self.weights[key] for key in keys])
        assert weight.shape == (rows, columns), (name, weight.shape)
        codes, scale, zero = (values.numpy() for values in quantise(weight, self.block, 4))
        codes, zero = codes.astype(np.uint8), zero.astype(np.uint8)
        if zero.shape[1] % 2:
            zero = np.pad(zero, ((0, 0), (0, 1)))
        self.constant(name + ".scales16", scale.astype(np.float16))
        self.constant(name + ".codes", codes[:, :, 0::2] | (codes[:, :, 1::2] << 4))
        self.constant(name + ".zeros", zero[:, 0::2] | (zero[:, 1::2] << 4))

    def embedding(self) -> None:
        """First and alone in its file: rows of codes, then scales, then zero points."""
        self.open("embedding.bin")
        codes, scale, zero = quantise(self.weights["embedding"], self.head_block, self.head_bits)
        self.constant("head.codes", codes.to(torch.uint8).numpy())
        self.constant("head.scales", scale.float().numpy())
        self.constant("head.zeros", zero.to(torch.uint8).numpy())
        self.next_shard()

    def close(self) -> None:
        self.file.close()


def attention(w: Writer, i: int, qkv: str) -> str:
    """Projections [rows, tokens, 15 * 64] -> attended [rows, tokens, 576]. The graph hands out its new keys and values."""
    n = f"L{i}."
    new, past = (lambda part: f"new.{i}.{part}"), (lambda part: f"past.{i}.{part}")
    seated = w.node("Gather", [qkv, "seat_rows"], [n + "seated"], domain="", axis=0)
    by_token = w.node("Reshape", [seated, "by_token"], [n + "by_token"], domain="")
    by_head = w.node("Transpose", [by_token], [n + "by_head"], domain="", perm=[0, 2, 1, 3])
    w.node("Split", [by_head, "q_k_v"], [n + "q", n + "k", n + "v"], domain="", axis=1)
    w.node("RotaryEmbedding", [n + "q", "positions", "cos_scaled", "sin_scaled"], [n + "q_turned"])
    w.node("RotaryEmbedding", [n + "k", "positions", "cos", "sin"], [n + "k_turned"])
    q = w.node("Reshape", [n + "q_turned", "by_group"], [n + "q_by_group"], domain="")
    w.node("Reshape", [n + "k_turned", "one_per_group"], [new("key")], domain="")
    w.node("Reshape", [n + "v", "one_per_group"], [new("value")], domain="")
    # What was read before and what is read now stay apart: joining them would copy the whole cache at every step.
    before = w.node("FusedMatMul", [q, past("key")], [n + "scores_past"], transB=1)
    now = w.node("FusedMatMul", [q, new("key")], [n + "scores_new"], transB=1)
    scores = w.node("Concat", [before, now], [n + "scores"], domain="", axis=-1)
    masked = w.node("Add", [scores, "mask"], [n + "masked"], domain="")
    shares = w.node("Softmax", [masked], [n + "shares"], domain="", axis=-1)
    w.node("Split", [shares, "past_new"], [n + "shares_past", n + "shares_new"], domain="", axis=-1)
    before = w.node("MatMul", [n + "shares_past", past("value")], [n + "seen_past"], domain="")
    now = w.node("MatMul", [n + "shares_new", new("value")], [n + "seen_new"], domain="")
    seen = w.node("Add", [before, now], [n + "seen"], domain="")
    by_token = w.node("Transpose", [seen], [n + "seen_by_token"], domain="", perm=[0, 3, 1, 2, 4])
    flat = w.node("Reshape", [by_token, "flat"], [n + "flat"], domain="")
    return w.node("Gather", [flat, "row_seats"], [n + "a"], domain="", axis=0)


def shared_by_layers(w: Writer) -> None:
    angles = np.arange(POSITIONS)[:, None] * ROPE_BASE ** (-np.arange(0, HEAD_WIDTH, 2) / HEAD_WIDTH)[None]
    w.constant("cos", np.cos(angles).astype(np.float32))
    w.constant("sin", np.sin(angles).astype(np.float32))
    # Queries are scaled as they are turned: the kernel for one row of scores knows no factor.
    w.constant("scale", np.array(HEAD_WIDTH**-0.5, dtype=np.float32))
    w.node("Mul", ["cos", "scale"], ["cos_scaled"], domain="")
    w.node("Mul", ["sin", "scale"], ["sin_scaled"], domain="")
    shapes = {
        "q_k_v": [HEADS, KV_HEADS, KV_HEADS],
        "by_token": [0, 0, HEADS + 2 * KV_HEADS, HEAD_WIDTH],
        "by_group": [0, KV_HEADS, HEADS // KV_HEADS, -1, HEAD_WIDTH],
        "one_per_group": [0, KV_HEADS, 1, -1, HEAD_WIDTH],
        "flat": [0, 0, WIDTH],
        "minus_one": [-1],
    }
    for name, shape in shapes.items():
        w.constant(name, np.array(shape, dtype=np.int64))
    w.node("Shape", ["past.0.key"], ["room"], domain="", start=3, end=4)
    w.node("Shape", ["inputs_embeds"], ["tokens"], domain="", start=1, end=2)
    w.node("Concat", ["room", "tokens"], ["past_new"], domain="", axis=0)


def build(w: Writer) -> onnx.ModelProto:
    w.embedding()
    shared_by_layers(w)
    x, residual = "", "inputs_embeds"
    for i in range(w.layers):
        p, n = f"layers.{i}.", f"L{i}."
        norm1, norm2 = w.vector(n + "norm1", p + "norm1"), w.vector(n + "norm2", p + "norm2")
        if x == "":
            h = w.node("SimplifiedLayerNormalization", [residual, norm1], [n + "h1"], domain="", epsilon=NORM_EPSILON, axis=-1)
        else:
            h = n + "h1"
            w.node("SkipSimplifiedLayerNormalization", [x, residual, norm1], [h, "", "", n + "r1"], epsilon=NORM_EPSILON)
            residual = n + "r1"
        qkv = w.linear(n + "qkv", h, [p + "q", p + "k", p + "v"], WIDTH, (HEADS + 2 * KV_HEADS) * HEAD_WIDTH)
        o = w.linear(n + "o", attention(w, i, qkv), [p + "o"], WIDTH, WIDTH)
        w.node("SkipSimplifiedLayerNormalization", [o, residual, norm2], [n + "h2", "", "", n + "r2"], epsilon=NORM_EPSILON)
        residual = n + "r2"
        both = w.linear(n + "gateup", n + "h2", [p + "gate", p + "up"], WIDTH, 2 * INNER)
        w.node("Split", [both], [n + "gate", n + "up"], domain="", axis=-1, num_outputs=2)
        w.node("QuickGelu", [n + "gate"], [n + "silu"], alpha=1.0)
        w.node("Mul", [n + "silu", n + "up"], [n + "m"], domain="")
        x = w.linear(n + "down", n + "m", [p + "down"], INNER, WIDTH)
    w.node("Gather", [x, "minus_one"], ["x_last"], domain="", axis=1)
    w.node("Gather", [residual, "minus_one"], ["r_last"], domain="", axis=1)
    w.node("SkipSimplifiedLayerNormalization", ["x_last", "r_last", w.vector("norm", "norm")], ["hidden"], epsilon=NORM_EPSILON)
    w.node("MatMulNBits", ["hidden", "head.codes", "head.scales", "head.zeros"], ["logits"], K=WIDTH, N=VOCABULARY, bits=w.head_bits, block_size=w.head_block, accuracy_level=4)
    w.close()
    f, i64 = TensorProto.FLOAT, TensorProto.INT64
    value = helper.make_tensor_value_info
    inputs = [
        value("inputs_embeds", f, ["rows", "tokens", WIDTH]),
        # The row of each seat, and the seat of each row; of each seat, where its tokens stand and what they may see.
        value("seat_rows", i64, ["seats"]),
        value("row_seats", i64, ["rows"]),
        value("positions", i64, ["seats", "tokens"]),
        value("mask", f, ["seats", 1, 1, "tokens", "room + tokens"]),
    ]
    outputs = [value("logits", f, ["rows", 1, VOCABULARY]), value("hidden", f, ["rows", 1, WIDTH])]
    for i in range(w.layers):
        for part in ("key", "value"):
            inputs.append(value(f"past.{i}.{part}", f, ["seats", KV_HEADS, 1, "room", HEAD_WIDTH]))
            outputs.append(value(f"new.{i}.{part}", f, ["seats", KV_HEADS, 1, "tokens", HEAD_WIDTH]))
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
    model = build(Writer(options.out, load_file(options.weights), options.block, options.head_block, options.head_bits))
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
