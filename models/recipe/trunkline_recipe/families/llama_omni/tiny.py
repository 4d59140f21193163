"""Writes a tiny random checkpoint in the published layout of LLaMA-Omni: python -m trunkline_recipe.families.llama_omni.tiny FOLDER [--seed N]

Every file has its official name, tensors their official names and order; only the sizes are small. For tests.
"""

import argparse
import json
import pathlib

import torch
from safetensors.torch import save_file

from ..mini_omni.tiny import byte_tokenizer, random_whisper
from .network import expected_shapes, read_config

SPECIALS = ("<|begin_of_text|>", "<|start_header_id|>", "<|end_header_id|>", "<|eot_id|>")
CONFIG = {
    "model_type": "omni_speech2s_llama", "num_hidden_layers": 2, "hidden_size": 32, "num_attention_heads": 2, "num_key_value_heads": 1, "intermediate_size": 64,
    "vocab_size": 256 + len(SPECIALS), "max_position_embeddings": 1024, "tokenizer_model_max_length": 1024, "rope_theta": 500000.0, "rms_norm_eps": 1e-5,
    "rope_scaling": {"rope_type": "llama3", "factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0, "original_max_position_embeddings": 64},
    "eos_token_id": [259], "speech_encoder_hidden_size": 16, "speech_encoder_ds_rate": 5, "speech_projector_type": "linear",
    "speech_generator_type": "ctc", "ctc_decoder_config": "(2,32,2,48)", "ctc_upsample_factor": 25, "unit_vocab_size": 40,
}
WHISPER = {"n_mels": 128, "n_audio_ctx": 1500, "n_audio_state": 16, "n_audio_head": 2, "n_audio_layer": 1, "n_vocab": 51866, "n_text_ctx": 448, "n_text_state": 16, "n_text_head": 2, "n_text_layer": 1}
VOCODER = {
    "sampling_rate": 16000, "num_embeddings": 40, "embedding_dim": 8, "model_in_dim": 8, "upsample_rates": [5, 4, 4, 2, 2], "upsample_kernel_sizes": [11, 8, 8, 4, 4], "upsample_initial_channel": 32,
    "resblock_kernel_sizes": [3, 7, 11], "resblock_dilation_sizes": [[1, 3, 5], [1, 3, 5], [1, 3, 5]],
    "dur_predictor_params": {"encoder_embed_dim": 8, "var_pred_hidden_dim": 8, "var_pred_kernel_size": 3, "var_pred_dropout": 0.5},
}


def random_checkpoint(shapes, chance):
    state = {}
    for name, shape in shapes.items():
        values = torch.randn(shape, generator=chance)
        if "norm" in name:
            state[name] = 1 + 0.1 * values
        elif name in ("model.embed_tokens.weight", "lm_head.weight"):
            state[name] = values
        elif name.endswith("bias"):
            state[name] = 0.2 * values
        else:
            state[name] = 1.5 * values / shape[-1] ** 0.5
    return state


def random_vocoder(config, chance):
    state = {"dict.weight": torch.randn(config["num_embeddings"], config["embedding_dim"], generator=chance)}

    def conv(name, *shape, bias, length=1.0):
        state[f"{name}.weight_v"] = torch.randn(*shape, generator=chance)
        state[f"{name}.weight_g"] = length * (0.7 + 0.6 * torch.rand(shape[0], 1, 1, generator=chance))
        state[f"{name}.bias"] = 0.05 * torch.randn(bias, generator=chance)

    channels = config["upsample_initial_channel"]
    conv("conv_pre", channels, config["model_in_dim"], 7, bias=channels)
    for i, kernel in enumerate(config["upsample_kernel_sizes"]):
        half = channels // 2
        conv(f"ups.{i}", channels, half, kernel, bias=half)
        for j, size in enumerate(config["resblock_kernel_sizes"]):
            for d in range(3):
                for part in ("convs1", "convs2"):
                    conv(f"resblocks.{3 * i + j}.{part}.{d}", half, half, size, bias=half, length=0.5)
        channels = half
    conv("conv_post", 1, channels, 7, bias=1, length=2.0)
    p = config["dur_predictor_params"]
    width = p["var_pred_hidden_dim"]
    for i, inputs in ((1, p["encoder_embed_dim"]), (2, width)):
        state[f"dur_predictor.conv{i}.0.weight"] = torch.randn(width, inputs, 3, generator=chance) / (3 * inputs) ** 0.5
        state[f"dur_predictor.conv{i}.0.bias"] = 0.1 * torch.randn(width, generator=chance)
        state[f"dur_predictor.ln{i}.weight"], state[f"dur_predictor.ln{i}.bias"] = torch.ones(width), torch.zeros(width)
    state["dur_predictor.proj.weight"] = 0.3 * torch.randn(1, width, generator=chance)
    state["dur_predictor.proj.bias"] = torch.full((1,), 1.0)
    return state


def tokenizer() -> dict:
    made = byte_tokenizer()
    made["added_tokens"] = [{"id": 256 + i, "content": text, "single_word": False, "lstrip": False, "rstrip": False, "normalized": False, "special": True} for i, text in enumerate(SPECIALS)]
    return made


def write_tiny(folder: pathlib.Path, seed: int) -> None:
    chance = torch.Generator().manual_seed(seed)
    (folder / "vocoder").mkdir(parents=True, exist_ok=True)
    (folder / "config.json").write_text(json.dumps(CONFIG))
    (folder / "tokenizer.json").write_text(json.dumps(tokenizer(), ensure_ascii=False), encoding="utf-8")
    state = random_checkpoint(expected_shapes(read_config(folder / "config.json")), chance)
    # Blanks are to be met too.
    state["speech_generator.output_proj.bias"][-1] += 3
    # Two files and an index, as the published checkpoint has several.
    names = list(state)
    parts = {"model-00001-of-00002.safetensors": names[:9], "model-00002-of-00002.safetensors": names[9:]}
    for file, keys in parts.items():
        save_file({key: state[key].contiguous() for key in keys}, folder / file)
    index = {"metadata": {}, "weight_map": {key: file for file, keys in parts.items() for key in keys}}
    (folder / "model.safetensors.index.json").write_text(json.dumps(index))
    torch.save({"dims": WHISPER, "model_state_dict": random_whisper(WHISPER, chance)}, folder / "large-v3.pt")
    (folder / "vocoder/config.json").write_text(json.dumps(VOCODER))
    torch.save({"generator": random_vocoder(VOCODER, chance)}, folder / "vocoder/g_00500000")


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("folder", type=pathlib.Path)
    arguments.add_argument("--seed", type=int, default=5)
    options = arguments.parse_args()
    write_tiny(options.folder, options.seed)


if __name__ == "__main__":
    main()
