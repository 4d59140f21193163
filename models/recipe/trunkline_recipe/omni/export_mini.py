"""Writes the Mini-Omni layout's own graphs beside the talker and codec that it was taught with; and a tiny one for tests.

    python -m trunkline_recipe.omni.export_mini VOICE_DIR TRUNK_DIR RUN OUT_DIR
    python -m trunkline_recipe.omni.export_mini --tiny VOICE_DIR OUT_DIR      (random weights; VOICE_DIR tiny as well)

post-adapter.onnx  recent codes, latents of the guide, the trunk's state, pasts -> scores of seven layers, next pasts
fuse.onnx          codes of one position -> what is added to the text's embedding
specials.bin       answer_a and pad_t, float32 little-endian [2][trunk width]
talker-encoder.onnx, talker-frames.onnx, codec-decoder.onnx: of VOICE_DIR, byte for byte; the heads are tied to that codec.
"""

import argparse
import hashlib
import json
import shutil
from pathlib import Path

import numpy as np
import onnx
import torch

from ..voice.piper import short_names
from . import shipped
from .delayed import LAYERS
from .export import halve
from .mini import STEPS, Fuse, Mini, Step
from .training import load

VOICE_GRAPHS = ("talker-encoder.onnx", "talker-frames.onnx", "codec-decoder.onnx")
TINY = {"width": 16, "blocks": 2, "heads": 2, "window": 5, "hidden": 12, "trunk": 8}


def sha256(path):
    return hashlib.sha256(Path(path).read_bytes()).hexdigest()


def graphs(mini, codec):
    """name -> (module, example inputs, input names, output names, free axes)."""
    guide = STEPS * codec.encode_in.out_channels
    step = (torch.full((1, LAYERS, LAYERS), -1), torch.randn(1, LAYERS, guide), torch.randn(1, mini.trunk), torch.stack(mini.start(1)))
    return {
        "post-adapter": (Step(mini, codec), step, ["recent", "latents", "state", "pasts"], ["scores", "next_pasts"], {}),
        "fuse": (Fuse(mini, codec), (torch.zeros(2, LAYERS, dtype=torch.long),), ["codes"], ["added"], {"codes": {0: "positions"}, "added": {0: "positions"}}),
    }


def write_graphs(mini, codec, out):
    out.mkdir(parents=True, exist_ok=True)
    for name, (module, example, inputs, outputs, axes) in graphs(mini, codec).items():
        path = out / f"{name}.onnx"
        torch.onnx.export(module.eval(), example, str(path), input_names=inputs, output_names=outputs, dynamic_axes=axes, opset_version=17, dynamo=False)
        model = onnx.load(path)
        model.producer_name = "trunkline"
        halve(model.graph)
        short_names(model.graph)
        onnx.checker.check_model(model)
        path.write_bytes(model.SerializeToString())


def halved(net):
    """Its weights as float16 keeps them: what the reference computes is what the graphs compute."""
    for value in net.state_dict().values():
        if value.dtype == torch.float32 and value.numel() >= 512:
            value.copy_(value.half().float())
    return net.eval()


def write(mini, codec, voice, trunk, out, notes):
    write_graphs(mini, codec, out)
    (out / "specials.bin").write_bytes(mini.specials.weight.detach().numpy().astype("<f4").tobytes())
    for name in VOICE_GRAPHS:
        shutil.copy(Path(voice) / name, out / name)
    told = json.loads((Path(voice) / "manifest.json").read_text())
    names = ["post-adapter.onnx", "fuse.onnx", "specials.bin", *VOICE_GRAPHS]
    sources = [dict(source) for source in told["sources"]]
    if trunk:
        read = json.loads((Path(trunk) / "manifest.json").read_text())
        graph = next(f for f in read["files"] if f["path"] == "layers.000.bin")
        sources.append({"package": "models/smollm2-135m", "version": read["version"], "licence": read["licence"], "sha256": graph["sha256"], "note": "The trunk as it was when these weights were trained with it; sum of layers.000.bin."})
    manifest = {
        "name": "mini-omni-135m",
        "version": "1.0.0",
        "description": "Mini-Omni's layout on our own trunk: the post-adapter that says seven delayed layers of codes, with its guide and codec.",
        "licence": "Apache-2.0",
        "sources": sources,
        "recipe": "python -m trunkline_recipe.omni.export_mini" + notes,
        "parameters": {
            **told["parameters"],
            "specialAudioIds": 64,
            "adapterBlocks": len(mini.blocks),
            "adapterWindow": mini.window,
            "adapterWidth": mini.width,
            "trunkStateWidth": mini.trunk,
        },
        "files": [{"path": name, "bytes": (out / name).stat().st_size, "sha256": sha256(out / name)} for name in names],
    }
    (out / "manifest.json").write_text(json.dumps(manifest, indent=2) + "\n")
    return sum(f["bytes"] for f in manifest["files"])


def tiny(voice):
    """Random weights that say something else at every step."""
    torch.manual_seed(9)
    codec = shipped.codec(voice)
    mini = Mini(codec, **TINY)
    for head in mini.heads:
        torch.nn.init.normal_(head[2].weight, std=0.5)
    torch.nn.init.normal_(mini.into_state.weight, std=0.2)
    torch.nn.init.normal_(mini.into_trunk.weight, std=0.02)
    torch.nn.init.normal_(mini.specials.weight, std=0.05)
    return halved(mini), codec


def main():
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("paths", type=Path, nargs="+")
    arguments.add_argument("--tiny", action="store_true")
    options = arguments.parse_args()
    if options.tiny:
        voice, out = options.paths
        mini, codec = tiny(voice)
        size = write(mini, codec, voice, None, out, " --tiny")
    else:
        voice, trunk, run, out = options.paths
        codec = shipped.codec(voice)
        mini = Mini(codec)
        steps = load(run, mini=mini)
        size = write(halved(mini), codec, voice, trunk, out, f"; last run of {steps} steps")
    print(out, size, "bytes")


if __name__ == "__main__":
    main()
