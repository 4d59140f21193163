"""Mini-Omni's language model in plain torch, without a cache, reading the published checkpoint (litGPT's names and layouts).

Eight ids per position look up one table and are averaged; heard speech takes the place of the seven audio embeddings.
One head over text and the seven audio vocabularies. The packed projection holds, for each group of query heads, its
queries, then its key, then its value.
"""

import pathlib
from dataclasses import dataclass

import torch
import torch.nn.functional as F

AUDIO_LAYERS = 7
SPECIAL_IDS = 64


@dataclass(frozen=True)
class Config:
    layers: int
    width: int
    heads: int
    groups: int
    head_size: int
    inner: int
    positions: int
    rope_base: float
    epsilon: float
    text_vocabulary: int
    audio_vocabulary: int
    whisper_width: int

    @property
    def vocabulary(self) -> int:
        return self.text_vocabulary + AUDIO_LAYERS * self.audio_vocabulary


def read_config(path: pathlib.Path) -> Config:
    """model_config.yaml: flat `key: value` lines, which needs no YAML library."""
    values: dict[str, str] = {}
    for line in path.read_text(encoding="utf-8").splitlines():
        key, mark, value = line.partition(":")
        if mark and not line.startswith((" ", "#", "-")):
            values[key.strip()] = value.split("#")[0].strip().strip("'\"")

    def number(key: str, fallback: float | None = None) -> float:
        text = values.get(key, "")
        if text in ("", "null"):
            if fallback is None:
                raise ValueError(f"{path.name} has no {key}.")
            return fallback
        return float(text)

    if values.get("asr_adapter", "llamamlp") != "llamamlp":
        raise ValueError(f"asr_adapter {values['asr_adapter']} is not supported; the published checkpoint has llamamlp.")
    width, heads = int(number("n_embd")), int(number("n_head"))
    return Config(
        layers=int(number("n_layer")),
        width=width,
        heads=heads,
        groups=int(number("n_query_groups", heads)),
        head_size=int(number("head_size", width / heads)),
        inner=int(number("intermediate_size")),
        positions=int(number("block_size")),
        rope_base=number("rope_base", 10000),
        epsilon=number("norm_eps", 1e-5),
        text_vocabulary=int(number("text_vocab_size", 152000)),
        audio_vocabulary=int(number("audio_vocab_size", 4160)),
        whisper_width=int(number("whisper_adapter_dim", 768)),
    )


def expected_shapes(c: Config) -> dict[str, tuple[int, ...]]:
    shapes = {
        "lm_head.weight": (c.vocabulary, c.width),
        "transformer.wte.weight": (c.vocabulary, c.width),
        "transformer.ln_f.weight": (c.width,),
        "whisper_adapter.fc_1.weight": (c.inner, c.whisper_width),
        "whisper_adapter.fc_2.weight": (c.inner, c.whisper_width),
        "whisper_adapter.proj.weight": (c.width, c.inner),
    }
    packed = (c.heads + 2 * c.groups) * c.head_size
    for layer in range(c.layers):
        p = f"transformer.h.{layer}."
        shapes |= {
            p + "norm_1.weight": (c.width,),
            p + "attn.attn.weight": (packed, c.width),
            p + "attn.attn.bias": (packed,),
            p + "attn.proj.weight": (c.width, c.heads * c.head_size),
            p + "norm_2.weight": (c.width,),
            p + "mlp.fc_1.weight": (c.inner, c.width),
            p + "mlp.fc_2.weight": (c.inner, c.width),
            p + "mlp.proj.weight": (c.width, c.inner),
        }
    return shapes


def load_checkpoint(path: pathlib.Path, c: Config) -> dict[str, torch.Tensor]:
    """Every tensor that the layout asks for, with its shape checked."""
    state = torch.load(path, map_location="cpu", weights_only=True, mmap=True)
    state = state.get("model", state)
    problems = []
    for name, shape in expected_shapes(c).items():
        found = tuple(state[name].shape) if name in state else None
        if found != shape:
            problems.append(f"{name} is {found or 'missing'}, expected {shape}")
    if problems:
        raise ValueError(f"{path.name} is not the layout of Mini-Omni: " + "; ".join(problems[:5]))
    return {name: state[name].float() for name in expected_shapes(c)}


