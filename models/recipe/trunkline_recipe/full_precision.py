"""A copy of models/ that computes in fp32 what the shipped graphs compute in 4 and 8 bits, so that answers can be compared.

    python -m trunkline_recipe.full_precision MODELS OUT [--trunk model.safetensors]

Without `--trunk` every weight keeps the value that its code stands for, so what differs is the arithmetic alone: activations
are no longer rounded. With it the trunk's layers are those floats, as they were before they were put on their grid.
The copy is for benchmarks (`TRUNKLINE_ENGINE_MODELS=OUT trunkline bench heldout`): it is several times as large and as slow.
"""

import argparse
import hashlib
import json
import os
import shutil
from pathlib import Path

import numpy as np
import onnx
from onnx import helper, numpy_helper

from .brain.import_onnx import dequantise

FULL, BITS, COLUMNS = "full", "MatMulNBits", "DynamicQuantizeMatMul"


def of_columns(codes: np.ndarray, scale: np.ndarray) -> np.ndarray:
    """[inputs, outputs] of DynamicQuantizeMatMul: symmetric codes, one scale a column."""
    return codes.astype(np.float32) * scale.astype(np.float32)


def of_blocks(codes: np.ndarray, scales: np.ndarray, zeros: np.ndarray, bits: int) -> np.ndarray:
    """[inputs, outputs] of MatMulNBits, whose weights are [outputs, blocks, packed inputs of a block]."""
    return np.ascontiguousarray(dequantise(codes, scales, zeros, bits).numpy().T)


class Floats:
    """One graph with plain products where there were quantised ones."""

    def __init__(self, model: onnx.ModelProto, weights: dict[str, np.ndarray]):
        self.graph, self.weights = model.graph, weights
        self.values = {tensor.name: tensor for tensor in model.graph.initializer}
        self.made = {output: node for node in model.graph.node for output in node.output}
        self.rewritten = 0

    def value(self, name: str) -> np.ndarray:
        """An initialiser, or one that a cast made: scales are stored in half precision."""
        if name in self.values:
            return numpy_helper.to_array(self.values[name])
        node = self.made[name]
        if node.op_type != "Cast":
            raise ValueError(f"{name} is no constant")
        return self.value(node.input[0])

    def rewrite(self) -> int:
        nodes = []
        for node in self.graph.node:
            weight = self.product(node)
            if weight is None:
                nodes.append(node)
                continue
            self.rewritten += 1
            name = f"{node.output[0]}.{FULL}"
            self.graph.initializer.append(numpy_helper.from_array(weight, name))
            bias = node.input[4] if node.op_type == COLUMNS and len(node.input) > 4 else ""
            product = f"{node.output[0]}.product" if bias else node.output[0]
            nodes.append(helper.make_node("MatMul", [node.input[0], name], [product]))
            if bias:
                nodes.append(helper.make_node("Add", [product, bias], [node.output[0]]))
        del self.graph.node[:]
        self.graph.node.extend(nodes)
        self.drop_unused()
        return self.rewritten

    def product(self, node: onnx.NodeProto) -> np.ndarray | None:
        if node.op_type == COLUMNS:
            if len(node.input) > 3 and node.input[3]:
                raise ValueError(f"{node.output[0]}: weights with zero points")
            return of_columns(self.value(node.input[1]), self.value(node.input[2]))
        if node.op_type != BITS:
            return None
        if node.output[0] in self.weights:
            return np.ascontiguousarray(self.weights[node.output[0]].T)
        size = {a.name: a.i for a in node.attribute}
        return of_blocks(*(self.value(name) for name in node.input[1:4]), size["bits"])

    def drop_unused(self) -> None:
        while True:
            used = {name for node in self.graph.node for name in node.input} | {output.name for output in self.graph.output}
            idle = [node for node in self.graph.node if not used.intersection(node.output)]
            if not idle:
                break
            for node in idle:
                self.graph.node.remove(node)
        kept = [tensor for tensor in self.graph.initializer if tensor.name in used]
        del self.graph.initializer[:]
        self.graph.initializer.extend(kept)


def trunk_weights(path: str) -> dict[str, np.ndarray]:
    """Floats of a tuned trunk under the names of the products that they belong to, one below the other as in export.py."""
    from safetensors.numpy import load_file

    state = load_file(path)
    out = {}
    for i in range(1 + max(int(key.split(".")[1]) for key in state if key.startswith("layers."))):
        joined = {"qkv": ["q", "k", "v"], "o": ["o"], "gateup": ["gate", "up"], "down": ["down"]}
        for product, keys in joined.items():
            out[f"L{i}.{product}"] = np.concatenate([state[f"layers.{i}.{key}"] for key in keys])
    return out


def copy_folder(source: Path, out: Path, weights: dict[str, np.ndarray]) -> int:
    """The folder with its graphs in fp32 and a manifest to match; how many products were rewritten."""
    out.mkdir(parents=True)
    rewritten, kept = 0, []
    for path in sorted(source.iterdir()):
        if path.suffix != ".onnx":
            continue
        model = onnx.load(str(path))
        count = Floats(model, weights).rewrite()
        rewritten += count
        if count:
            # The weights lie in the graph: some graphs are opened from bytes, where nothing can lie beside them.
            onnx.save(model, str(out / path.name))
            kept.append(path.name)
    manifest = json.loads((source / "manifest.json").read_text())
    for entry in manifest["files"]:
        name = entry["path"]
        # Of external data only what the program reads by itself stays: the embedding.
        if name not in kept and not (kept and name.startswith("layers.")):
            shutil.copy(source / name, out / name)
    files = []
    for name in sorted(os.listdir(out)):
        data = (out / name).read_bytes()
        files.append({"path": name, "bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()})
    (out / "manifest.json").write_text(json.dumps({**manifest, "files": files}, indent=2))
    return rewritten


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("models", type=Path)
    arguments.add_argument("out", type=Path)
    arguments.add_argument("--trunk", help="safetensors of the tuned trunk, before its grid")
    options = arguments.parse_args()
    for folder in sorted(path for path in options.models.iterdir() if (path / "manifest.json").exists()):
        weights = trunk_weights(options.trunk) if options.trunk and (folder / "trunk.onnx").exists() else {}
        print(folder.name, copy_folder(folder, options.out / folder.name, weights), flush=True)


if __name__ == "__main__":
    main()
