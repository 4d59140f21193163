"""Teaches what was not in the words: classes of sound, tune and manner, then how tokens that lead the trunk to a fitting reply.

    python -m trunkline_recipe.omni.ear_how classes WORK            classifier on WORK/manner
    python -m trunkline_recipe.omni.ear_how replies WORK TRUNK      the tokens' rows, through the frozen trunk
    python -m trunkline_recipe.omni.ear_how check WORK TRUNK        replies to held-out recordings
    python -m trunkline_recipe.omni.ear_how export WORK OUT         how.onnx
    python -m trunkline_recipe.omni.ear_how shipped WORK OUT        OUT/how.onnx on the test recordings of WORK/manner

Intonation (2) is judged from the tune alone, by a small net that learns every recording through several lines; sound (5) and manner
(3) from the tune, level, spectrum, pace and the encoder's pooled frames. A how token is the expectation, under those
probabilities made sharper, of learnt rows of the trunk's embedding space: two tokens for sound and manner, one for intonation. The
rows are found by prompt tuning (Lester et al. 2021): the trunk is frozen and must say what fits when it has only them.
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
from .ear_manner import INTONATIONS, MANNERS, SOUNDS, carried
from .ear_pooled import POOLED, SOUND, add_features, feature_model
from .ear_tune import TUNE, tune_features

INNER, TUNE_INNER = 48, 24
CLASSES = (*SOUNDS, *INTONATIONS, *MANNERS)
# How sound and manner go together in the first two tokens, and intonation in the third.
SITUATIONS = (*MANNERS, *SOUNDS[1:])
# The logits are multiplied by this where rows are mixed: what is likelier by far stands alone.
SHARPEN = 6.0
# Added to the logit of calm: most callers are. Chosen on training voices left out in turn.
CALM = 1.0
# Ways through a line that the tune of each recording is learnt from, beside its own.
LINES = 3


def samples(data, name):
    return data[name].astype(np.float32) / 32767


def recording_features(path, model, lines):
    data = np.load(path)
    hidden, mel = data["hidden"].astype(np.float32), data["mel"].astype(np.float32)
    sound = SOUNDS.index(str(data["sound"]))
    tunes = [tune_features(samples(data, "pcm"))]
    plain, pooled = model.run(None, {"tune": tunes[0][None], "mel": mel[None], "hidden": hidden[None]})
    labels = [sound, -1, -1]
    if sound == 0:
        labels[1:] = INTONATIONS.index(str(data["intonation"])), MANNERS.index(str(data["manner"]))
        rng = np.random.default_rng(int(path.stem.split("-")[1]) + 7)
        tunes += [tune_features(carried(samples(data, "clean"), str(data["manner"]), rng)) for _ in range(lines)]
    return tunes, plain[0], pooled[0], labels, str(data["voice"])


def features(work, split):
    """A dict: tune [n, 30], plain [n, 17], pooled [n, 1536], labels [n, 3] (−1: does not apply), voices, and tunes [m, 30] with asked [m]"""
    model = onnxruntime.InferenceSession(feature_model().SerializeToString())
    paths = sorted((Path(work) / "manner").glob(f"{split}-*.npz"))
    cache = Path(work) / f"how-features-{split}.npz"
    if cache.exists() and len(np.load(cache)["voices"]) == len(paths):
        found = dict(np.load(cache))
    else:
        rows = [recording_features(path, model, LINES if split == "train" else 0) for path in paths]
        spoken = [row for row in rows if row[3][0] == 0]
        found = {
            "tune": np.array([row[0][0] for row in rows]),
            "plain": np.array([row[1] for row in rows]),
            "pooled": np.array([row[2] for row in rows]),
            "labels": np.array([row[3] for row in rows]),
            "voices": np.array([row[4] for row in rows]),
            "tunes": np.array([tune for row in spoken for tune in row[0]]),
            "asked": np.array([row[3][1] for row in spoken for _ in row[0]]),
        }
        np.savez(cache, **found)
    voices = found.pop("voices").tolist()
    return {**{name: torch.from_numpy(values) for name, values in found.items()}, "voices": voices}


class Normal(nn.Module):
    """Takes the mean of the training set away and divides by its spread; noise while learning."""

    def __init__(self, width, noise):
        super().__init__()
        self.noise = noise
        self.register_buffer("mean", torch.zeros(width))
        self.register_buffer("scale", torch.ones(width))

    def measure(self, values):
        self.mean.copy_(values.mean(0))
        self.scale.copy_(1 / values.std(0).clamp_min(1e-3))

    def forward(self, x):
        x = (x - self.mean) * self.scale
        return x + self.noise * torch.randn_like(x) if self.training else x


class Classifier(nn.Module):
    """tune [n, 30], plain [n, 17], pooled [n, 1536] -> logits [n, 10]"""

    def __init__(self):
        super().__init__()
        self.normal = nn.ModuleDict({"tune": Normal(TUNE, 0.25), "plain": Normal(SOUND, 0.2), "pooled": Normal(POOLED, 0.3)})
        self.tune, self.intonation = nn.Linear(TUNE, TUNE_INNER), nn.Linear(TUNE_INNER, len(INTONATIONS))
        self.prosody, self.pooled = nn.Linear(TUNE + SOUND, INNER), nn.Linear(POOLED, INNER)
        self.out = nn.Linear(2 * INNER, len(SOUNDS) + len(MANNERS))

    def asked(self, tune):
        """-> logits of statement and question [n, 2]"""
        return self.intonation(F.dropout(F.gelu(self.tune(self.normal["tune"](tune))), 0.2, self.training))

    def sounds(self, tune, plain, pooled):
        """-> logits of sounds and manners [n, 8]"""
        a = F.gelu(self.prosody(torch.cat([self.normal["tune"](tune), self.normal["plain"](plain)], dim=1)))
        b = F.gelu(self.pooled(F.dropout(self.normal["pooled"](pooled), 0.5, self.training)))
        return self.out(torch.cat([F.dropout(a, 0.15, self.training), F.dropout(b, 0.4, self.training)], dim=1))

    def forward(self, tune, plain, pooled):
        sound, manner = self.sounds(tune, plain, pooled).split((len(SOUNDS), len(MANNERS)), dim=1)
        return torch.cat([sound, self.asked(tune), manner], dim=1)


def factor_logits(logits):
    return logits.split((len(SOUNDS), len(INTONATIONS), len(MANNERS)), dim=1)


def learn(parameters, count, loss_of, epochs, rate):
    optimiser = torch.optim.AdamW(parameters, rate, weight_decay=0.05)
    steps, step = epochs * -(-count // 64), 0
    for _ in range(epochs):
        for batch in torch.randperm(count).split(64):
            for group in optimiser.param_groups:
                group["lr"] = rate * max(0.02, 1 - step / steps)
            loss_of(batch).backward()
            optimiser.step()
            optimiser.zero_grad()
            step += 1


def fit(train, epochs=120):
    torch.manual_seed(9)
    net = Classifier().train()
    for name in ("tune", "plain", "pooled"):
        net.normal[name].measure(train[name])
    net.normal["tune"].measure(train["tunes"])
    tunes, wanted, labels = train["tunes"], train["asked"], train["labels"]

    def asked_loss(batch):
        return F.cross_entropy(net.asked(tunes[batch]), wanted[batch], label_smoothing=0.03)

    def sounds_loss(batch):
        sound, manner = net.sounds(train["tune"][batch], train["plain"][batch], train["pooled"][batch]).split((len(SOUNDS), len(MANNERS)), dim=1)
        return F.cross_entropy(sound, labels[batch, 0], label_smoothing=0.05) + F.cross_entropy(manner, labels[batch, 2], ignore_index=-1, label_smoothing=0.05)

    learn([*net.tune.parameters(), *net.intonation.parameters()], len(tunes), asked_loss, epochs, 3e-3)
    learn([*net.prosody.parameters(), *net.pooled.parameters(), *net.out.parameters()], len(labels), sounds_loss, epochs, 2e-3)
    with torch.no_grad():
        net.out.bias[len(SOUNDS) + MANNERS.index("calm")] += CALM
    return net.eval()


def told(probabilities, labels, voices):
    """Right answers by factor, and by engine."""
    result, engines = {}, np.array([v.split(":")[0] for v in voices])
    for name, scores, wanted in zip(("sound", "intonation", "manner"), factor_logits(probabilities), labels.T):
        right = (scores.argmax(1) == wanted)[wanted >= 0].numpy()
        kinds = engines[(wanted >= 0).numpy()]
        result[name] = f"{100 * right.mean():.1f} % of {len(right)} (" + ", ".join(f"{k} {100 * right[kinds == k].mean():.0f} of {(kinds == k).sum()}" for k in sorted(set(kinds))) + ")"
    return result


def classes(work):
    train, test = features(work, "train"), features(work, "test")
    net = fit(train)
    with torch.inference_mode():
        logits = net(test["tune"], test["plain"], test["pooled"])
        print(json.dumps(told(logits, test["labels"], test["voices"]), indent=1))
        asked, wanted = F.softmax(factor_logits(logits)[1], dim=1)[:, 1], test["labels"][:, 1]
        for least in (0.5, 0.7, 0.8, 0.9, 0.95):
            sure = asked >= least
            print(f"taken for a question at {least}: {100 * sure[wanted == 1].float().mean():.0f} % of questions, {100 * sure[wanted == 0].float().mean():.1f} % of statements")
    torch.save(net.state_dict(), work / "how-classes.pt")


def part(data, chosen):
    """Those recordings alone, and the tunes of their speech."""
    owners = torch.from_numpy(np.repeat(np.flatnonzero((data["labels"][:, 0] == 0).numpy()), 1 + LINES))
    rows = {name: data[name][chosen] for name in ("tune", "plain", "pooled", "labels")}
    return {**rows, **{name: data[name][chosen[owners]] for name in ("tunes", "asked")}, "voices": [v for v, c in zip(data["voices"], chosen.tolist()) if c]}


def left_out(work, by, epochs=60):
    """Fitted without some voices, or without a whole engine, and measured on them: settings are chosen on this."""
    data = features(work, "train")
    voices = np.array(data["voices"])
    engines = np.array([v.split(":")[0] for v in voices])
    names = sorted(set(voices) - {"generated"})
    np.random.default_rng(0).shuffle(names)
    groups = [np.isin(voices, names[i::4]) for i in range(4)] if by == "voices" else [engines == e for e in sorted(set(engines) - {"generated"})]
    scores, labels, owners = [], [], []
    for group in groups:
        held = torch.from_numpy(group)
        net, measured = fit(part(data, ~held), epochs), part(data, held)
        with torch.no_grad():
            scores.append(net(measured["tune"], measured["plain"], measured["pooled"]))
        labels.append(measured["labels"])
        owners += measured["voices"]
    scores, labels = torch.cat(scores), torch.cat(labels)
    print(json.dumps(told(scores, labels, owners), indent=1))
    _, intonation, manner = factor_logits(scores)
    for calm in (0.0, 0.5, 1.0, 1.5):
        moved = manner + torch.tensor([calm - CALM, 0, 0])
        right = (moved.argmax(1) == labels[:, 2]).float()
        both = right * (intonation.argmax(1) == labels[:, 1])
        shares = [100 * right[labels[:, 2] == i].mean() for i in range(len(MANNERS))]
        print(f"calm + {calm}: manner {100 * right[labels[:, 2] >= 0].mean():.1f} %, by manner " + ", ".join(f"{n} {s:.0f}" for n, s in zip(MANNERS, shares)) + f"; calm and intonation {100 * both[labels[:, 2] == 0].mean():.1f} %")


def shipped(work, out):
    """How the exported classes do on encoder states that they were perhaps not fitted to."""
    model = onnxruntime.InferenceSession(str(Path(out) / "how.onnx"))
    rows, labels, voices = [], [], []
    for path in sorted((Path(work) / "manner").glob("test-*.npz")):
        data = np.load(path)
        hidden, mel = data["hidden"].astype(np.float32), data["mel"].astype(np.float32)
        rows.append(model.run(["classes"], {"tune": tune_features(samples(data, "pcm"))[None], "mel": mel[None], "hidden": hidden[None]})[0][0])
        speech = str(data["sound"]) == "speech"
        labels.append([SOUNDS.index(str(data["sound"])), INTONATIONS.index(str(data["intonation"])) if speech else -1, MANNERS.index(str(data["manner"])) if speech else -1])
        voices.append(str(data["voice"]))
    print(json.dumps(told(torch.from_numpy(np.array(rows)), torch.tensor(labels), voices), indent=1))


def mixing(probabilities):
    """Sound, intonation and manner probabilities [n, 10], sharpened -> weights of the rows of each token, [n, 7] and [n, 3]."""
    sound, intonation, manner = factor_logits(probabilities)
    first = torch.cat([sound[:, :1] * manner, sound[:, 1:]], dim=1)
    second = torch.cat([sound[:, :1] * intonation, 1 - sound[:, :1]], dim=1)
    return first, second


class HowRows(nn.Module):
    """The rows that how tokens are made of: [2, 7, 576] and [3, 576]."""

    def __init__(self):
        super().__init__()
        self.first = nn.Parameter(torch.zeros(2, len(SITUATIONS), 576))
        self.second = nn.Parameter(torch.zeros(len(INTONATIONS) + 1, 576))

    def forward(self, first, second):
        """Weights [7] and [3] -> [3, 576]"""
        return torch.stack([first @ self.first[0], first @ self.first[1], second @ self.second])


def build(net, rows, out):
    g = Graph("omni-ear-how")
    tune, plain, pooled = add_features(g)
    w = {k: v.detach().numpy() for k, v in net.state_dict().items()}
    f32 = lambda v: g.constant(np.asarray(v, np.float32))  # noqa: E731
    normal = lambda x, name: g.op("Mul", g.op("Sub", x, f32(w[f"normal.{name}.mean"])), f32(w[f"normal.{name}.scale"]))  # noqa: E731

    def linear(x, name, stored):
        return g.op("Add", g.op("MatMul", x, stored(np.ascontiguousarray(w[f"{name}.weight"].T))), f32(w[f"{name}.bias"]))

    tune = normal(tune, "tune")
    intonation = linear(g.gelu(linear(tune, "tune", f32)), "intonation", f32)
    a = g.gelu(linear(g.op("Concat", tune, normal(plain, "plain"), axis=1), "prosody", f32))
    b = g.gelu(linear(normal(pooled, "pooled"), "pooled", g.half))
    sound, manner = g.op("Split", linear(g.op("Concat", a, b, axis=1), "out", f32), g.ints(len(SOUNDS), len(MANNERS)), outputs=2, axis=1)
    parts = (sound, intonation, manner)
    g.output(g.op("Concat", *(g.op("Softmax", p, axis=1) for p in parts), axis=1), "classes", FLOAT, [1, len(CLASSES)])
    sound, intonation, manner = (g.op("Softmax", g.op("Mul", p, f32(SHARPEN)), axis=1) for p in parts)
    speech, other = g.op("Split", sound, g.ints(1, len(SOUNDS) - 1), outputs=2, axis=1)
    first = g.op("Concat", g.op("Mul", speech, manner), other, axis=1)
    second = g.op("Concat", g.op("Mul", speech, intonation), g.op("Sub", f32(1), speech), axis=1)
    r1, r2 = rows.first.detach().numpy(), rows.second.detach().numpy()
    tokens = g.op("Concat", g.op("MatMul", first, f32(r1[0])), g.op("MatMul", first, f32(r1[1])), g.op("MatMul", second, f32(r2)), axis=0)
    g.output(g.op("Unsqueeze", tokens, g.ints(0)), "how", FLOAT, [1, 3, 576])
    model = g.model()
    Path(out, "how.onnx").write_bytes(model.SerializeToString())
    return model


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
    parser.add_argument("--steps", type=int, default=150)
    parser.add_argument("--left-out", choices=("voices", "engines"), help="classes: measured on these of the training set, each fitted without")
    parser.add_argument("--most", type=int, default=600, help="recordings that are checked")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    began = time.process_time()
    if arguments.step == "classes" and arguments.left_out:
        left_out(arguments.work, arguments.left_out)
    elif arguments.step == "classes":
        classes(arguments.work)
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
