"""Trains and exports the network that tells talk, signs of listening ("mm-hmm", "okay") and noises apart by their sound.

    python3 -m trunkline_recipe.turns.sounds SOUNDS.npz
    python3 -m trunkline_recipe.turns.sound_net train SOUNDS.npz CHECKPOINT.pt
    python3 -m trunkline_recipe.turns.sound_net score CHECKPOINT.pt CLIPS/overlaps
    python3 -m trunkline_recipe.turns.sound_net human CHECKPOINT.pt
    python3 -m trunkline_recipe.turns.sound_net export CHECKPOINT.pt models/overlap-sound

It looks at a sound from 100 ms before its onset to any later moment, in the band of a telephone, whatever its level:
log-mel energies, three convolutions, their mean and maximum over time, two layers.
"""

import hashlib
import json
import math
import random
import sys
import wave
from pathlib import Path

import numpy as np
import torch
from scipy.signal import resample_poly
from torch import nn
from torch.nn import functional as F

from ..ear.speech import coloured_noise, human_prompts, read_wav
from ..plain_graph import strip_origins
from .clips import mu_law, with_losses

RATE = 16_000
WINDOW, HOP, BANDS = 400, 160, 32
LOW_HZ, HIGH_HZ = 200.0, 3500.0
LEAD = RATE // 10
CLASSES = ("talk", "backchannel", "noise")
SHORTEST, LONGEST = 0.25, 1.3
"""Seconds from 100 ms before the onset to the moment of judgement."""
OPENING_SECONDS = 0.85
"""Until then "okay, but ..." is not told from "okay" by anybody."""


def spectrum_basis() -> torch.Tensor:
    """[2 * bins, 1, WINDOW]: cosines, then sines, under a Hann window, for the bins below HIGH_HZ."""
    bins = int(HIGH_HZ * WINDOW / RATE) + 1
    time = torch.arange(WINDOW)
    angle = 2 * math.pi * torch.arange(bins)[:, None] * time / WINDOW
    return (torch.cat([angle.cos(), angle.sin()]) * torch.hann_window(WINDOW))[:, None]


def mel_matrix() -> torch.Tensor:
    """[BANDS, bins, 1]: triangles on the mel scale (O'Shaughnessy)."""
    bins = int(HIGH_HZ * WINDOW / RATE) + 1
    mel = lambda hz: 2595 * math.log10(1 + hz / 700)
    edges = 700 * (10 ** (torch.linspace(mel(LOW_HZ), mel(HIGH_HZ), BANDS + 2) / 2595) - 1)
    hz = torch.arange(bins) * RATE / WINDOW
    rise = (hz - edges[:-2, None]) / (edges[1:-1] - edges[:-2])[:, None]
    fall = (edges[2:, None] - hz) / (edges[2:] - edges[1:-1])[:, None]
    return torch.minimum(rise, fall).clamp(min=0)[:, :, None]


