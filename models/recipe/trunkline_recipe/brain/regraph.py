"""Writes the graph of an exported trunk anew over weights that stay as they are, and its sum into the manifest.

For a change of export.py that touches no weight: exporting again from weights that were put on their grid would round some
codes differently.
"""

import argparse
import hashlib
import json
import os

import numpy as np
import onnx

from .export import Writer, build


class Kept(Writer):
    """Every initialiser that the graph already has, external or not, is taken over untouched."""

    def __init__(self, graph: onnx.GraphProto):
        self.old = {tensor.name: tensor for tensor in graph.initializer}
        head = next(node for node in graph.node if node.output[0] == "logits")
        layer = next(node for node in graph.node if node.output[0] == "L0.o")
        of = {(node.output[0], a.name): a.i for node in (head, layer) for a in node.attribute}
        super().__init__("", {}, of["L0.o", "block_size"], of["logits", "block_size"], of["logits", "bits"])
        self.layers = sum(name.endswith(".norm1") for name in self.old)

    def take(self, *names: str) -> None:
        self.tensors += [self.old[name] for name in names]

    def constant(self, name: str, values: np.ndarray) -> str:
        if name not in self.old:
            return super().constant(name, values)
        self.take(name)
        return name

    def vector(self, name: str, key: str) -> str:
        self.take(name)
        return name

    def codes(self, name: str, keys: list[str], columns: int, rows: int) -> None:
        self.take(name + ".scales16", name + ".codes", name + ".zeros")

    def embedding(self) -> None:
        self.take("head.codes", "head.scales", "head.zeros")

    def close(self) -> None:
        pass


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("folder", help="exported folder, such as models/smollm2-135m")
    folder = arguments.parse_args().folder
    path, manifest = os.path.join(folder, "trunk.onnx"), os.path.join(folder, "manifest.json")
    model = build(Kept(onnx.load(path, load_external_data=False).graph))
    onnx.save(model, path)
    with open(path, "rb") as file:
        data = file.read()
    with open(manifest, encoding="utf-8") as file:
        known = json.load(file)
    for entry in known["files"]:
        if entry["path"] == "trunk.onnx":
            entry |= {"bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}
    with open(manifest, "w", encoding="utf-8") as file:
        json.dump(known, file, indent=2)
        file.write("\n")
    print(len(data), "bytes")


if __name__ == "__main__":
    main()
