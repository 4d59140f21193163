"""The decoder of SNAC (Siuzdak, Grötschla and Lanzendörfer, 2024) in torch, reading the published state dict.

    codes → three codebooks, each projected and repeated to the latent rate, added
          → depthwise k7, 1x1 → blocks {Snake, transposed conv, noise, residual units of dilation 1, 3, 9} → Snake, k7, tanh

The noise of its blocks is an input: a program that draws it by the place in the utterance gets the same sound from
overlapping windows, and a test gets the same sound twice.
"""

import json
import math
import pathlib

import torch
import torch.nn.functional as F

from ..ear.graph import FLOAT, INT64
from .manifest import save_graph
from .weights import WeightGraph


def plain_weight(state: dict[str, torch.Tensor], name: str) -> torch.Tensor:
    """Undoes weight normalisation, in either form that torch has stored it: g · v / |v|, norms over all but the first axis."""
    if f"{name}.weight" in state:
        return state[f"{name}.weight"].float()
    for g, v in ((f"{name}.parametrizations.weight.original0", f"{name}.parametrizations.weight.original1"), (f"{name}.weight_g", f"{name}.weight_v")):
        if g in state:
            direction = state[v].float()
            norm = direction.flatten(1).norm(dim=1).view(-1, *[1] * (direction.dim() - 1))
            return state[g].float() * direction / norm
    raise KeyError(name)


class SnacDecoder:
    def __init__(self, state: dict[str, torch.Tensor], config: dict):
        if config.get("attn_window_size") is not None:
            raise ValueError("Only SNAC without attention (24 kHz) is supported.")
        self.config = config
        self.strides = config["vq_strides"]
        self.rates = config["decoder_rates"]
        self.depthwise = config.get("depthwise", True)
        self.noisy = config.get("noise", True)
        self.codebooks = [state[f"quantizer.quantizers.{i}.codebook.weight"].float() for i in range(len(self.strides))]
        self.weights: dict[str, torch.Tensor] = {}
        for key in state:
            if not key.startswith("decoder.") and ".out_proj." not in key:
                continue
            name = key.split(".parametrizations.")[0] if ".parametrizations." in key else key.rsplit(".", 1)[0]
            if key.endswith((".bias", ".alpha")):
                self.weights[key] = state[key].float()
            elif f"{name}.weight" not in self.weights:
                self.weights[f"{name}.weight"] = plain_weight(state, name)

    def w(self, name: str) -> torch.Tensor | None:
        return self.weights.get(name)

    @property
    def samples_per_frame(self) -> int:
        return self.strides[0] * math.prod(self.rates)

    def noise_lengths(self) -> list[int]:
        """Samples of noise that a block takes for each latent."""
        return [math.prod(self.rates[: i + 1]) for i in range(len(self.rates))] if self.noisy else []

    def conv(self, name: str, x: torch.Tensor, **options) -> torch.Tensor:
        return F.conv1d(x, self.w(f"{name}.weight"), self.w(f"{name}.bias"), **options)

    def snake(self, name: str, x: torch.Tensor) -> torch.Tensor:
        alpha = self.w(f"{name}.alpha")
        return x + (alpha + 1e-9).reciprocal() * torch.sin(alpha * x).pow(2)

    def latents(self, codes: list[torch.Tensor]) -> torch.Tensor:
        total = 0.0
        for i, stride in enumerate(self.strides):
            z = F.embedding(codes[i], self.codebooks[i]).transpose(1, 2)
            z = self.conv(f"quantizer.quantizers.{i}.out_proj", z)
            total = total + z.repeat_interleave(stride, dim=-1)
        return total

    def __call__(self, codes: list[torch.Tensor], noise: list[torch.Tensor]) -> torch.Tensor:
        """codes: int64 [1, L], [1, 2L], [1, 4L]; noise: one [1, 1, samples] per block → [1, 1, samples]."""
        x = self.latents(codes)
        at = 0
        if self.depthwise:
            x = self.conv("decoder.model.0", x, padding=3, groups=x.shape[1])
            x = self.conv("decoder.model.1", x)
            at = 2
        else:
            x = self.conv("decoder.model.0", x, padding=3)
            at = 1
        for i, rate in enumerate(self.rates):
            block = f"decoder.model.{at + i}.block"
            x = self.snake(f"{block}.0", x)
            x = F.conv_transpose1d(x, self.w(f"{block}.1.weight"), self.w(f"{block}.1.bias"), stride=rate, padding=math.ceil(rate / 2), output_padding=rate % 2)
            unit = 2
            if self.noisy:
                x = x + noise[i] * self.conv(f"{block}.2.linear", x)
                unit = 3
            for nth, dilation in enumerate((1, 3, 9)):
                inner = f"{block}.{unit + nth}.block"
                y = self.snake(f"{inner}.0", x)
                y = self.conv(f"{inner}.1", y, dilation=dilation, padding=3 * dilation, groups=y.shape[1] if self.depthwise else 1)
                x = x + self.conv(f"{inner}.3", self.snake(f"{inner}.2", y))
        last = at + len(self.rates)
        x = self.snake(f"decoder.model.{last}", x)
        return torch.tanh(self.conv(f"decoder.model.{last + 1}", x, padding=3))


