"""What the agent says to how something was said, and the search for the rows that make the frozen trunk say it.

With the words unreadable the trunk has only the how tokens: then it asks again in a way that fits (a question, a hurried or
a loud caller) or answers the sound. With the words there, the tokens must not disturb: the reply's distribution stays that of
the plain text, or, with a question's intonation, that of the text with a question mark.
"""

import random
import time

import torch
import torch.nn.functional as F

from ..brain.dialogues import dialogue
from ..brain.prompt import HANDOVER, HANGUP, IM_END, IM_START
from .ear_how import INTONATIONS, MANNERS, SHARPEN, SITUATIONS, SOUNDS, HowRows, mixing
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
STOP = {IM_START, IM_END, HANDOVER, HANGUP}


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
        p = p / p.sum() * rng.choice((0.02, 0.1, 0.25))
        if name:
            p[names.index(name)] += 1 - p.sum()
        else:
            p = p / p.sum()
        parts.append(p)
    return torch.cat(parts)[None]


def sharpened(p):
    parts = [q**SHARPEN for q in p.split((len(SOUNDS), len(INTONATIONS), len(MANNERS)), dim=1)]
    return torch.cat([q / q.sum(1, keepdim=True) for q in parts], dim=1)


def how_tokens(rows, p):
    first, second = mixing(sharpened(p))
    return rows(first[0], second[0])


def draw(rng):
    """sound, intonation, manner: every situation about as often."""
    if rng.random() < 0.4:
        return rng.choice(SOUNDS[1:]), None, None
    return "speech", rng.choice(INTONATIONS), rng.choice(("calm", "calm", "hurried", "loud"))


class Stage:
    """Personas with their prompts in the cache."""

    def __init__(self, trunk, prompt, count, split, seed):
        rng = random.Random(f"{split} {seed}")
        self.trunk, self.prompt, self.calls = trunk, prompt, []
        for _ in range(count):
            d = dialogue(rng, split, 5)
            ids = prompt.persona(d["instructions"], [], d["greeting"]) + [IM_START, *prompt.text("user\n")]
            past = trunk.fresh_past()
            with torch.no_grad():
                read(trunk, trunk.embedding[ids], past)
            turns = [t for t in d["turns"] if "[" not in t["user"] and len(t["user"].split()) > 1]
            self.calls.append((past, len(ids), turns))
        self.after = [IM_END, *prompt.text("\n")]
        self.assistant = [IM_START, *prompt.text("assistant\n")]

    def reply_logits(self, call, rows, hints, reply):
        """Logits at every token of the reply [n, 49152] after the caller's rows."""
        past, start, _ = call
        middle = self.after + hints + self.assistant
        sequence = torch.cat([rows, self.trunk.embedding[middle + reply[:-1]]])
        hidden = read(self.trunk, sequence, copied(past), start)
        return self.trunk.logits(hidden[-len(reply) :]).float()

    def reply(self, call, rows, hints=()):
        past, start, _ = call
        sequence = torch.cat([rows, self.trunk.embedding[self.after + list(hints) + self.assistant]])
        return self.prompt.tokenizer.decode(answer(self.trunk, sequence, past, start, STOP, 30)[0])


def words_loss(stage, rows, rng, kind):
    call = rng.choice(stage.calls)
    turn = rng.choice(call[2])
    prompt, table = stage.prompt, stage.trunk.embedding
    hints = prompt.block("system", "\n".join(turn["hints"])) if turn["hints"] else []
    reply = prompt.answer(turn["answer"], turn["action"])[:12]
    plain = turn["user"].rstrip(".?! ")
    asked = kind[1] == "question"
    like = plain + "?" if asked else turn["user"]
    with torch.no_grad():
        target = F.log_softmax(stage.reply_logits(call, table[prompt.text(like)], hints, reply), dim=-1)
    given = plain + "." if asked and rng.random() < 0.7 else like
    p = probabilities(*kind, rng)
    sequence = torch.cat([table[prompt.text(given)], how_tokens(rows, p).to(table.dtype)])
    logs = F.log_softmax(stage.reply_logits(call, sequence, hints, reply), dim=-1)
    return F.kl_div(logs, target, log_target=True, reduction="batchmean")


def alone_loss(stage, rows, rng, kind):
    reply = [*stage.prompt.text(REPLIES[situation(*kind)]), IM_END]
    soft = how_tokens(rows, probabilities(*kind, rng)).to(stage.trunk.embedding.dtype)
    return F.cross_entropy(stage.reply_logits(rng.choice(stage.calls), soft, [], reply), torch.tensor(reply))


