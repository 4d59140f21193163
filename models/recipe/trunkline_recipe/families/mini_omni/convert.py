"""Converts the published files of Mini-Omni into a folder that the program runs: python -m trunkline_recipe.families.mini_omni.convert IN OUT

IN   lit_model.pth, model_config.yaml, tokenizer.json     gpt-omni/mini-omni
     small.pt                                             Whisper small, as OpenAI publishes it
     snac_24khz/config.json, snac_24khz/pytorch_model.bin hubertsiuzdak/snac_24khz

OUT  encoder.onnx     mel [1, 80, 3000] → features [1, 1500, width]: Whisper's encoder and the adapter
     blocks.onnx      ids [rows, n, 8], features [rows, n, width], heard [rows, n, 1] → hidden [rows, 1, width] of the
                      last position, present.i.key|value: the cache [rows, groups, capacity, head size], two heads wide
     text-head.onnx   hidden → text [rows, text vocabulary]
     audio-head.onnx  hidden → audio [rows, 7, audio vocabulary]
     snac.onnx        codes_0, codes_1, codes_2, noise_0 … → pcm
     tokenizer.json, manifest.json
"""

import argparse
import json
import pathlib
import shutil

import numpy as np
import torch

from onnx import TensorProto

from ..manifest import save_graph, sha256, write_manifest
from ..snac import export_snac, load_snac
from ..weights import CONTRIB, FLOAT, WeightGraph
from ..whisper_encoder import load_encoder, write_encoder
from .network import (
    AUDIO_LAYERS,
    SPECIAL_IDS,
    Config,
    load_checkpoint,
    read_config,
    unpack,
)

INT32, INT64 = TensorProto.INT32, TensorProto.INT64
NEEDED = ("lit_model.pth", "model_config.yaml", "tokenizer.json", "small.pt", "snac_24khz/config.json", "snac_24khz/pytorch_model.bin")


def build_encoder(bits: int, dims: dict, whisper: dict, state: dict) -> WeightGraph:
    g = WeightGraph("mini-omni-encoder", bits)
    mel = g.input("mel", FLOAT, [1, dims["n_mels"], 2 * dims["n_audio_ctx"]])
    x = write_encoder(g, mel, dims, whisper)
    names = ("whisper_adapter.fc_1", "whisper_adapter.fc_2", "whisper_adapter.proj")
    x = g.swiglu(x, *(state[name + ".weight"] for name in names))
    g.output(x, "features", FLOAT, [1, dims["n_audio_ctx"], state["whisper_adapter.proj.weight"].shape[0]])
    return g


def build_blocks(bits: int, c: Config, state: dict) -> WeightGraph:
    g = WeightGraph("mini-omni-blocks", bits)
    ids = g.input("ids", INT64, ["rows", "n", AUDIO_LAYERS + 1])
    features = g.input("features", FLOAT, ["rows", "n", c.width])
    heard = g.input("heard", FLOAT, ["rows", "n", 1])
    last = g.input("last_position", INT32, ["rows"])
    total = g.input("total_length", INT32, [1])
    table = g.table(state["transformer.wte.weight"])
    streams = g.rows_of(table, ids)
    axis = g.ints(2)
    audio = g.op("ReduceSum", g.op("Slice", streams, g.ints(0), g.ints(AUDIO_LAYERS), axis), axis, keepdims=0)
    text = g.op("Squeeze", g.op("Slice", streams, g.ints(AUDIO_LAYERS), g.ints(AUDIO_LAYERS + 1), axis), axis)
    # Heard speech stands in the place of all seven audio embeddings.
    seven = g.op("Mul", features, g.constant(np.float32(AUDIO_LAYERS)))
    audio = g.op("Where", g.op("Greater", heard, g.constant(np.float32(0.5))), seven, audio)
    x = g.op("Mul", g.op("Add", audio, text), g.constant(np.float32(1 / (AUDIO_LAYERS + 1))))
    angles = np.arange(c.positions)[:, None] * c.rope_base ** (-np.arange(0, c.head_size, 2) / c.head_size)[None]
    cos, sin = g.constant(np.cos(angles).astype(np.float32)), g.constant(np.sin(angles).astype(np.float32))
    cache = ["rows", c.groups, "capacity", c.head_size]
    for layer in range(c.layers):
        p = f"transformer.h.{layer}."
        y = g.rms_norm(x, state[p + "norm_1.weight"], c.epsilon)
        weight = torch.cat(unpack(state[p + "attn.attn.weight"], c))
        bias = torch.cat(unpack(state[p + "attn.attn.bias"], c))
        packed = g.matrix(y, weight, bias)
        past = [g.input(f"past.{layer}.{part}", FLOAT, cache) for part in ("key", "value")]
        attended, *present = g.op("GroupQueryAttention", packed, "", "", *past, last, total, cos, sin, outputs=3, domain=CONTRIB, num_heads=c.heads, kv_num_heads=c.groups, do_rotary=1, rotary_interleaved=0)
        # Direct outputs: when the program hands in the buffers of the past for them, the cache is extended in place.
        for part, value in zip(("key", "value"), present, strict=True):
            g.rename(value, f"present.{layer}.{part}", FLOAT, cache)
        x = g.op("Add", x, g.matrix(attended, state[p + "attn.proj.weight"]))
        y = g.rms_norm(x, state[p + "norm_2.weight"], c.epsilon)
        x = g.op("Add", x, g.swiglu(y, *(state[f"{p}mlp.{name}.weight"] for name in ("fc_1", "fc_2", "proj"))))
    x = g.op("Slice", x, g.ints(-1), g.ints(np.iinfo(np.int64).max), g.ints(1))
    g.output(g.rms_norm(x, state["transformer.ln_f.weight"], c.epsilon), "hidden", FLOAT, ["rows", 1, c.width])
    return g