def load_snac(folder: pathlib.Path) -> SnacDecoder:
    """folder: config.json and pytorch_model.bin, as published."""
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    state = torch.load(folder / "pytorch_model.bin", map_location="cpu", weights_only=True)
    return SnacDecoder(state, config)


def export_snac(decoder: SnacDecoder, path: pathlib.Path) -> None:
    """codes_0, codes_1, codes_2 int64 [1, L·1|2|4] and noise_i float32 [1, 1, samples] → pcm float32 [1, 1, samples]."""
    g = WeightGraph("snac-decoder", 32)

    def array(name: str) -> str:
        return g.constant(decoder.w(name).numpy())

    def conv(name: str, x: str, kind: str = "Conv", **attributes) -> str:
        weight = decoder.w(f"{name}.weight")
        bias = [array(f"{name}.bias")] if decoder.w(f"{name}.bias") is not None else []
        return g.op(kind, x, g.constant(weight.numpy()), *bias, kernel_shape=[weight.shape[2]], **attributes)

    def snake(name: str, x: str) -> str:
        alpha = decoder.w(f"{name}.alpha")
        wave = g.op("Sin", g.op("Mul", x, g.constant(alpha.numpy())))
        return g.op("Add", x, g.op("Mul", g.op("Mul", wave, wave), g.constant((alpha + 1e-9).reciprocal().numpy())))

    codes = [g.input(f"codes_{i}", INT64, [1, f"L{i}"]) for i in range(len(decoder.strides))]
    noise = [g.input(f"noise_{i}", FLOAT, [1, 1, f"N{i}"]) for i in range(len(decoder.noise_lengths()))]
    x = ""
    for i, stride in enumerate(decoder.strides):
        z = g.op("Transpose", g.op("Gather", g.constant(decoder.codebooks[i].numpy()), codes[i]), perm=[0, 2, 1])
        z = conv(f"quantizer.quantizers.{i}.out_proj", z)
        if stride > 1:
            z = g.op("Expand", g.op("Unsqueeze", z, g.ints(3)), g.ints(1, 1, 1, stride))
            z = g.op("Reshape", z, g.ints(0, 0, -1))
        x = z if x == "" else g.op("Add", x, z)
    at = 1
    if decoder.depthwise:
        x = conv("decoder.model.0", x, pads=[3, 3], group=decoder.w("decoder.model.0.weight").shape[0])
        x = conv("decoder.model.1", x)
        at = 2
    else:
        x = conv("decoder.model.0", x, pads=[3, 3])
    for i, rate in enumerate(decoder.rates):
        block, pad = f"decoder.model.{at + i}.block", math.ceil(rate / 2)
        x = conv(f"{block}.1", snake(f"{block}.0", x), "ConvTranspose", strides=[rate], pads=[pad, pad], output_padding=[rate % 2])
        unit = 2
        if decoder.noisy:
            x = g.op("Add", x, g.op("Mul", noise[i], conv(f"{block}.2.linear", x)))
            unit = 3
        for nth, dilation in enumerate((1, 3, 9)):
            inner = f"{block}.{unit + nth}.block"
            width = decoder.w(f"{inner}.1.weight").shape[0]
            y = conv(f"{inner}.1", snake(f"{inner}.0", x), pads=[3 * dilation] * 2, dilations=[dilation], group=width if decoder.depthwise else 1)
            x = g.op("Add", x, conv(f"{inner}.3", snake(f"{inner}.2", y)))
    last = at + len(decoder.rates)
    x = g.op("Tanh", conv(f"decoder.model.{last + 1}", snake(f"decoder.model.{last}", x), pads=[3, 3]))
    g.output(x, "pcm", FLOAT, [1, 1, "samples"])
    save_graph(g.model(), path)