def tune(work, folder, steps):
    trunk, prompt = load_trunk(folder).bfloat16(), load_prompt(folder)
    stage = Stage(trunk, prompt, 6, "train", 1)
    torch.manual_seed(4)
    rows, first, path = HowRows(), 0, work / "how-rows.pt"
    mean = lambda text: trunk.embedding[prompt.text(text)].float().mean(0)  # noqa: E731
    for i, name in enumerate(SITUATIONS):
        rows.first.data[:, i] = mean(STARTS[name])
    for i, name in enumerate(INTONATIONS):
        rows.second.data[i] = mean(STARTS[name])
    rows.second.data[-1] = mean(" sound")
    optimiser = torch.optim.Adam(rows.parameters(), 0.02, betas=(0.9, 0.98))
    if path.exists():
        saved = torch.load(path)
        rows.load_state_dict(saved["rows"])
        optimiser.load_state_dict(saved["optimiser"])
        first = saved["step"]
    smooth, began = [None, None], time.time()
    for step in range(first, steps):
        rng = random.Random(step)
        for group in optimiser.param_groups:
            group["lr"] = 0.02 * min(1, (step + 1) / 10) * max(0.05, 1 - step / steps)
        for which in (0, 0, 1):
            kind = draw(rng) if which == 0 else ("speech", *draw_speech(rng))
            loss = (alone_loss, words_loss)[which](stage, rows, rng, kind)
            (loss / 3).backward()
            smooth[which] = loss.item() if smooth[which] is None else 0.95 * smooth[which] + 0.05 * loss.item()
        torch.nn.utils.clip_grad_norm_(rows.parameters(), 1.0)
        optimiser.step()
        optimiser.zero_grad()
        if step % 10 == 9 or step + 1 == steps:
            print(f"step {step + 1} alone {smooth[0]:.3f} with words {smooth[1]:.3f} {time.time() - began:.0f}s", flush=True)
            torch.save({"rows": rows.state_dict(), "optimiser": optimiser.state_dict(), "step": step + 1}, path.with_suffix(".part"))
            path.with_suffix(".part").rename(path)


def draw_speech(rng):
    return rng.choice(INTONATIONS), rng.choice(("calm", "calm", "hurried", "loud"))


def check(work, folder, most):
    """Replies with the words withheld, on held-out recordings and a persona that was not trained with, judged by their marks."""
    from .ear_how import factor_logits, features, load

    trunk, prompt = load_trunk(folder).bfloat16(), load_prompt(folder)
    stage, (net, rows) = Stage(trunk, prompt, 1, "test", 2), load(work)
    prosody, pooled, labels, _ = features(work, "test")
    # The classifier's probabilities; mixtures that agree to a tenth are spoken once.
    cache, tally, confusions = {}, {}, {}
    with torch.no_grad():
        for p, label in list(zip(torch.cat([F.softmax(part, dim=1) for part in factor_logits(net(prosody, pooled))], dim=1), labels.tolist()))[:most]:
            first, second = mixing(sharpened(p[None]))
            first, second = (first[0] * 10).round() / 10, (second[0] * 10).round() / 10
            key = (*first.tolist(), *second.tolist())
            if key not in cache:
                cache[key] = stage.reply(stage.calls[0], rows(first, second).to(trunk.embedding.dtype))
            sound = SOUNDS[label[0]]
            wanted = situation(sound, *((INTONATIONS[label[1]], MANNERS[label[2]]) if label[0] == 0 else (None, None)))
            said = judged(cache[key])
            right, count = tally.get(wanted, (0, 0))
            tally[wanted] = (right + (said == wanted), count + 1)
            if said != wanted:
                confusions[wanted, said] = confusions.get((wanted, said), 0) + 1
    right, count = (sum(v[i] for v in tally.values()) for i in (0, 1))
    print(f"right replies, words withheld: {right} of {count} ({100 * right / count:.1f} %)", {k: f"{a}/{b}" for k, (a, b) in sorted(tally.items())})
    print("taken for another:", {f"{a} -> {b}": n for (a, b), n in sorted(confusions.items(), key=lambda x: -x[1])})
    for name in REPLIES:
        p = probabilities(*{"question": ("speech", "question", "calm"), "statement": ("speech", "statement", "calm"), "hurried": ("speech", "statement", "hurried"), "loud": ("speech", "question", "loud")}.get(name, (name, None, None)), random.Random(1))
        with torch.no_grad():
            print(f"  {name}: {stage.reply(stage.calls[0], how_tokens(rows, p).to(trunk.embedding.dtype))!r}")