def unpack(packed: torch.Tensor, c: Config) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Queries, keys and values out of the packed rows (weight [rows, width] or bias [rows])."""
    per_group = c.heads // c.groups
    rows = packed.view(c.groups, per_group + 2, c.head_size, *packed.shape[1:])
    tail = packed.shape[1:]
    return (rows[:, :per_group].reshape(-1, *tail), rows[:, per_group].reshape(-1, *tail), rows[:, per_group + 1].reshape(-1, *tail))


class MiniOmni:
    def __init__(self, state: dict[str, torch.Tensor], config: Config):
        self.state, self.c = state, config
        angles = torch.arange(config.positions)[:, None] * config.rope_base ** (-torch.arange(0, config.head_size, 2) / config.head_size)[None]
        self.cos, self.sin = angles.cos().repeat(1, 2), angles.sin().repeat(1, 2)

    def adapt(self, features: torch.Tensor) -> torch.Tensor:
        """Whisper's vectors [T, whisper width] → [T, width]."""
        return self.swiglu(features, "whisper_adapter.fc_1", "whisper_adapter.fc_2", "whisper_adapter.proj")

    def swiglu(self, x: torch.Tensor, gate: str, up: str, down: str) -> torch.Tensor:
        w = self.state
        return F.linear(F.silu(F.linear(x, w[gate + ".weight"])) * F.linear(x, w[up + ".weight"]), w[down + ".weight"])

    def norm(self, x: torch.Tensor, name: str) -> torch.Tensor:
        return x * torch.rsqrt((x * x).mean(-1, keepdim=True) + self.c.epsilon) * self.state[name]

    def rotate(self, x: torch.Tensor) -> torch.Tensor:
        """x [rows, heads, n, head size]; the half of a head's dimensions is paired with the other half."""
        length, half = x.shape[2], x.shape[3] // 2
        turned = torch.cat([-x[..., half:], x[..., :half]], -1)
        return x * self.cos[:length] + turned * self.sin[:length]

    def __call__(self, ids: torch.Tensor, heard: torch.Tensor | None = None) -> tuple[torch.Tensor, torch.Tensor]:
        """ids [rows, n, 8]: seven audio layers, then text. heard [T, width]: adapted speech at positions 1 … T.

        Logits of the last position: text [rows, text vocabulary], audio [rows, 7, audio vocabulary].
        """
        c, w = self.c, self.state
        streams = w["transformer.wte.weight"][ids]
        if heard is not None:
            streams = streams.clone()
            streams[:, 1 : 1 + len(heard), :AUDIO_LAYERS] = heard[None, :, None, :]
        x = streams.sum(2) / (AUDIO_LAYERS + 1)
        rows, n, _ = x.shape
        mask = torch.ones(n, n, dtype=torch.bool).tril()
        for layer in range(c.layers):
            p = f"transformer.h.{layer}."
            y = self.norm(x, p + "norm_1.weight")
            parts = zip(unpack(w[p + "attn.attn.weight"], c), unpack(w[p + "attn.attn.bias"], c), strict=True)
            q, k, v = (F.linear(y, weight, bias).view(rows, n, -1, c.head_size).transpose(1, 2) for weight, bias in parts)
            q, k = self.rotate(q), self.rotate(k)
            repeat = c.heads // c.groups
            k, v = k.repeat_interleave(repeat, 1), v.repeat_interleave(repeat, 1)
            scores = (q @ k.transpose(-1, -2)) * c.head_size**-0.5
            y = (scores.masked_fill(~mask, -torch.inf).softmax(-1) @ v).transpose(1, 2).reshape(rows, n, -1)
            x = x + F.linear(y, w[p + "attn.proj.weight"])
            x = x + self.swiglu(self.norm(x, p + "norm_2.weight"), p + "mlp.fc_1", p + "mlp.fc_2", p + "mlp.proj")
        logits = F.linear(self.norm(x[:, -1], "transformer.ln_f.weight"), w["lm_head.weight"])
        return logits[:, : c.text_vocabulary], logits[:, c.text_vocabulary :].view(rows, AUDIO_LAYERS, c.audio_vocabulary)
