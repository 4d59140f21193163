"""LLaMA-Omni in plain torch, without a cache, reading the published checkpoint (transformers' names, safetensors).

    Whisper's states, k = 5 side by side → linear, ReLU, linear → vectors in the language model's space
    Llama → normed state of each position that predicts a token of the answer → repeated 25 times
          → input_proj → Llama layers, causal, no last norm → output_proj → 1,000 units and CTC's blank, read greedily
"""

import json
import pathlib
from collections.abc import Mapping
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from safetensors import safe_open
from tokenizers import Tokenizer

from .layers import inverse_frequencies, layer_names

SYSTEM = "You are a helpful language and speech assistant. You are able to understand the speech content that the user provides, and assist the user with a variety of tasks using natural language."
TASK = "\nPlease directly answer the questions in the user's speech."


@dataclass(frozen=True)
class Prompt:
    """Token ids around the question. What was heard is followed by the task; what was typed is not."""

    before: list[int]
    task: list[int]
    behind: list[int]
    # Ids from here on are control tokens, of which only the ends are an answer.
    text_tokens: int


def read_prompt(path: pathlib.Path) -> Prompt:
    """Of tokenizer.json; the layout of Llama 3's turns."""
    words = Tokenizer.from_file(str(path))
    specials = [token["id"] for token in json.loads(path.read_text(encoding="utf-8"))["added_tokens"] if token["special"]]

    def ids(text):
        return words.encode(text, add_special_tokens=False).ids

    def header(role):
        return f"<|start_header_id|>{role}<|end_header_id|>\n\n"

    before = ids(f"<|begin_of_text|>{header('system')}{SYSTEM}<|eot_id|>{header('user')}")
    if not specials or before[0] not in specials:
        raise SystemExit(f"{path.name} has no control tokens of Llama 3 (<|begin_of_text|> …).")
    return Prompt(before, ids(TASK), ids(f"<|eot_id|>{header('assistant')}"), min(specials))


@dataclass(frozen=True)
class Config:
    layers: int
    width: int
    heads: int
    groups: int
    head: int
    inner: int
    vocabulary: int
    positions: int
    rope_base: float
    rope_scaling: dict | None
    epsilon: float
    ends: list[int]
    encoder_width: int
    stack: int  # Whisper's states in one vector
    speech_layers: int
    speech_width: int
    speech_heads: int
    speech_inner: int
    upsample: int
    units: int


def read_config(path: pathlib.Path) -> Config:
    values = json.loads(path.read_text(encoding="utf-8"))
    if values.get("model_type") != "omni_speech2s_llama":
        raise SystemExit(f"{path.name} is of a {values.get('model_type')}, not of LLaMA-Omni (omni_speech2s_llama).")
    for key, wanted in (("speech_projector_type", "linear"), ("speech_generator_type", "ctc")):
        if values.get(key, wanted) != wanted:
            raise SystemExit(f"{key} {values[key]} is not supported; the published checkpoint has {wanted}.")
    try:
        speech = [int(n) for n in values["ctc_decoder_config"].strip("()").split(",")]
        ends = values["eos_token_id"]
        return Config(
            layers=values["num_hidden_layers"],
            width=values["hidden_size"],
            heads=values["num_attention_heads"],
            groups=values.get("num_key_value_heads", values["num_attention_heads"]),
            head=values.get("head_dim") or values["hidden_size"] // values["num_attention_heads"],
            inner=values["intermediate_size"],
            vocabulary=values["vocab_size"],
            positions=min(values.get("tokenizer_model_max_length") or 2048, values["max_position_embeddings"]),
            rope_base=float(values.get("rope_theta", 10000.0)),
            rope_scaling=values.get("rope_scaling"),
            epsilon=values["rms_norm_eps"],
            ends=ends if isinstance(ends, list) else [ends],
            encoder_width=values["speech_encoder_hidden_size"],
            stack=values["speech_encoder_ds_rate"],
            speech_layers=speech[0],
            speech_width=speech[1],
            speech_heads=speech[2],
            speech_inner=speech[3],
            upsample=values["ctc_upsample_factor"],
            units=values["unit_vocab_size"],
        )
    except (KeyError, ValueError, IndexError) as error:
        raise SystemExit(f"{path.name} lacks or misstates {error}.") from error


