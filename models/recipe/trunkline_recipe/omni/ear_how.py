"""Teaches what was not in the words: classes from pooled features, then how tokens that lead the trunk to another reply.

    python -m trunkline_recipe.omni.ear_how classes WORK            probe and classifier on WORK/manner
    python -m trunkline_recipe.omni.ear_how replies WORK TRUNK      the tokens' rows, through the frozen trunk
    python -m trunkline_recipe.omni.ear_how check WORK TRUNK        replies to held-out recordings
    python -m trunkline_recipe.omni.ear_how export WORK OUT         how.onnx
    python -m trunkline_recipe.omni.ear_how shipped WORK OUT        OUT/how.onnx on the test recordings of WORK/manner

The classifier is a small net over prosody and the encoder's pooled frames: sound (5), intonation (2), manner (3). A how token is
the expectation, under those probabilities, of learned rows of the trunk's embedding space: two tokens for sound and manner,
one for intonation. The rows are found by prompt tuning (Lester et al. 2021): the trunk is frozen and must say what fits
when it has only the how tokens, and what it would have said anyway when it has the words as well.
"""

import argparse
import json
import time
from pathlib import Path

import numpy as np
import onnxruntime
import torch
import torch.nn.functional as F
from torch import nn

from ..ear.graph import FLOAT, Graph
from .ear_manner import INTONATIONS, MANNERS, SOUNDS
from .ear_pooled import POOLED, PROSODY, add_features, feature_model

INNER = 48
CLASSES = (*SOUNDS, *INTONATIONS, *MANNERS)
# How sound and manner go together in the first two tokens, and intonation in the third.
SITUATIONS = (*MANNERS, *SOUNDS[1:])
SHARPEN = 2.0


def features(work, split):
    """prosody [n, 88], pooled [n, 1536], labels [n, 3] (−1: does not apply), voices"""
    model = onnxruntime.InferenceSession(feature_model().SerializeToString())
    rows = [[], [], [], []]
    for path in sorted((Path(work) / "manner").glob(f"{split}-*.npz")):
        data = np.load(path)
        hidden, mel = data["hidden"].astype(np.float32), data["mel"].astype(np.float32)
        pcm = np.pad(data["pcm"].astype(np.float32) / 32767, (0, 320 * len(hidden) - len(data["pcm"])))
        prosody, pooled = model.run(None, {"pcm": pcm[None], "mel": mel[None], "hidden": hidden[None]})
        sound = SOUNDS.index(str(data["sound"]))
        speech = sound == 0
        rows[0].append(prosody[0])
        rows[1].append(pooled[0])
        rows[2].append([sound, INTONATIONS.index(str(data["intonation"])) if speech else -1, MANNERS.index(str(data["manner"])) if speech else -1])
        rows[3].append(str(data["voice"]))
    return torch.from_numpy(np.array(rows[0])), torch.from_numpy(np.array(rows[1])), torch.tensor(rows[2]), rows[3]


class Classifier(nn.Module):
    """prosody [n, 88], pooled [n, 1536] -> logits [n, 10]; `use` leaves a half out, for the probe."""

    def __init__(self, use="both"):
        super().__init__()
        self.use = use
        self.register_buffer("prosody_mean", torch.zeros(PROSODY))
        self.register_buffer("prosody_scale", torch.ones(PROSODY))
        self.register_buffer("pooled_mean", torch.zeros(POOLED))
        self.register_buffer("pooled_scale", torch.ones(POOLED))
        self.prosody = nn.Linear(PROSODY, INNER)
        self.pooled = nn.Linear(POOLED, INNER)
        self.out = nn.Linear(2 * INNER, len(CLASSES))

    def forward(self, prosody, pooled):
        a = (prosody - self.prosody_mean) * self.prosody_scale
        b = (pooled - self.pooled_mean) * self.pooled_scale
        if self.training:
            a, b = a + 0.2 * torch.randn_like(a), F.dropout(b + 0.3 * torch.randn_like(b), 0.5)
        a, b = F.gelu(self.prosody(a)), F.gelu(self.pooled(b))
        if self.use == "prosody":
            b = b * 0
        if self.use == "pooled":
            a = a * 0
        if self.training:
            a, b = F.dropout(a, 0.15), F.dropout(b, 0.4)
        return self.out(torch.cat([a, b], dim=1))


