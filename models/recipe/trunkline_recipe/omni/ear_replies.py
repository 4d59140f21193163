"""What the agent says to how something was said, and the search for the rows that make the frozen trunk say it.

Where no words were understood the trunk has only the how tokens, in a call like any other: a persona with its facts, and some
turns before. Then it asks again in a way that fits (a question, a hurried or a loud caller) or answers the sound.
"""

import random
import time

import torch
import torch.nn.functional as F

from ..brain.dialogues import dialogue
from ..brain.prompt import IM_END, IM_START, STOPS
from .ear_how import INTONATIONS, MANNERS, SHARPEN, SITUATIONS, SOUNDS, HowRows, factor_logits, mixing
from .ear_trunk import answer, copied, load_prompt, load_trunk, read

REPLIES = {
    "cough": "Take your time.",
    "music": "I can only hear music. Are you still there?",
    "noise": "It is very noisy on the line. Could you say that again?",
    "silence": "Hello, are you still there?",
    "hurried": "Sorry, that was too fast for me. Could you say it more slowly?",
    "loud": "Sorry, that was too loud for me. Could you say it more quietly?",
    "question": "What was your question?",
    "statement": "I am sorry, I did not catch that. Could you say it again?",
}
# By what a reply is told from the others when it is judged; each stands in one reply only.
MARKS = {"cough": "time", "music": "music", "noise": "noisy", "silence": "still there", "hurried": "fast", "loud": "loud", "question": "question", "statement": "catch"}
STARTS = {"calm": " calm", "hurried": " hurry", "loud": " loud", "cough": " cough", "music": " music", "noise": " noise", "silence": " silence", "statement": ".", "question": "?"}
STOP = STOPS | {IM_START}
RATE = 0.02
CALLS = 6


def situation(sound, intonation, manner):
    """Which reply fits when the words are withheld."""
    if sound != "speech":
        return sound
    return manner if manner != "calm" else intonation


def judged(text):
    """Which reply a text is; the more particular marks first ("still there" is also said to music)."""
    text = text.lower()
    return next((name for name in ("music", "noise", "hurried", "loud", "cough", "silence", "question", "statement") if MARKS[name] in text), None)


def probabilities(sound, intonation, manner, rng):
    """Class probabilities [1, 10] of a classifier that is rather sure."""
    parts = []
    for names, name in ((SOUNDS, sound), (INTONATIONS, intonation), (MANNERS, manner)):
        p = torch.tensor([rng.expovariate(1) + 1e-3 for _ in names])
        p = p / p.sum() * rng.choice((0.02, 0.1, 0.25, 0.4))
        if name:
            p[names.index(name)] += 1 - p.sum()
        else:
            p = p / p.sum()
        parts.append(p)
    return torch.cat(parts)[None]


def sharpened(p):
    parts = [q**SHARPEN for q in factor_logits(p)]
    return torch.cat([q / q.sum(1, keepdim=True) for q in parts], dim=1)


def how_tokens(rows, p):
    first, second = mixing(sharpened(p))
    return rows(first[0], second[0])


def draw(rng):
    """sound, intonation, manner: every situation about as often."""
    if rng.random() < 0.5:
        return rng.choice(SOUNDS[1:]), None, None
    return "speech", rng.choice(INTONATIONS), rng.choice(("calm", "calm", "hurried", "loud"))


class Stage:
    """Calls that were read once: some with turns before, half with the persona's facts, as the program reads them."""

    def __init__(self, trunk, prompt, count, split, seed):
        rng = random.Random(f"{split} {seed}")
        self.trunk, self.prompt, self.calls = trunk, prompt, []
        for i in range(count):
            d = dialogue(rng, split, 5)
            before = [t for t in d["turns"] if t["action"] is None][: i % 3]
            ids = prompt.persona(d["instructions"], d["facts"] if i % 2 == 0 else [], d["greeting"]) + prompt.branch(before)[0]
            ids += [IM_START, *prompt.text("user\n")]
            past = trunk.fresh_past()
            with torch.no_grad():
                read(trunk, trunk.embedding[ids], past)
            self.calls.append((past, len(ids)))
        self.tail = [IM_END, *prompt.text("\n"), IM_START, *prompt.text("assistant\n")]

    def reply_logits(self, call, rows, reply):
        """Logits at every token of the reply [n, 49152] after the caller's rows."""
        past, start = call
        sequence = torch.cat([rows, self.trunk.embedding[self.tail + reply[:-1]]])
        hidden = read(self.trunk, sequence, copied(past), start)
        return self.trunk.logits(hidden[-len(reply) :]).float()

    def reply(self, call, rows):
        past, start = call
        sequence = torch.cat([rows, self.trunk.embedding[self.tail]])
        return self.prompt.tokenizer.decode(answer(self.trunk, sequence, past, start, STOP, 30)[0])


def reply_loss(stage, rows, rng):
    kind = draw(rng)
    reply = [*stage.prompt.text(REPLIES[situation(*kind)]), IM_END]
    soft = how_tokens(rows, probabilities(*kind, rng)).to(stage.trunk.embedding.dtype)
    return F.cross_entropy(stage.reply_logits(rng.choice(stage.calls), soft, reply), torch.tensor(reply))


