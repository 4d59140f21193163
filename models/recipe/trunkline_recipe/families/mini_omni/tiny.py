"""Writes a tiny random checkpoint in the published layout of Mini-Omni: python -m trunkline_recipe.families.mini_omni.tiny FOLDER [--seed N]

Every file has its official name, tensors their official names and order; only the sizes are small. For tests.
"""

import argparse
import json
import pathlib

import torch

from .network import Config, expected_shapes

CONFIG = Config(layers=2, width=32, heads=4, groups=2, head_size=16, inner=64, positions=256, rope_base=1_000_000, epsilon=1e-6, text_vocabulary=320, audio_vocabulary=96, whisper_width=16)
WHISPER = {"n_mels": 80, "n_audio_ctx": 1500, "n_audio_state": 16, "n_audio_head": 2, "n_audio_layer": 1, "n_vocab": 51865, "n_text_ctx": 448, "n_text_state": 16, "n_text_head": 2, "n_text_layer": 1}
SNAC = {"sampling_rate": 24000, "encoder_dim": 2, "encoder_rates": [2, 4, 8, 8], "decoder_dim": 32, "decoder_rates": [8, 8, 4, 2], "attn_window_size": None, "codebook_size": 32, "codebook_dim": 8, "vq_strides": [4, 2, 1], "noise": True, "depthwise": True}


def random_language_model(c: Config, chance: torch.Generator) -> dict[str, torch.Tensor]:
    state = {}
    for name, shape in expected_shapes(c).items():
        values = torch.randn(shape, generator=chance)
        if "norm" in name or "ln_f" in name:
            state[name] = 1 + 0.1 * values
        elif name in ("transformer.wte.weight", "lm_head.weight"):
            state[name] = values
        else:
            # Wide enough for attention to look around: the next step then depends on more than the last.
            state[name] = 1.5 * values / (shape[-1] ** 0.5)
    return state