def factor_logits(logits):
    return logits.split((len(SOUNDS), len(INTONATIONS), len(MANNERS)), dim=1)


def fit(train, use, epochs=150):
    prosody, pooled, labels, _ = train
    torch.manual_seed(9)
    net = Classifier(use)
    for name, values in (("prosody", prosody), ("pooled", pooled)):
        getattr(net, f"{name}_mean").copy_(values.mean(0))
        getattr(net, f"{name}_scale").copy_(1 / values.std(0).clamp_min(1e-3))
    optimiser = torch.optim.AdamW(net.parameters(), 2e-3, weight_decay=0.05)
    steps, step = epochs * max(1, len(labels) // 64), 0
    for _ in range(epochs):
        for batch in torch.randperm(len(labels)).split(64):
            for group in optimiser.param_groups:
                group["lr"] = 2e-3 * max(0.02, 1 - step / steps)
            loss = 0
            for scores, wanted in zip(factor_logits(net(prosody[batch], pooled[batch])), labels[batch].T):
                if (wanted >= 0).any():
                    loss = loss + F.cross_entropy(scores, wanted, ignore_index=-1, label_smoothing=0.05)
            loss.backward()
            optimiser.step()
            optimiser.zero_grad()
            step += 1
    return net.eval()


@torch.inference_mode()
def accuracy(net, data):
    prosody, pooled, labels, voices = data
    result = {}
    engines = np.array([v.split(":")[0] for v in voices])
    for name, scores, wanted in zip(("sound", "intonation", "manner"), factor_logits(net(prosody, pooled)), labels.T):
        right = (scores.argmax(1) == wanted)[wanted >= 0].float()
        kinds = engines[(wanted >= 0).numpy()]
        result[name] = f"{100 * right.mean():.1f} % of {len(right)} (" + ", ".join(f"{k} {100 * right[torch.from_numpy(kinds == k)].mean():.0f}" for k in sorted(set(kinds))) + ")"
    return result


def classes(work, probe):
    train, test = features(work, "train"), features(work, "test")
    for use in ("prosody", "pooled", "both") if probe else ("both",):
        net = fit(train, use)
        print(use, json.dumps(accuracy(net, test)), flush=True)
    torch.save(net.state_dict(), work / "how-classes.pt")


def shipped(work, out):
    """How the exported classes do on encoder states that they were perhaps not fitted to."""
    model = onnxruntime.InferenceSession(str(Path(out) / "how.onnx"))
    right, wholes = {"sound": [], "intonation": [], "manner": []}, (SOUNDS, INTONATIONS, MANNERS)
    for path in sorted((Path(work) / "manner").glob("test-*.npz")):
        data = np.load(path)
        hidden, mel = data["hidden"].astype(np.float32), data["mel"].astype(np.float32)
        pcm = np.pad(data["pcm"].astype(np.float32) / 32767, (0, 320 * len(hidden) - len(data["pcm"])))
        probabilities = model.run(["classes"], {"pcm": pcm[None], "mel": mel[None], "hidden": hidden[None]})[0]
        for name, names, scores in zip(right, wholes, factor_logits(torch.from_numpy(probabilities))):
            if name == "sound" or str(data["sound"]) == "speech":
                right[name].append(int(scores.argmax()) == names.index(str(data[name])))
    print(json.dumps({name: f"{100 * np.mean(rows):.1f} % of {len(rows)}" for name, rows in right.items()}), flush=True)


def mixing(probabilities):
    """Sound, intonation and manner probabilities [n, 10], sharpened -> weights of the rows of each token, [n, 7] and [n, 3]."""
    sound, intonation, manner = factor_logits(probabilities)
    first = torch.cat([sound[:, :1] * manner, sound[:, 1:]], dim=1)
    second = torch.cat([sound[:, :1] * intonation, 1 - sound[:, :1]], dim=1)
    return first, second


class HowRows(nn.Module):
    """The rows that how tokens are made of: [2, 7, 576] and [3, 576]."""

    def __init__(self, start=None):
        super().__init__()
        self.first = nn.Parameter(torch.zeros(2, len(SITUATIONS), 576))
        self.second = nn.Parameter(torch.zeros(len(INTONATIONS) + 1, 576))
        if start is not None:
            self.first.data += start
            self.second.data += start

    def forward(self, first, second):
        """Weights [7] and [3] -> [3, 576]"""
        return torch.stack([first @ self.first[0], first @ self.first[1], second @ self.second])


def build(net, rows, out):
    g = Graph("omni-ear-how")
    prosody, pooled = add_features(g)
    w = {k: v.detach().numpy() for k, v in net.state_dict().items()}
    f32 = lambda v: g.constant(np.asarray(v, np.float32))  # noqa: E731

    def half(x, name):
        x = g.op("Mul", g.op("Sub", x, f32(w[f"{name}_mean"])), f32(w[f"{name}_scale"]))
        x = g.op("MatMul", x, g.half(np.ascontiguousarray(w[f"{name}.weight"].T)))
        return g.gelu(g.op("Add", x, f32(w[f"{name}.bias"])))

    x = g.op("Concat", half(prosody, "prosody"), half(pooled, "pooled"), axis=1)
    x = g.op("Add", g.op("MatMul", x, f32(np.ascontiguousarray(w["out.weight"].T))), f32(w["out.bias"]))
    sizes = (len(SOUNDS), len(INTONATIONS), len(MANNERS))
    parts = g.op("Split", x, g.ints(*sizes), outputs=3, axis=1)
    g.output(g.op("Concat", *(g.op("Softmax", p, axis=1) for p in parts), axis=1), "classes", FLOAT, [1, len(CLASSES)])
    sound, intonation, manner = (g.op("Softmax", g.op("Mul", p, f32(SHARPEN)), axis=1) for p in parts)
    speech, other = g.op("Split", sound, g.ints(1, len(SOUNDS) - 1), outputs=2, axis=1)
    first = g.op("Concat", g.op("Mul", speech, manner), other, axis=1)
    second = g.op("Concat", g.op("Mul", speech, intonation), g.op("Sub", f32(1), speech), axis=1)
    r1, r2 = rows.first.detach().numpy(), rows.second.detach().numpy()
    tokens = g.op("Concat", g.op("MatMul", first, f32(r1[0])), g.op("MatMul", first, f32(r1[1])), g.op("MatMul", second, f32(r2)), axis=0)
    g.output(g.op("Unsqueeze", tokens, g.ints(0)), "how", FLOAT, [1, 3, 576])
    Path(out, "how.onnx").write_bytes(g.model().SerializeToString())


def load(work):
    net = Classifier()
    net.load_state_dict(torch.load(work / "how-classes.pt"))
    rows = HowRows()
    if (work / "how-rows.pt").exists():
        rows.load_state_dict(torch.load(work / "how-rows.pt")["rows"])
    return net.eval(), rows


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("step", choices=("classes", "replies", "check", "export", "shipped"))
    parser.add_argument("work", type=Path)
    parser.add_argument("target", nargs="?")
    parser.add_argument("--steps", type=int, default=200)
    parser.add_argument("--most", type=int, default=210, help="recordings that are checked")
    parser.add_argument("--probe", action="store_true", help="each half of the features by itself as well")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    began = time.process_time()
    if arguments.step == "classes":
        classes(arguments.work, arguments.probe)
    elif arguments.step == "replies":
        from .ear_replies import tune

        tune(arguments.work, arguments.target, arguments.steps)
    elif arguments.step == "check":
        from .ear_replies import check

        check(arguments.work, arguments.target, arguments.most)
    elif arguments.step == "shipped":
        shipped(arguments.work, arguments.target)
    else:
        build(*load(arguments.work), arguments.target)
    print(f"{time.process_time() - began:.0f} s of processor time")


if __name__ == "__main__":
    main()
