"""Tells talk, signs of listening and noises apart by what the recogniser's encoder made of them: the second opinion on sounds over
the agent's voice, for spans that the recogniser is asked about anyway.

    python3 -m trunkline_recipe.turns.sounds SOUNDS.npz
    python3 -m trunkline_recipe.turns.sound_states rows SOUNDS.npz FOLDER
    node trunkline_recipe/turns/hear_sounds.mjs REPOSITORY FOLDER
    python3 -m trunkline_recipe.turns.sound_states train FOLDER CHECKPOINT.pt
    python3 -m trunkline_recipe.turns.sound_states export CHECKPOINT.pt models/overlap-states

The states of Radford et al.'s encoder (50 a second), narrowed, two convolutions, their mean and maximum over time, two layers.
"""

import hashlib
import json
import sys
from pathlib import Path

import numpy as np
import torch
from scipy.signal import resample_poly
from torch import nn
from torch.nn import functional as F

from ..plain_graph import strip_origins
from .sound_net import CLASSES, RATE, Sounds

WIDTH = 512
FRAMES = 96
"""Longest span that is learnt from, in states of 20 ms."""
FEWEST_FRAMES = 20
PRE_ROLL = 0.3
SPOKEN = (0.22, 0.32, 0.44, 0.6, 0.8, 1.1)
"""Seconds of the sound that have been heard when the recogniser is asked."""
ENDED_AFTER = 0.1
OPENING_SECONDS = 0.7
"""Until then "okay, but ..." is not told from "okay" by anybody."""


def rows(data: str, folder: str, count: str = "7000") -> None:
    """speech.pcm (16 bits, 16 kHz, one after the other) and rows.jsonl."""
    rng = np.random.default_rng(5)
    sounds = Sounds(data)
    target = Path(folder)
    target.mkdir(parents=True, exist_ok=True)
    with open(target / "speech.pcm", "wb") as speech, open(target / "rows.jsonl", "w") as lines:
        for _ in range(int(count)):
            label = int(rng.choice(len(CLASSES), p=[0.42, 0.28, 0.3]))
            index = sounds.draw(label, rng)
            sound = sounds.sounds[index]
            heard = float(rng.choice(SPOKEN))
            seconds = min(heard, len(sound) * 2 / RATE + ENDED_AFTER) + PRE_ROLL
            narrow = sounds.heard(sound, int(seconds * RATE / 2), rng, start=PRE_ROLL + rng.uniform(-0.08, 0.03))
            wide = np.clip(resample_poly(narrow, 2, 1) * 32768, -32768, 32767).astype("<i2")
            speech.write(wide.tobytes())
            weight = 0.0 if sounds.opens[index] and heard < OPENING_SECONDS else 1.0
            lines.write(json.dumps({"label": label, "source": str(sounds.sources[index]), "samples": len(wide), "heard": heard, "weight": weight}) + "\n")