def tune(work, folder, steps):
    trunk, prompt = load_trunk(folder).bfloat16(), load_prompt(folder)
    stage = Stage(trunk, prompt, CALLS, "train", 1)
    torch.manual_seed(4)
    rows, first, path = HowRows(), 0, work / "how-rows.pt"
    mean = lambda text: trunk.embedding[prompt.text(text)].float().mean(0)  # noqa: E731
    for i, name in enumerate(SITUATIONS):
        rows.first.data[:, i] = mean(STARTS[name])
    for i, name in enumerate(INTONATIONS):
        rows.second.data[i] = mean(STARTS[name])
    rows.second.data[-1] = mean(" sound")
    optimiser = torch.optim.Adam(rows.parameters(), RATE, betas=(0.9, 0.98))
    if path.exists():
        saved = torch.load(path)
        rows.load_state_dict(saved["rows"])
        optimiser.load_state_dict(saved["optimiser"])
        first = saved["step"]
    smooth, began = None, time.time()
    for step in range(first, steps):
        rng = random.Random(step)
        for group in optimiser.param_groups:
            group["lr"] = RATE * min(1, (step + 1) / 10) * max(0.05, 1 - step / steps)
        for _ in range(3):
            loss = reply_loss(stage, rows, rng)
            (loss / 3).backward()
            smooth = loss.item() if smooth is None else 0.95 * smooth + 0.05 * loss.item()
        torch.nn.utils.clip_grad_norm_(rows.parameters(), 1.0)
        optimiser.step()
        optimiser.zero_grad()
        if step % 10 == 9 or step + 1 == steps:
            print(f"step {step + 1} loss {smooth:.3f} {time.time() - began:.0f}s", flush=True)
            torch.save({"rows": rows.state_dict(), "optimiser": optimiser.state_dict(), "step": step + 1}, path.with_suffix(".part"))
            path.with_suffix(".part").rename(path)


# Which replies a contrast is between, and the recordings that it is measured on.
CONTRASTS = {
    "statement, question (calm)": ("statement", "question"),
    "calm, hurried, loud": ("calm", "hurried", "loud"),
    "speech, cough, music, noise, silence": ("speech", "cough", "music", "noise", "silence"),
}


def side(name, contrast):
    """What a reply says of a contrast: "hurried" is speech, and "question" is calm."""
    if name in contrast or name is None:
        return name
    if "speech" in contrast:
        return "speech"
    return "calm" if name in INTONATIONS else name


def check(work, folder, most):
    """Replies with the words withheld, on held-out recordings and personas that were not trained with, judged by their marks."""
    from .ear_how import features, load

    trunk, prompt = load_trunk(folder).bfloat16(), load_prompt(folder)
    stage, (net, rows) = Stage(trunk, prompt, 2, "test", 2), load(work)
    test = features(work, "test")
    # The classifier's probabilities; mixtures that agree to a tenth are spoken once.
    cache, said = {}, []
    with torch.no_grad():
        logits = net(test["tune"], test["plain"], test["pooled"])
        for p, label in list(zip(torch.cat([F.softmax(part, dim=1) for part in factor_logits(logits)], dim=1), test["labels"].tolist()))[:most]:
            first, second = mixing(sharpened(p[None]))
            first, second = (first[0] * 10).round() / 10, (second[0] * 10).round() / 10
            key = (len(said) % 2, *first.tolist(), *second.tolist())
            if key not in cache:
                cache[key] = stage.reply(stage.calls[key[0]], rows(first, second).to(trunk.embedding.dtype))
            sound = SOUNDS[label[0]]
            said.append((situation(sound, *((INTONATIONS[label[1]], MANNERS[label[2]]) if label[0] == 0 else (None, None))), judged(cache[key])))
    right = sum(wanted == reply for wanted, reply in said)
    print(f"right replies, words withheld: {right} of {len(said)} ({100 * right / len(said):.1f} %)")
    for name in REPLIES:
        of = [reply for wanted, reply in said if wanted == name]
        print(f"  {name}: {of.count(name)} of {len(of)}; else", {str(other): of.count(other) for other in sorted({str(r) for r in of}) if other != name})
    for title, contrast in CONTRASTS.items():
        pairs = [(side(wanted, contrast), side(reply, contrast)) for wanted, reply in said]
        pairs = [pair for pair in pairs if pair[0] in contrast]
        print(f"{title}: {100 * sum(a == b for a, b in pairs) / len(pairs):.1f} % of {len(pairs)}")
    for name in REPLIES:
        p = probabilities(*{"question": ("speech", "question", "calm"), "statement": ("speech", "statement", "calm"), "hurried": ("speech", "statement", "hurried"), "loud": ("speech", "question", "loud")}.get(name, (name, None, None)), random.Random(1))
        with torch.no_grad():
            print(f"  {name}: {[stage.reply(call, how_tokens(rows, p).to(trunk.embedding.dtype)) for call in stage.calls]}")