class SoundNet(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("basis", spectrum_basis(), persistent=False)
        self.register_buffer("mel", mel_matrix(), persistent=False)
        self.first = nn.Conv1d(BANDS, 64, 5, stride=2, padding=2)
        self.second = nn.Conv1d(64, 64, 5, stride=2, padding=2)
        self.third = nn.Conv1d(64, 96, 3, padding=1)
        self.hidden = nn.Linear(2 * 96, 64)
        self.out = nn.Linear(64, len(CLASSES))

    def forward(self, pcm: torch.Tensor) -> torch.Tensor:
        """[batch, samples] of 16 kHz, -1..1 -> [batch, 3] logits."""
        if self.training:
            # The same, faster on a CPU.
            spectrum = (pcm.unfold(1, WINDOW, HOP) @ self.basis[:, 0].T).transpose(1, 2)
        else:
            spectrum = F.conv1d(pcm[:, None], self.basis, stride=HOP)
        real, imaginary = spectrum.chunk(2, dim=1)
        energy = F.conv1d(real * real + imaginary * imaginary, self.mel)
        # The level is for others to judge: the loudest moment is 0 dB, and 45 dB below it nothing is left.
        loudest = energy.amax(dim=(1, 2), keepdim=True).clamp(min=1e-8)
        x = torch.log10((energy / loudest).clamp(min=10**-4.5)) / 2.25 + 1
        x = F.relu(self.first(x))
        x = F.relu(self.second(x))
        x = F.relu(self.third(x))
        x = torch.cat([x.mean(dim=2), x.amax(dim=2)], dim=1)
        return self.out(F.dropout(F.relu(self.hidden(x)), 0.2, self.training))


SHARES = {
    "talk": {"made": 0.5, "hedgewars": 0.22, "allison": 0.2, "klettres": 0.03, "armelle": 0.05},
    "backchannel": {"made": 0.95, "hedgewars": 0.05},
    "noise": {"made": 0.3, "things": 0.25, "hedgewars": 0.2, "openarena": 0.15, "ufo people": 0.1},
}
"""Of a label's draws, how many go to which sources (the beginning of their names), so that the few recordings weigh enough."""


class Sounds:
    def __init__(self, path: str) -> None:
        data = np.load(path)
        pcm, lengths = data["pcm"], data["lengths"]
        self.sounds = [pcm[end - length : end].astype(np.float32) / 32768 for end, length in zip(np.cumsum(lengths), lengths, strict=True)]
        self.labels, self.opens = data["labels"], data["opens"]
        rng = np.random.default_rng(2)
        self.noise = [coloured_noise(int(LONGEST * RATE), rng, rng.choice([0, 0.5])) for _ in range(200)]
        self.sources = data["sources"]
        self.drawn = []
        for label, name in enumerate(CLASSES):
            groups = [(share, np.flatnonzero((self.labels == label) & np.char.startswith(self.sources, source))) for source, share in SHARES[name].items()]
            groups = [(share, found) for share, found in groups if len(found)]
            shares = np.array([share for share, _ in groups])
            self.drawn.append((shares / shares.sum(), [found for _, found in groups]))

    def draw(self, label: int, rng: np.random.Generator) -> int:
        shares, groups = self.drawn[label]
        return rng.choice(groups[rng.choice(len(groups), p=shares)])

    def batch(self, size: int, rng: np.random.Generator):
        seconds = rng.uniform(SHORTEST, LONGEST)
        samples = int(seconds * RATE / 2)
        pcm, labels, weights = [], [], []
        for _ in range(size):
            label = rng.choice(len(CLASSES), p=[0.45, 0.3, 0.25])
            index = self.draw(label, rng)
            pcm.append(self.heard(self.sounds[index], samples, rng))
            labels.append(label)
            weights.append(0.0 if self.opens[index] and seconds < OPENING_SECONDS else 1.0)
        wide = resample_poly(np.stack(pcm), 2, 1, axis=1).astype(np.float32)
        return torch.from_numpy(wide), torch.tensor(labels), torch.tensor(weights)

    def heard(self, sound: np.ndarray, samples: int, rng: np.random.Generator, start: float | None = None) -> np.ndarray:
        """As it may come over a line, from 100 ms before the onset as a detector finds it, or `start` seconds before it; 8 kHz."""
        out = np.zeros(samples, np.float32)
        if rng.random() < 0.5:
            # Another speaker's size and pace.
            sound = np.interp(np.arange(0, len(sound) - 1, rng.uniform(0.92, 1.09)), np.arange(len(sound)), sound).astype(np.float32)
        start = int((rng.uniform(0.02, 0.12) if start is None else start) * RATE / 2)
        part = sound[: samples - start]
        out[start : start + len(part)] = part
        level = 10 ** (rng.uniform(-36, -14) / 20)
        out *= level / max(1e-4, float(np.sqrt(np.mean(sound**2))))
        if rng.random() < 0.6:
            noise = self.noise[rng.integers(len(self.noise))]
            out += noise[:samples] * 10 ** (rng.uniform(-64, -46) / 20)
        if rng.random() < 0.3:
            out = with_losses(out, random.Random(int(rng.integers(1 << 30))), rng.uniform(0.01, 0.06)).astype(np.float32)
        return mu_law(np.clip(out, -1, 1)) if rng.random() < 0.8 else out


def train(data: str, checkpoint: str, steps: int = 3000) -> None:
    torch.set_num_threads(1)
    torch.manual_seed(1)
    rng = np.random.default_rng(1)
    sounds = Sounds(data)
    net = SoundNet()
    optimiser = torch.optim.AdamW(net.parameters(), lr=2e-3, weight_decay=1e-2)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, 4e-3, total_steps=steps)
    first, path = 0, Path(checkpoint)
    if path.exists():
        saved = torch.load(path)
        net.load_state_dict(saved["net"])
        optimiser.load_state_dict(saved["optimiser"])
        schedule.load_state_dict(saved["schedule"])
        first = saved["step"]
        rng = np.random.default_rng(first)
    right = loss_sum = seen = 0.0
    for step in range(first, steps):
        pcm, labels, weights = sounds.batch(64, rng)
        logits = net(pcm)
        loss = (F.cross_entropy(logits, labels, reduction="none", label_smoothing=0.03) * weights).sum() / weights.sum().clamp(min=1)
        optimiser.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(net.parameters(), 1.0)
        optimiser.step()
        schedule.step()
        right += float(((logits.argmax(1) == labels) * weights).sum())
        seen += float(weights.sum())
        loss_sum += float(loss.detach())
        if (step + 1) % 100 == 0:
            print(f"{step + 1} loss {loss_sum / 100:.3f} right {right / seen:.3f}", flush=True)
            right = loss_sum = seen = 0.0
            torch.save({"net": net.state_dict(), "optimiser": optimiser.state_dict(), "schedule": schedule.state_dict(), "step": step + 1}, path)


