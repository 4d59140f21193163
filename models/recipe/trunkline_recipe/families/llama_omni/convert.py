"""Converts the published files of LLaMA-Omni into a folder that the program runs: python -m trunkline_recipe.families.llama_omni.convert IN OUT

IN   config.json, tokenizer.json, model.safetensors.index.json and its files   ICTNLP/Llama-3.1-8B-Omni
     large-v3.pt                                                               Whisper large-v3, as OpenAI publishes it
     vocoder/config.json, vocoder/g_00500000                                   fairseq's CodeHiFiGAN of 1,000 units

OUT  encoder.onnx         mel [1, 128, 3000] → vectors [1, 300, width]: Whisper's encoder and the adapter
     trunk.onnx           ids [1, n], vectors [1, n, width], spoken [1, n, 1], cache → hidden [1, width], logits [1, vocabulary]
     speech-decoder.onnx  rows [1, n, width], cache → symbols [1, n]
     unit-durations.onnx  units [1, N] → frames [1, N]
     unit-sound.onnx      frames [1, T] → pcm [1, 1, 320 T]
     tokenizer.json, manifest.json

The weights of LLaMA-Omni are for academic use only; what is made of them is under the same terms.
"""

import argparse
import json
import pathlib
import shutil

import numpy as np

from ..manifest import save_graph, sha256, write_manifest
from ..weights import FLOAT, WeightGraph
from ..whisper_encoder import load_encoder, write_encoder
from .layers import INT64, build_speech_decoder, inverse_frequencies, write_layers
from .network import Checkpoint, Config, expected_shapes, read_config, read_prompt
from .vocoder import export_vocoder, load_vocoder

NEEDED = ("config.json", "tokenizer.json", "large-v3.pt", "vocoder/config.json", "vocoder/g_00500000")
SPEECH_TOKENS = 512  # tokens whose positions the speech decoder remembers, the published bound of an answer


def build_encoder(bits: int, c: Config, dims: dict, whisper: dict, state) -> WeightGraph:
    g = WeightGraph("llama-omni-encoder", bits)
    x = write_encoder(g, g.input("mel", FLOAT, [1, dims["n_mels"], 2 * dims["n_audio_ctx"]]), dims, whisper)
    kept = dims["n_audio_ctx"] // c.stack
    x = g.op("Slice", x, g.ints(0), g.ints(kept * c.stack), g.ints(1))
    x = g.op("Reshape", x, g.ints(1, kept, c.stack * c.encoder_width))
    p = "model.speech_projector."
    x = g.op("Relu", g.matrix(x, state[p + "linear1.weight"], state[p + "linear1.bias"]))
    g.output(g.matrix(x, state[p + "linear2.weight"], state[p + "linear2.bias"]), "vectors", FLOAT, [1, kept, c.width])
    return g


def build_trunk(bits: int, c: Config, state) -> WeightGraph:
    g = WeightGraph("llama-omni-trunk", bits)
    ids, vectors = g.input("ids", INT64, [1, "n"]), g.input("vectors", FLOAT, [1, "n", c.width])
    spoken = g.input("spoken", FLOAT, [1, "n", 1])
    x = g.rows_of(g.table(state["model.embed_tokens.weight"]), ids)
    x = g.op("Where", g.op("Greater", spoken, g.constant(np.float32(0.5))), vectors, x)
    rates = inverse_frequencies(c.head, c.rope_base, c.rope_scaling)
    x = write_layers(g, x, state, "model.", layers=c.layers, heads=c.heads, groups=c.groups, head=c.head, epsilon=c.epsilon, rates=rates, positions=c.positions)
    x = g.op("Slice", x, g.ints(-1), g.ints(np.iinfo(np.int64).max), g.ints(1))
    x = g.op("Squeeze", g.rms_norm(x, state["model.norm.weight"], c.epsilon), g.ints(1))
    g.output(x, "hidden", FLOAT, [1, c.width])
    g.output(g.matrix(x, state["lm_head.weight"]), "logits", FLOAT, [1, c.vocabulary])
    return g


def convert(source: pathlib.Path, out: pathlib.Path, bits: int) -> None:
    missing = [name for name in NEEDED if not (source / name).is_file()]
    if missing:
        raise SystemExit(f"{source} lacks {', '.join(missing)}; docs/models.md says from where.")
    c = read_config(source / "config.json")
    state = Checkpoint(source)
    state.check(expected_shapes(c))
    dims, whisper = load_encoder(source / "large-v3.pt")
    if dims["n_audio_state"] != c.encoder_width:
        raise SystemExit(f"large-v3.pt is {dims['n_audio_state']} wide; the adapter expects {c.encoder_width}.")
    vocoder = load_vocoder(source / "vocoder")
    if vocoder.units != c.units:
        raise SystemExit(f"The vocoder has {vocoder.units} units, the speech decoder {c.units}.")
    prompt = read_prompt(source / "tokenizer.json")
    out.mkdir(parents=True, exist_ok=True)
    save_graph(build_encoder(bits, c, dims, whisper, state).model(), out / "encoder.onnx")
    save_graph(build_trunk(bits, c, state).model(), out / "trunk.onnx")
    head = c.speech_width // c.speech_heads
    rates = inverse_frequencies(head, c.rope_base, c.rope_scaling)
    positions = SPEECH_TOKENS * c.upsample
    decoder = build_speech_decoder(bits, state, layers=c.speech_layers, heads=c.speech_heads, head=head, epsilon=c.epsilon, rates=rates, positions=positions, prefix="speech_generator.")
    save_graph(decoder.model(), out / "speech-decoder.onnx")
    export_vocoder(vocoder, out)
    shutil.copy(source / "tokenizer.json", out / "tokenizer.json")
    weights = [source / name for name in NEEDED if name.endswith((".pt", "g_00500000"))] + sorted(source.glob("*.safetensors"))
    write_manifest(
        out,
        name="llama-omni",
        description="LLaMA-Omni: a language model that hears through Whisper large-v3 and speaks in units, with their vocoder.",
        licence="academic, non-commercial (LLaMA-Omni); Llama 3.1 Community License; Whisper and fairseq MIT",
        sources=[{"package": path.relative_to(source).as_posix(), "version": "as downloaded", "licence": "see above", "sha256": sha256(path)} for path in weights],
        recipe="python -m trunkline_recipe.families.llama_omni.convert IN OUT",
        parameters={
            "trunk": {"layers": c.layers, "width": c.width, "groups": c.groups, "headSize": c.head, "positions": c.positions, "vocabulary": c.vocabulary, "ends": c.ends},
            "whisper": {"melBands": dims["n_mels"], "frames": dims["n_audio_ctx"], "stack": c.stack},
            "decoder": {"layers": c.speech_layers, "heads": c.speech_heads, "headSize": head, "inputs": c.width, "positions": positions, "units": c.units},
            "upsample": c.upsample,
            "vocoder": {"sampleRate": vocoder.sample_rate, "samplesPerFrame": vocoder.samples_per_frame},
            "textTokens": prompt.text_tokens,
            "prompt": {"before": prompt.before, "task": prompt.task, "behind": prompt.behind},
        },
    )


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("source", type=pathlib.Path)
    arguments.add_argument("out", type=pathlib.Path)
    arguments.add_argument("--bits", type=int, choices=(8, 32), default=8)
    options = arguments.parse_args()
    convert(options.source, options.out, options.bits)
    print(json.dumps({"family": "llama-omni", "folder": str(options.out)}))


if __name__ == "__main__":
    main()
