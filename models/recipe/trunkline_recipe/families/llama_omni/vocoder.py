"""The unit vocoder (CodeHiFiGAN: Polyak et al., 2021, with the duration predictor of Lee et al., 2022) in torch and as graphs.

    unit → embedding → {conv k3, ReLU, norm} × 2, linear → frames = max(1, round(e^x − 1)); the embedding repeated
         → conv k7 → {leaky ReLU, transposed conv, mean of residual blocks k3|k7|k11} → leaky ReLU, conv k7, tanh
"""

import json
import math
import pathlib

import torch
import torch.nn.functional as F

from ..manifest import save_graph
from ..snac import plain_weight
from ..weights import FLOAT, WeightGraph
from .layers import INT64

SLOPE, LAST_SLOPE = 0.1, 0.01


class Vocoder:
    def __init__(self, state: dict[str, torch.Tensor], config: dict):
        if not config.get("dur_predictor_params"):
            raise SystemExit("The vocoder has no duration predictor: units without repeats cannot be said with it.")
        self.rates, self.kernels = config["upsample_rates"], config["upsample_kernel_sizes"]
        self.block_kernels, self.dilations = config["resblock_kernel_sizes"], config["resblock_dilation_sizes"]
        self.sample_rate = config.get("sampling_rate", 16000)
        self.weights = {}
        for key, value in state.items():
            name = key.rsplit(".", 1)[0]
            if key.endswith((".weight_g", ".weight_v")):
                self.weights[name + ".weight"] = plain_weight(state, name)
            else:
                self.weights[key] = value.float()
        needed = ["dict.weight", "conv_pre.weight", "conv_post.weight", "dur_predictor.proj.weight", f"ups.{len(self.rates) - 1}.weight", f"resblocks.{len(self.rates) * len(self.block_kernels) - 1}.convs2.0.weight"]
        missing = [name for name in needed if name not in self.weights]
        if missing:
            raise SystemExit(f"The vocoder lacks {', '.join(missing)}: it is no CodeHiFiGAN of its config.json.")

    @property
    def units(self) -> int:
        return self.weights["dict.weight"].shape[0]

    @property
    def samples_per_frame(self) -> int:
        return math.prod(self.rates)

    def conv(self, name: str, x: torch.Tensor, **how) -> torch.Tensor:
        return F.conv1d(x, self.weights[name + ".weight"], self.weights[name + ".bias"], **how)

    def durations(self, units: torch.Tensor) -> torch.Tensor:
        """[N] -> frames of each [N]."""
        x = F.embedding(units, self.weights["dict.weight"])
        for i in (1, 2):
            name = f"dur_predictor.conv{i}.0"
            x = F.relu(self.conv(name, x.T[None], padding=self.weights[name + ".weight"].shape[2] // 2))[0].T
            x = F.layer_norm(x, x.shape[1:], self.weights[f"dur_predictor.ln{i}.weight"], self.weights[f"dur_predictor.ln{i}.bias"])
        x = F.linear(x, self.weights["dur_predictor.proj.weight"], self.weights["dur_predictor.proj.bias"])[:, 0]
        return torch.round(torch.exp(x) - 1).long().clamp(min=1)

    def sound(self, frames: torch.Tensor) -> torch.Tensor:
        """Units repeated [T] -> samples."""
        x = self.conv("conv_pre", F.embedding(frames, self.weights["dict.weight"]).T[None], padding=3)
        for i, (rate, kernel) in enumerate(zip(self.rates, self.kernels)):
            w = f"ups.{i}"
            x = F.conv_transpose1d(F.leaky_relu(x, SLOPE), self.weights[w + ".weight"], self.weights[w + ".bias"], stride=rate, padding=(kernel - rate) // 2)
            total = 0
            for j, (size, dilations) in enumerate(zip(self.block_kernels, self.dilations)):
                block, y = f"resblocks.{i * len(self.block_kernels) + j}", x
                for d, dilation in enumerate(dilations):
                    z = self.conv(f"{block}.convs1.{d}", F.leaky_relu(y, SLOPE), dilation=dilation, padding=dilation * (size // 2))
                    y = y + self.conv(f"{block}.convs2.{d}", F.leaky_relu(z, SLOPE), padding=size // 2)
                total = total + y
            x = total / len(self.block_kernels)
        return torch.tanh(self.conv("conv_post", F.leaky_relu(x, LAST_SLOPE), padding=3)).flatten()


def load_vocoder(folder: pathlib.Path) -> Vocoder:
    """folder: config.json and g_00500000, as published."""
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    try:
        state = torch.load(folder / "g_00500000", map_location="cpu", weights_only=True)
    except Exception as error:
        raise SystemExit(f"vocoder/g_00500000 cannot be read: {error}") from error
    return Vocoder(state.get("generator", state), config)


def export_vocoder(vocoder: Vocoder, folder: pathlib.Path) -> None:
    """unit-durations.onnx: units [1, N] -> frames float32 [1, N]; unit-sound.onnx: frames [1, T] -> pcm [1, 1, samples]."""
    w = vocoder.weights

    def embedded(g, name, axis):
        return g.op("Gather", g.constant(w["dict.weight"].numpy()), g.input(name, INT64, [1, axis]))

    def conv(g, name, x, kind="Conv", **how):
        weight = w[name + ".weight"]
        return g.op(kind, x, g.constant(weight.numpy()), g.constant(w[name + ".bias"].numpy()), kernel_shape=[weight.shape[2]], **how)

    g = WeightGraph("unit-durations", 32)
    x = embedded(g, "units", "N")
    for i in (1, 2):
        name = f"dur_predictor.conv{i}.0"
        pad = w[name + ".weight"].shape[2] // 2
        x = g.op("Relu", conv(g, name, g.op("Transpose", x, perm=[0, 2, 1]), pads=[pad, pad]))
        x = g.norm(g.op("Transpose", x, perm=[0, 2, 1]), w[f"dur_predictor.ln{i}.weight"].numpy(), w[f"dur_predictor.ln{i}.bias"].numpy())
    x = g.op("Squeeze", g.matrix(x, w["dur_predictor.proj.weight"], w["dur_predictor.proj.bias"]), g.ints(2))
    one = g.constant(torch.ones(()).numpy())
    x = g.op("Max", g.op("Round", g.op("Sub", g.op("Exp", x), one)), one)
    g.output(x, "frames", FLOAT, [1, "N"])
    save_graph(g.model(), folder / "unit-durations.onnx")

    g = WeightGraph("unit-sound", 32)
    x = conv(g, "conv_pre", g.op("Transpose", embedded(g, "frames", "T"), perm=[0, 2, 1]), pads=[3, 3])
    for i, (rate, kernel) in enumerate(zip(vocoder.rates, vocoder.kernels)):
        pad = (kernel - rate) // 2
        x = conv(g, f"ups.{i}", g.op("LeakyRelu", x, alpha=SLOPE), "ConvTranspose", strides=[rate], pads=[pad, pad])
        blocks = []
        for j, (size, dilations) in enumerate(zip(vocoder.block_kernels, vocoder.dilations)):
            block, y = f"resblocks.{i * len(vocoder.block_kernels) + j}", x
            for d, dilation in enumerate(dilations):
                z = conv(g, f"{block}.convs1.{d}", g.op("LeakyRelu", y, alpha=SLOPE), dilations=[dilation], pads=[dilation * (size // 2)] * 2)
                y = g.op("Add", y, conv(g, f"{block}.convs2.{d}", g.op("LeakyRelu", z, alpha=SLOPE), pads=[size // 2] * 2))
            blocks.append(y)
        x = g.op("Mean", *blocks)
    x = g.op("Tanh", conv(g, "conv_post", g.op("LeakyRelu", x, alpha=LAST_SLOPE), pads=[3, 3]))
    g.output(x, "pcm", FLOAT, [1, 1, "samples"])
    save_graph(g.model(), folder / "unit-sound.onnx")
