"""Trains and exports the network that hears whether a caller is done, from what the recogniser has computed anyway.

    python3 -m trunkline_recipe.turns.endings ENDINGS; python3 -m trunkline_recipe.turns.endings CLEAR 5000 clear
    node trunkline_recipe/turns/hear_endings.mjs REPOSITORY ENDINGS; … CLEAR
    python3 -m trunkline_recipe.turns.end_net train ENDINGS,CLEAR FIRST.pt 9 3
    python3 -m trunkline_recipe.turns.end_net train ENDINGS,CLEAR SECOND.pt 7 4
    python3 -m trunkline_recipe.turns.end_net train ENDINGS,CLEAR THIRD.pt 7 5
    python3 -m trunkline_recipe.turns.end_net export FIRST.pt,SECOND.pt,THIRD.pt ../turn-end

Two opinions are added: of the encoder's states (a narrow projection, a convolution over time, attention pooling beside the
last moments) and of the decoder's (the last token's, the end's). While it learns, one of the two is at times left out, so
that neither the tune nor the words alone are trusted. What ships is the mean of nets that began differently (the two numbers: epochs, seed): on voices and sentences that none of them knows they err differently.
"""

import hashlib
import json
import sys
from pathlib import Path

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

WIDTH, FRAMES, STORED = 512, 60, 75
"""Encoder states looked at: 1.2 s, the 0.2 s of zeros after the words among them."""