def expected_shapes(c: Config) -> dict[str, tuple[int, ...]]:
    def layers(prefix, count, width, heads, groups, head, inner):
        shapes = {}
        for i in range(count):
            names = layer_names(prefix, i)
            sizes = {"q": (heads * head, width), "k": (groups * head, width), "v": (groups * head, width), "o": (width, heads * head), "gate": (inner, width), "up": (inner, width), "down": (width, inner), "norm1": (width,), "norm2": (width,)}
            shapes |= {names[part]: size for part, size in sizes.items()}
        return shapes

    shapes = {"model.embed_tokens.weight": (c.vocabulary, c.width), "model.norm.weight": (c.width,), "lm_head.weight": (c.vocabulary, c.width)}
    shapes |= layers("model.", c.layers, c.width, c.heads, c.groups, c.head, c.inner)
    shapes |= {"model.speech_projector.linear1.weight": (2048, c.encoder_width * c.stack), "model.speech_projector.linear1.bias": (2048,)}
    shapes |= {"model.speech_projector.linear2.weight": (c.width, 2048), "model.speech_projector.linear2.bias": (c.width,)}
    s = "speech_generator."
    shapes |= {s + "input_proj.weight": (c.speech_width, c.width), s + "input_proj.bias": (c.speech_width,)}
    shapes |= layers(s, c.speech_layers, c.speech_width, c.speech_heads, c.speech_heads, c.speech_width // c.speech_heads, c.speech_inner)
    return shapes | {s + "output_proj.weight": (c.units + 1, c.speech_width), s + "output_proj.bias": (c.units + 1,)}


class Checkpoint(Mapping):
    """The tensors of one file or of all that an index names; each is read when it is asked for, as float32."""

    def __init__(self, folder: pathlib.Path):
        index = folder / "model.safetensors.index.json"
        names = sorted(set(json.loads(index.read_text())["weight_map"].values())) if index.exists() else ["model.safetensors"]
        self.place = {}
        for name in names:
            try:
                file = safe_open(folder / name, "pt")
            except Exception as error:
                raise SystemExit(f"{name} cannot be read: {error}") from error
            self.place |= {key: file for key in file.keys()}

    def __getitem__(self, key):
        return self.place[key].get_tensor(key).float()

    def __iter__(self):
        return iter(self.place)

    def __len__(self):
        return len(self.place)

    def check(self, shapes: dict[str, tuple[int, ...]]) -> None:
        problems = []
        for key, shape in shapes.items():
            found = tuple(self.place[key].get_slice(key).get_shape()) if key in self.place else None
            if found != shape:
                problems.append(f"{key} is {found or 'missing'}, expected {shape}")
        if problems:
            raise SystemExit("The checkpoint is not in the layout of LLaMA-Omni: " + "; ".join(problems[:5]))


def llama(x, state, prefix, *, layers, heads, groups, head, epsilon, rates):
    """x [T, width] -> [T, width], causal, before any last norm."""
    angles = torch.arange(len(x))[:, None] * rates[None]
    angles = torch.cat([angles, angles], 1)
    cos, sin = angles.cos(), angles.sin()

    def turned(y):
        first, second = y.chunk(2, -1)
        return y * cos + torch.cat([-second, first], -1) * sin

    for i in range(layers):
        w = {name: state[key] for name, key in layer_names(prefix, i).items()}
        y = F.rms_norm(x, x.shape[1:], w["norm1"], epsilon)
        q, k, v = (F.linear(y, w[n]).view(len(x), -1, head).transpose(0, 1) for n in "qkv")
        k, v = (t.repeat_interleave(heads // groups, 0) for t in (turned(k), v))
        y = F.scaled_dot_product_attention(turned(q)[None], k[None], v[None], is_causal=True)[0]
        x = x + F.linear(y.transpose(0, 1).reshape(len(x), -1), w["o"])
        y = F.rms_norm(x, x.shape[1:], w["norm2"], epsilon)
        x = x + F.linear(F.silu(F.linear(y, w["gate"])) * F.linear(y, w["up"]), w["down"])
    return x


class LlamaOmni:
    def __init__(self, c: Config, state: Mapping):
        self.c, self.state = c, state
        self.rates = inverse_frequencies(c.head, c.rope_base, c.rope_scaling)
        self.speech_rates = inverse_frequencies(c.speech_width // c.speech_heads, c.rope_base, c.rope_scaling)

    def adapt(self, states: torch.Tensor) -> torch.Tensor:
        """Whisper's states [frames, width] -> [frames / k, language model's width]; what does not fill a vector is left out."""
        k, p = self.c.stack, "model.speech_projector."
        x = states[: len(states) // k * k].reshape(-1, k * states.shape[1])
        x = F.relu(F.linear(x, self.state[p + "linear1.weight"], self.state[p + "linear1.bias"]))
        return F.linear(x, self.state[p + "linear2.weight"], self.state[p + "linear2.bias"])

    def embed(self, ids: list[int]) -> torch.Tensor:
        return F.embedding(torch.tensor(ids), self.state["model.embed_tokens.weight"])

    def hidden(self, x: torch.Tensor) -> torch.Tensor:
        c = self.c
        x = llama(x, self.state, "model.", layers=c.layers, heads=c.heads, groups=c.groups, head=c.head, epsilon=c.epsilon, rates=self.rates)
        return F.rms_norm(x, (c.width,), self.state["model.norm.weight"], c.epsilon)

    def answer(self, prompt: torch.Tensor, most: int, text_tokens: int) -> tuple[list[int], torch.Tensor]:
        """Greedy. Token ids, the end left out, and the states that predicted them [tokens, width]."""
        x, ids, states = prompt, [], []
        while len(ids) < most:
            last = self.hidden(x)[-1]
            logits = F.linear(last, self.state["lm_head.weight"])
            said = [*range(text_tokens), *self.c.ends]
            token = said[int(logits[said].argmax())]
            if token in self.c.ends:
                break
            ids.append(token)
            states.append(last)
            x = torch.cat([x, self.embed([token])])
        return ids, torch.stack(states) if states else torch.zeros(0, self.c.width)

    def symbols(self, states: torch.Tensor) -> list[int]:
        """States [tokens, width] -> the likeliest unit or blank at each of their positions."""
        c, p = self.c, "speech_generator."
        x = F.linear(states.repeat_interleave(c.upsample, 0), self.state[p + "input_proj.weight"], self.state[p + "input_proj.bias"])
        x = llama(x, self.state, p, layers=c.speech_layers, heads=c.speech_heads, groups=c.speech_heads, head=c.speech_width // c.speech_heads, epsilon=c.epsilon, rates=self.speech_rates)
        return F.linear(x, self.state[p + "output_proj.weight"], self.state[p + "output_proj.bias"]).argmax(1).tolist()


def collapse(symbols: list[int], blank: int) -> list[int]:
    return [s for i, s in enumerate(symbols) if s != blank and (i == 0 or s != symbols[i - 1])]