def opened(checkpoint: str) -> SoundNet:
    net = SoundNet()
    net.load_state_dict(torch.load(checkpoint)["net"])
    return net.eval()


def score(checkpoint: str, folder: str, split: str = "tune") -> None:
    net = opened(checkpoint)
    for seconds in (0.3, 0.45, 0.6, 0.8, 1.1):
        rows: dict[str, list] = {}
        for clip in json.loads((Path(folder) / "clips.json").read_text()):
            if clip["split"] != split:
                continue
            with wave.open(str(Path(folder) / clip["file"])) as file:
                pcm = np.frombuffer(file.readframes(file.getnframes()), "<i2").astype(np.float32) / 32768
            wide = resample_poly(pcm, 2, 1)
            start = int(clip["parts"][0]["startMs"] * 16) - LEAD // 2
            with torch.no_grad():
                chances = net(torch.from_numpy(wide[None, start : start + int(seconds * RATE)].astype(np.float32))).softmax(1)[0]
            rows.setdefault(clip["kind"], []).append(chances.numpy())
        print(f"{seconds:.2f} s")
        for kind, found in rows.items():
            share = np.bincount(np.argmax(found, 1), minlength=3) / len(found)
            sure = np.mean(np.array(found)[:, 1] > 0.8)
            print(f"  {kind:12} n {len(found):3}  " + "  ".join(f"{name} {part:.2f}" for name, part in zip(CLASSES, share)) + f"  surely a backchannel {sure:.2f}")


def human(checkpoint: str) -> None:
    """The recorded human prompts that were never trained on: how many are taken for talk."""
    net = opened(checkpoint)
    for seconds in (0.3, 0.45, 0.6, 0.8, 1.1):
        found = []
        for _, _, path in human_prompts(test=True):
            pcm = read_wav(path)
            loud = np.flatnonzero(np.abs(pcm) > 0.03 * np.abs(pcm).max())
            start = max(0, int(loud[0]) - LEAD // 2)
            part = resample_poly(mu_law(resample_poly(pcm[start : start + int(seconds * RATE)], 1, 2)), 2, 1)
            with torch.no_grad():
                found.append(net(torch.from_numpy(part[None].astype(np.float32))).softmax(1)[0].numpy())
        share = np.bincount(np.argmax(found, 1), minlength=3) / len(found)
        print(f"{seconds:.2f} s  n {len(found)}  " + "  ".join(f"{name} {part:.2f}" for name, part in zip(CLASSES, share)) + f"  surely a backchannel {np.mean(np.array(found)[:, 1] > 0.93):.2f}")


def export(checkpoint: str, folder: str) -> None:
    net = opened(checkpoint)
    whole = nn.Sequential(net, nn.Softmax(1)).eval()
    target = Path(folder) / "overlap-sound.onnx"
    target.parent.mkdir(parents=True, exist_ok=True)
    torch.onnx.export(
        whole, (torch.zeros(1, RATE),), str(target), input_names=["pcm"], output_names=["chances"], dynamo=True,
        dynamic_shapes=({1: torch.export.Dim("samples", min=WINDOW * 8, max=4 * RATE)},), external_data=False,
    )
    strip_origins(target)
    content = target.read_bytes()
    import onnxruntime

    session = onnxruntime.InferenceSession(content)
    for samples in (5000, 9000, 20000):
        pcm = torch.randn(1, samples) * 0.05
        found = session.run(None, {"pcm": pcm.numpy()})[0]
        assert np.abs(found - whole(pcm).detach().numpy()).max() < 1e-4
    print(len(content), hashlib.sha256(content).hexdigest())


if __name__ == "__main__":
    {"train": train, "score": score, "human": human, "export": export}[sys.argv[1]](*sys.argv[2:])