def build_heads(bits: int, c: Config, state: dict) -> tuple[WeightGraph, WeightGraph]:
    head = state["lm_head.weight"]
    text = WeightGraph("mini-omni-text-head", bits)
    hidden = text.input("hidden", FLOAT, ["rows", 1, c.width])
    y = text.matrix(hidden, head[: c.text_vocabulary].contiguous())
    text.output(text.op("Squeeze", y, text.ints(1)), "text", FLOAT, ["rows", c.text_vocabulary])
    audio = WeightGraph("mini-omni-audio-head", bits)
    hidden = audio.input("hidden", FLOAT, ["rows", 1, c.width])
    y = audio.matrix(hidden, head[c.text_vocabulary :].contiguous())
    audio.output(audio.op("Reshape", y, audio.ints(-1, AUDIO_LAYERS, c.audio_vocabulary)), "audio", FLOAT, ["rows", AUDIO_LAYERS, c.audio_vocabulary])
    return text, audio


def convert(source: pathlib.Path, out: pathlib.Path, bits: int) -> None:
    missing = [name for name in NEEDED if not (source / name).is_file()]
    if missing:
        raise SystemExit(f"{source} lacks {', '.join(missing)}. Download them from gpt-omni/mini-omni, OpenAI's Whisper (small.pt) and hubertsiuzdak/snac_24khz.")
    c = read_config(source / "model_config.yaml")
    state = load_checkpoint(source / "lit_model.pth", c)
    dims, whisper = load_encoder(source / "small.pt")
    if dims["n_audio_state"] != c.whisper_width:
        raise SystemExit(f"small.pt is {dims['n_audio_state']} wide; the adapter expects {c.whisper_width}.")
    snac = load_snac(source / "snac_24khz")
    out.mkdir(parents=True, exist_ok=True)
    save_graph(build_encoder(bits, dims, whisper, state).model(), out / "encoder.onnx")
    save_graph(build_blocks(bits, c, state).model(), out / "blocks.onnx")
    for graph, name in zip(build_heads(bits, c, state), ("text-head.onnx", "audio-head.onnx"), strict=True):
        save_graph(graph.model(), out / name)
    export_snac(snac, out / "snac.onnx")
    shutil.copy(source / "tokenizer.json", out / "tokenizer.json")
    parameters = {
        "layers": c.layers,
        "width": c.width,
        "groups": c.groups,
        "headSize": c.head_size,
        "positions": c.positions,
        "textVocabulary": c.text_vocabulary,
        "audioVocabulary": c.audio_vocabulary,
        "specialIds": SPECIAL_IDS,
        "whisper": {"melBands": dims["n_mels"], "frames": dims["n_audio_ctx"]},
        "snac": {
            "sampleRate": snac.config["sampling_rate"],
            "codebookSize": snac.config["codebook_size"],
            "samplesPerFrame": snac.samples_per_frame,
            # Samples of noise for each frame, block by block.
            "noiseSamples": [snac.strides[0] * length for length in snac.noise_lengths()],
        },
    }
    sources = [{"package": name, "version": "as downloaded", "licence": "MIT", "sha256": sha256(source / name)} for name in NEEDED if name.endswith((".pth", ".pt", ".bin"))]
    write_manifest(
        out,
        name="mini-omni",
        description="Mini-Omni: a language model of 0.5 B that hears and speaks, with Whisper small's encoder and SNAC at 24 kHz.",
        licence="MIT",
        sources=sources,
        recipe="python -m trunkline_recipe.families.mini_omni.convert IN OUT",
        parameters=parameters,
    )


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("source", type=pathlib.Path)
    arguments.add_argument("out", type=pathlib.Path)
    arguments.add_argument("--bits", type=int, choices=(8, 32), default=8)
    options = arguments.parse_args()
    convert(options.source, options.out, options.bits)
    print(json.dumps({"family": "mini-omni", "folder": str(options.out)}))


if __name__ == "__main__":
    main()