class StatesNet(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.narrow = nn.Linear(WIDTH, 64)
        self.first = nn.Conv1d(64, 64, 5, padding=2)
        self.second = nn.Conv1d(64, 64, 3, padding=1)
        self.hidden = nn.Linear(2 * 64, 48)
        self.out = nn.Linear(48, len(CLASSES))

    def forward(self, states: torch.Tensor, known: torch.Tensor | None = None) -> torch.Tensor:
        """[batch, frames, width] -> [batch, 3] logits. `known` [batch, frames, 1]: 1 where there is a state, 0 behind it."""
        if self.training:
            states = F.dropout(states, 0.2)
        x = F.relu(self.narrow(F.layer_norm(states, (WIDTH,))))
        x = F.dropout(x, 0.2, self.training)
        mask = None if known is None else known.transpose(1, 2)
        x = x.transpose(1, 2)
        x = F.relu(self.first(x if mask is None else x * mask))
        x = F.relu(self.second(x if mask is None else x * mask))
        if mask is None:
            mean = x.mean(dim=2)
        else:
            x = x * mask
            mean = x.sum(dim=2) / mask.sum(dim=2)
        x = torch.cat([mean, x.amax(dim=2)], dim=1)
        return self.out(F.dropout(F.relu(self.hidden(x)), 0.3, self.training))


class Heard:
    """What hear_sounds.mjs wrote."""

    def __init__(self, folder: str) -> None:
        place = Path(folder)
        self.rows = [json.loads(line) for line in (place / "rows.jsonl").read_text().splitlines()]
        self.frames = np.fromfile(place / "frames.u16", "<u2").astype(np.int64)
        self.rows = self.rows[: len(self.frames)]
        self.starts = np.cumsum(self.frames) - self.frames
        self.states = np.memmap(place / "states.bf16", "<u2", "r").reshape(-1, WIDTH)

    def batch(self, places: np.ndarray) -> tuple[torch.Tensor, torch.Tensor]:
        longest = min(FRAMES, int(self.frames[places].max()))
        out = np.zeros((len(places), longest, WIDTH), np.uint32)
        known = np.zeros((len(places), longest, 1), np.float32)
        for row, place in enumerate(places):
            count = min(longest, int(self.frames[place]))
            out[row, :count] = self.states[self.starts[place] : self.starts[place] + count].astype(np.uint32) << 16
            known[row, :count] = 1
        return torch.from_numpy(out.view(np.float32)), torch.from_numpy(known)


def train(folder: str, checkpoint: str, epochs: str = "7", seed: str = "1", leave_out: str = "") -> None:
    """`leave_out`: sources that are only measured, separated by commas (the beginning of their names)."""
    torch.set_num_threads(1)
    torch.manual_seed(int(seed))
    rng = np.random.default_rng(int(seed))
    heard = Heard(folder)
    labels = np.array([row["label"] for row in heard.rows])
    weights = np.array([row["weight"] for row in heard.rows], np.float32)
    kept = np.array([bool(leave_out) and row["source"].startswith(tuple(leave_out.split(","))) for row in heard.rows])
    learn = np.flatnonzero(~kept & (weights > 0))
    net = StatesNet()
    print(len(learn), "learnt,", kept.sum(), "kept,", sum(p.numel() for p in net.parameters()), "weights", flush=True)
    steps = int(epochs) * (len(learn) // 48)
    optimiser = torch.optim.AdamW(net.parameters(), lr=1e-3, weight_decay=0.1)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, 2e-3, total_steps=steps)
    loss_sum, right, order, at = 0.0, 0.0, rng.permutation(learn), 0
    for step in range(steps):
        if at + 48 > len(order):
            order, at = rng.permutation(learn), 0
        pick = order[at : at + 48]
        at += 48
        net.train()
        states, known = heard.batch(pick)
        logits = net(states, known)
        truth = torch.from_numpy(labels[pick])
        loss = F.cross_entropy(logits, truth, label_smoothing=0.05)
        optimiser.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(net.parameters(), 1.0)
        optimiser.step()
        schedule.step()
        loss_sum += float(loss.detach())
        right += float((logits.argmax(1) == truth).float().mean())
        if (step + 1) % 200 == 0:
            print(f"{step + 1} of {steps} loss {loss_sum / 200:.3f} right {right / 200:.3f}", flush=True)
            loss_sum = right = 0.0
    torch.save({"net": net.state_dict()}, checkpoint)
    places = np.flatnonzero(kept & (weights > 0))
    if len(places):
        summary(net, heard, places)


def chances(net: StatesNet, heard: Heard, places: np.ndarray) -> np.ndarray:
    net.eval()
    with torch.no_grad():
        return torch.cat([net(*heard.batch(places[at : at + 64])).softmax(1) for at in range(0, len(places), 64)]).numpy()


def summary(net: StatesNet, heard: Heard, places: np.ndarray) -> None:
    found = chances(net, heard, places)
    names = sorted({(CLASSES[heard.rows[place]["label"]], heard.rows[place]["source"].split(" ")[0]) for place in places})
    for label, source in names:
        for heard_s in SPOKEN:
            mine = [i for i, place in enumerate(places) if heard.rows[place]["heard"] == heard_s and CLASSES[heard.rows[place]["label"]] == label and heard.rows[place]["source"].startswith(source)]
            if mine:
                print(f"  {label:12} {source:12} {heard_s:.2f} s n {len(mine):4}  " + "  ".join(f"{name} {np.mean(found[mine].argmax(1) == i):.2f}" for i, name in enumerate(CLASSES)))


def opened(checkpoint: str) -> StatesNet:
    net = StatesNet()
    net.load_state_dict(torch.load(checkpoint)["net"])
    return net.eval()


class Opinion(nn.Module):
    """The mean opinion of several nets."""

    def __init__(self, nets: list[StatesNet]) -> None:
        super().__init__()
        self.nets = nn.ModuleList(nets)

    def forward(self, states: torch.Tensor) -> torch.Tensor:
        return torch.stack([net(states) for net in self.nets]).mean(0).softmax(1)


def export(checkpoints: str, folder: str) -> None:
    whole = Opinion([opened(checkpoint) for checkpoint in checkpoints.split(",")]).eval()
    target = Path(folder) / "overlap-states.onnx"
    target.parent.mkdir(parents=True, exist_ok=True)
    torch.onnx.export(
        whole, (torch.randn(1, 60, WIDTH),), str(target), input_names=["states"], output_names=["chances"], dynamo=True,
        dynamic_shapes=({1: torch.export.Dim("frames", min=8, max=1500)},), external_data=False,
    )
    strip_origins(target)
    content = target.read_bytes()
    import onnxruntime

    session = onnxruntime.InferenceSession(content)
    for frames in (20, 45, 120):
        states = torch.randn(1, frames, WIDTH) * 3
        found = session.run(None, {"states": states.numpy()})[0]
        assert np.abs(found - whole(states).detach().numpy()).max() < 1e-4
    digest = hashlib.sha256(content).hexdigest()
    manifest = {
        "name": "overlap-states",
        "version": "1.0.0",
        "description": "What a sound over the agent's voice is, from the states of the recogniser's encoder (whisper-base).",
        "licence": "Apache-2.0",
        "sources": [
            {
                "package": "trunkline-recipe",
                "version": "0.1.0",
                "licence": "Apache-2.0",
                "sha256": hashlib.sha256(Path(__file__).read_bytes()).hexdigest(),
                "note": "Trained by this project from nothing on voices of espeak-ng, flite and festival, on the agent's own voice, on half of Debian's asterisk-core-sounds-en (CC-BY-SA-3.0), on made noises, and on the recordings that human_sounds.py names (GFDL-1.3, GPL-2+, GPL-3+). The sha256 is of models/recipe/trunkline_recipe/turns/sound_states.py.",
            }
        ],
        "recipe": "python3 -m trunkline_recipe.turns.sounds SOUNDS.npz; python3 -m trunkline_recipe.turns.sound_states rows SOUNDS.npz FOLDER; node trunkline_recipe/turns/hear_sounds.mjs REPOSITORY FOLDER; python3 -m trunkline_recipe.turns.sound_states train FOLDER CHECKPOINT.pt; python3 -m trunkline_recipe.turns.sound_states export CHECKPOINT.pt models/overlap-states",
        "files": [{"path": "overlap-states.onnx", "bytes": len(content), "sha256": digest}],
        "parameters": {"width": WIDTH, "fewestFrames": FEWEST_FRAMES, "mostFrames": FRAMES},
    }
    (target.parent / "manifest.json").write_text(json.dumps(manifest, indent=2) + "\n")
    print(len(content), digest)


if __name__ == "__main__":
    {"rows": rows, "train": train, "export": export}[sys.argv[1]](*sys.argv[2:])