class EndNet(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.frame_scale = nn.LayerNorm(WIDTH, elementwise_affine=False)
        self.word_scale = nn.LayerNorm(WIDTH, elementwise_affine=False)
        self.narrow = nn.Linear(WIDTH, 48)
        self.over_time = nn.Conv1d(48, 64, 5, stride=2, padding=2)
        self.attention = nn.Conv1d(64, 4, 1)
        self.place = nn.Parameter(torch.zeros(4, FRAMES // 2))
        self.heard = nn.Linear(4 * 64, 48)
        self.last = nn.Linear(WIDTH, 48)
        self.end = nn.Linear(WIDTH, 48)
        self.mix = nn.Linear(48 * 2, 48)
        self.out_heard = nn.Linear(48, 1)
        self.out_words = nn.Linear(48, 1)
        self.both = nn.Linear(96, 24)
        self.out_both = nn.Linear(24, 1)

    def forward(self, frames: torch.Tensor, written: torch.Tensor) -> torch.Tensor:
        """[batch, FRAMES, WIDTH], [batch, 2, WIDTH] -> [batch] logits."""
        drop = lambda x, p: F.dropout(x, p, self.training)
        blur = lambda x: x + 0.3 * torch.randn_like(x) if self.training else x
        x = F.gelu(self.narrow(drop(blur(self.frame_scale(frames)), 0.1))).transpose(1, 2)
        x = F.gelu(self.over_time(drop(x, 0.1)))
        weights = (self.attention(x) + self.place).softmax(2)
        pooled = (weights @ x.transpose(1, 2)).flatten(1)
        heard = F.gelu(self.heard(drop(pooled, 0.3)))
        words = blur(self.word_scale(written))
        last, end = F.gelu(self.last(drop(words[:, 0], 0.2))), F.gelu(self.end(drop(words[:, 1], 0.2)))
        words = F.gelu(self.mix(drop(torch.cat([last, end], 1), 0.3)))
        if self.training:
            keep = torch.rand(len(frames), 1)
            heard, words = heard * (keep > 0.15), words * (keep < 0.85)
        both = F.gelu(self.both(drop(torch.cat([heard, words], 1), 0.2)))
        return (self.out_heard(heard) + self.out_words(words) + self.out_both(both)).squeeze(1)


def read(folders: str):
    """All utterances of some folders, their names parted by commas, and what was computed for each."""
    found = [read_folder(folder) for folder in folders.split(",")]
    return sum((rows for rows, _ in found), []), torch.cat([states for _, states in found])


def read_folder(folder: str):
    lines = [json.loads(line) for line in (Path(folder) / "endings.jsonl").read_text().splitlines() if line]
    heard = [json.loads(line) for line in (Path(folder) / "heard.jsonl").read_text().splitlines() if line]
    rows = [lines[row["place"]] | {"heard": row["text"]} for row in heard]
    bits = np.memmap(Path(folder) / "states.bf16", dtype=np.uint16, mode="r")
    stored = (STORED + 2) * WIDTH
    floats = (bits[: len(rows) * stored].astype(np.uint32) << 16).view(np.float32)
    return rows, torch.from_numpy(floats).view(len(rows), STORED + 2, WIDTH)


def held_out(row: dict) -> bool:
    """A tenth, by the first three words, so that no beginning is on both sides."""
    start = " ".join(row["text"].lower().split()[:3])
    return int(hashlib.sha256(start.encode()).hexdigest(), 16) % 10 == 0


def train(folders: str, checkpoint: str, epochs: str = "9", seed: str = "3") -> None:
    torch.set_num_threads(1)
    torch.manual_seed(int(seed))
    rng = np.random.default_rng(int(seed))
    rows, states = read(folders)
    label = torch.tensor([float(row["done"]) for row in rows])
    test = np.array([held_out(row) for row in rows])
    learn = np.flatnonzero(~test)
    # Both answers weigh the same; a beginning that only its words give away is no surer than one that its tune does.
    share = float(label[learn].mean())
    weight = torch.where(label > 0.5, 0.5 / share, 0.5 / (1 - share))
    net = EndNet()
    steps = int(epochs) * (len(learn) // 64)
    optimiser = torch.optim.AdamW(net.parameters(), lr=1e-3, weight_decay=0.2)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, 2e-3, total_steps=steps)
    print(len(rows), "learnt", len(learn), "done", f"{share:.2f}", sum(p.numel() for p in net.parameters()), "weights", flush=True)
    order, loss_sum = rng.permutation(learn), 0.0
    for step in range(steps):
        at = step * 64 % (len(learn) - 64)
        if at < 64:
            order = rng.permutation(learn)
        pick = order[at : at + 64]
        found = states[torch.from_numpy(pick)]
        # A detector finds the end sooner or later: up to 4 states (80 ms) less or more silence.
        shift = int(rng.integers(0, 4))
        frames = found[:, STORED - FRAMES - shift : STORED - shift] if rng.random() < 0.3 else found[:, STORED - FRAMES : STORED]
        net.train()
        logits = net(frames, found[:, STORED:])
        loss = (F.binary_cross_entropy_with_logits(logits, label[pick] * 0.94 + 0.03, reduction="none") * weight[pick]).mean()
        optimiser.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(net.parameters(), 1.0)
        optimiser.step()
        schedule.step()
        loss_sum += float(loss.detach())
        if (step + 1) % max(1, steps // 7) == 0:
            print(step + 1, f"loss {loss_sum / max(1, steps // 7):.3f}", summary(net, rows, states, label, test), flush=True)
            loss_sum = 0.0
    torch.save({"net": net.state_dict()}, checkpoint)
    report(net, rows, states, np.flatnonzero(test))


def chances(net: EndNet, states: torch.Tensor, places: np.ndarray) -> np.ndarray:
    net.eval()
    found = []
    with torch.no_grad():
        for at in range(0, len(places), 128):
            some = states[torch.from_numpy(places[at : at + 128])]
            found.append(net(some[:, STORED - FRAMES : STORED], some[:, STORED:]).sigmoid())
    return torch.cat(found).numpy()


def summary(net, rows, states, label, test) -> str:
    places = np.flatnonzero(test)
    found, truth = chances(net, states, places), label[places].numpy()
    order = np.argsort(found)
    ranks = np.empty(len(order))
    ranks[order] = np.arange(1, len(order) + 1)
    done, rest = truth.sum(), (1 - truth).sum()
    area = (ranks[truth > 0.5].sum() - done * (done + 1) / 2) / (done * rest)
    return f"held out {len(places)}: area {area:.3f}, right {np.mean((found > 0.5) == (truth > 0.5)):.3f}"


def report(net: EndNet, rows: list[dict], states: torch.Tensor, places: np.ndarray) -> None:
    found = chances(net, states, places)
    for how in sorted({rows[place]["how"] for place in places}):
        mine = np.array([rows[place]["how"] == how for place in places])
        print(f"  {how:16} n {mine.sum():4}  mean {found[mine].mean():.2f}  > 0.5: {np.mean(found[mine] > 0.5):.2f}  > 0.8: {np.mean(found[mine] > 0.8):.2f}  > 0.9: {np.mean(found[mine] > 0.9):.2f}")


def opened(checkpoint: str) -> EndNet:
    net = EndNet()
    net.load_state_dict(torch.load(checkpoint)["net"])
    return net.eval()


class Chance(nn.Module):
    """The mean opinion of several nets."""

    def __init__(self, nets: list[EndNet]) -> None:
        super().__init__()
        self.nets = nn.ModuleList(nets)

    def forward(self, frames: torch.Tensor, written: torch.Tensor) -> torch.Tensor:
        return torch.stack([net(frames, written) for net in self.nets]).mean(0).sigmoid()


def export(checkpoints: str, folder: str) -> None:
    whole = Chance([opened(checkpoint) for checkpoint in checkpoints.split(",")]).eval()
    target = Path(folder) / "turn-end.onnx"
    target.parent.mkdir(parents=True, exist_ok=True)
    inputs = (torch.randn(1, FRAMES, WIDTH), torch.randn(1, 2, WIDTH))
    torch.onnx.export(whole, inputs, str(target), input_names=["frames", "written"], output_names=["done"], dynamo=False)
    content = target.read_bytes()
    import onnxruntime

    session = onnxruntime.InferenceSession(content)
    for _ in range(3):
        frames, written = torch.randn(1, FRAMES, WIDTH) * 3, torch.randn(1, 2, WIDTH) * 3
        found = session.run(None, {"frames": frames.numpy(), "written": written.numpy()})[0]
        assert np.abs(found - whole(frames, written).detach().numpy()).max() < 1e-4
    digest = hashlib.sha256(content).hexdigest()
    manifest = {
        "name": "turn-end",
        "version": "2.0.0",
        "description": "Whether a caller who pauses is done, from the states of the recogniser (whisper-base).",
        "licence": "Apache-2.0",
        "sources": [
            {
                "package": "trunkline-recipe",
                "version": "0.1.0",
                "licence": "Apache-2.0",
                "sha256": hashlib.sha256(Path(__file__).read_bytes()).hexdigest(),
                "note": "Trained by this project from nothing on voices of espeak-ng and flite and on half of Debian's asterisk-core-sounds-en (CC-BY-SA-3.0, Allison Smith). The sha256 is of models/recipe/trunkline_recipe/turns/end_net.py.",
            }
        ],
        "recipe": "python3 -m trunkline_recipe.turns.endings ENDINGS; python3 -m trunkline_recipe.turns.endings CLEAR 5000 clear; node trunkline_recipe/turns/hear_endings.mjs REPOSITORY ENDINGS (and CLEAR); python3 -m trunkline_recipe.turns.end_net train ENDINGS,CLEAR FIRST.pt 9 3 (SECOND.pt 7 4, THIRD.pt 7 5); python3 -m trunkline_recipe.turns.end_net export FIRST.pt,SECOND.pt,THIRD.pt models/turn-end",
        "files": [{"path": "turn-end.onnx", "bytes": len(content), "sha256": digest}],
        "parameters": {"width": WIDTH, "frames": FRAMES},
    }
    (target.parent / "manifest.json").write_text(json.dumps(manifest, indent=2) + "\n")
    print(len(content), digest)


if __name__ == "__main__":
    {"train": train, "export": export}[sys.argv[1]](*sys.argv[2:])