def random_whisper(dims: dict, chance: torch.Generator) -> dict[str, torch.Tensor]:
    width, inner = dims["n_audio_state"], 4 * dims["n_audio_state"]

    def matrix(*shape):
        fan = torch.tensor(shape[1:]).prod().item()
        return torch.randn(*shape, generator=chance) / fan**0.5

    rates = torch.exp(-torch.log(torch.tensor(10000.0)) / (width // 2 - 1) * torch.arange(width // 2))
    angles = torch.arange(dims["n_audio_ctx"])[:, None] * rates[None]
    state = {"encoder.positional_embedding": torch.cat([angles.sin(), angles.cos()], 1)}

    def linear(name, out, inputs, bias=True):
        state[f"{name}.weight"] = matrix(out, inputs)
        if bias:
            state[f"{name}.bias"] = 0.1 * torch.randn(out, generator=chance)

    def norm(name):
        state[f"{name}.weight"], state[f"{name}.bias"] = torch.ones(width), torch.zeros(width)

    state["encoder.conv1.weight"], state["encoder.conv1.bias"] = matrix(width, dims["n_mels"], 3), torch.zeros(width)
    state["encoder.conv2.weight"], state["encoder.conv2.bias"] = matrix(width, width, 3), torch.zeros(width)
    for layer in range(dims["n_audio_layer"]):
        p = f"encoder.blocks.{layer}."
        for part in ("query", "key", "value", "out"):
            linear(f"{p}attn.{part}", width, width, bias=part != "key")
        norm(p + "attn_ln")
        linear(p + "mlp.0", inner, width)
        linear(p + "mlp.2", width, inner)
        norm(p + "mlp_ln")
    norm("encoder.ln_post")
    return state


def random_snac(config: dict, chance: torch.Generator) -> dict[str, torch.Tensor]:
    state: dict[str, torch.Tensor] = {}
    latent = config["encoder_dim"] * 2 ** len(config["encoder_rates"])

    def conv(name, *shape, bias=None, length=0.6):
        """Weight-normalised, as published: a direction and, along the first axis, a length."""
        state[f"{name}.parametrizations.weight.original1"] = torch.randn(*shape, generator=chance)
        state[f"{name}.parametrizations.weight.original0"] = length * (0.7 + 0.6 * torch.rand(shape[0], 1, 1, generator=chance))
        if bias is not None:
            state[f"{name}.bias"] = 0.05 * torch.randn(bias, generator=chance)

    def snake(name, width):
        state[f"{name}.alpha"] = 0.5 + torch.rand(1, width, 1, generator=chance)

    for i in range(len(config["vq_strides"])):
        state[f"quantizer.quantizers.{i}.codebook.weight"] = torch.randn(config["codebook_size"], config["codebook_dim"], generator=chance)
        conv(f"quantizer.quantizers.{i}.out_proj", latent, config["codebook_dim"], 1, bias=latent)
    width = config["decoder_dim"]
    conv("decoder.model.0", latent, 1, 7, bias=latent)
    conv("decoder.model.1", width, latent, 1, bias=width)
    for i, rate in enumerate(config["decoder_rates"]):
        block, half = f"decoder.model.{2 + i}.block", width // 2
        snake(f"{block}.0", width)
        conv(f"{block}.1", width, half, 2 * rate, bias=half)
        conv(f"{block}.2.linear", half, half, 1, length=0.1)
        for unit in (3, 4, 5):
            snake(f"{block}.{unit}.block.0", half)
            conv(f"{block}.{unit}.block.1", half, 1, 7, bias=half)
            snake(f"{block}.{unit}.block.2", half)
            conv(f"{block}.{unit}.block.3", half, half, 1, bias=half)
        width = half
    last = 2 + len(config["decoder_rates"])
    snake(f"decoder.model.{last}", width)
    conv(f"decoder.model.{last + 1}", 1, width, 7, bias=1, length=2.0)
    return state


def byte_tokenizer() -> dict:
    """Byte-level BPE without a merge: the 256 bytes under the names that GPT-2 gave them."""
    printable = [*range(33, 127), *range(161, 173), *range(174, 256)]
    others = [byte for byte in range(256) if byte not in printable]
    names = {byte: chr(byte) for byte in printable} | {byte: chr(256 + i) for i, byte in enumerate(others)}
    return {
        "version": "1.0",
        "truncation": None,
        "padding": None,
        "added_tokens": [],
        "normalizer": None,
        "pre_tokenizer": {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": True},
        "post_processor": None,
        "decoder": {"type": "ByteLevel", "add_prefix_space": True, "trim_offsets": True, "use_regex": True},
        "model": {"type": "BPE", "dropout": None, "unk_token": None, "continuing_subword_prefix": "", "end_of_word_suffix": "", "fuse_unk": False, "byte_fallback": False, "vocab": {names[byte]: byte for byte in range(256)}, "merges": []},
    }


def write_tiny(folder: pathlib.Path, seed: int) -> None:
    chance = torch.Generator().manual_seed(seed)
    (folder / "snac_24khz").mkdir(parents=True, exist_ok=True)
    torch.save(random_language_model(CONFIG, chance), folder / "lit_model.pth")
    torch.save({"dims": WHISPER, "model_state_dict": random_whisper(WHISPER, chance)}, folder / "small.pt")
    torch.save(random_snac(SNAC, chance), folder / "snac_24khz/pytorch_model.bin")
    (folder / "snac_24khz/config.json").write_text(json.dumps(SNAC))
    (folder / "tokenizer.json").write_text(json.dumps(byte_tokenizer(), ensure_ascii=False), encoding="utf-8")
    c = CONFIG
    fields = {
        "add_qkv_bias": "true", "asr_adapter": "llamamlp", "audio_vocab_size": c.audio_vocabulary, "bias": "false", "block_size": c.positions,
        "cat_audio_vocab_size": 7 * c.audio_vocabulary, "head_size": c.head_size, "intermediate_size": c.inner, "lm_head_bias": "false", "mlp_class_name": "LLaMAMLP",
        "n_embd": c.width, "n_head": c.heads, "n_layer": c.layers, "n_query_groups": c.groups, "name": "tiny", "norm_class_name": "RMSNorm", "norm_eps": c.epsilon,
        "padded_vocab_size": c.vocabulary, "post_adapter": "false", "post_adapter_layers": 6, "rope_base": int(c.rope_base), "text_vocab_size": c.text_vocabulary,
        "tie_word_embeddings": "false", "whisper_adapter_dim": c.whisper_width,
    }
    (folder / "model_config.yaml").write_text("".join(f"{key}: {value}\n" for key, value in fields.items()))


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("folder", type=pathlib.Path)
    arguments.add_argument("--seed", type=int, default=5)
    options = arguments.parse_args()
    write_tiny(options.folder, options.seed)


if __name__ == "__main__":
    main()
