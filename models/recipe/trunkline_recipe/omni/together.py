"""Trunk, ear adapter and talker as one net: a question's soft rows in, the answer's tokens and its sound out.

    rows     persona │ user │ soft rows of the question │ facts │ assistant │ answer's tokens …
    trunk    read, no gradient ──────────────► hidden states ─► logits: the answer's next token
                         ▲                            └─ mean over a word's tokens ─► talker ─► latents of the answer, durations
      adapter(the recogniser's decoder states, what it held likely)

The gradient of both losses goes through the trunk to the adapter: what the ear says is judged by what is answered. The recogniser (its
encoder and decoder) stands before all this and stays as it is.
"""

import json
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

from ..brain.prompt import IM_END, IM_START
from ..brain.tune import FIRST_WORD_WEIGHT, MOST_TOKENS, batches, weights_of
from . import train_talker
from .ear_hear import adapter_rows, mixture
from .ear_trunk import copied
from .triples import INSTRUCTIONS, persona_of, read_rows
from .trunk_states import words_of


class Triples:
    """Rows of one split that have everything: a question heard as speech, an answer with its sound and its words' places."""

    def __init__(self, folder, split, shards, most=10**9):
        folder = Path(folder)
        said = {}
        for number, line in enumerate((folder / "lines.jsonl").read_text().splitlines()):
            told = json.loads(line)
            said[told["text"]] = (number, [(w["start"], w["end"]) for w in told["words"]])
        place = {int(line): n for n, line in enumerate(shards.lines)}
        related = related_facts(folder)
        self.rows = []
        for row in read_rows(folder):
            line, words = said.get(row["answer"], (None, None))
            heard = folder / "heard" / f"{row['id']:05}.npz"
            if row["split"] == split and line in place and heard.exists():
                hints, heard_hints = related.get(row["id"], (row["hints"], row["hints"]))
                self.rows.append({**row, "shard": place[line], "words": words, "heard": heard, "hints": hints, "heardHints": heard_hints})
            if len(self.rows) == most:
                break

    def __len__(self):
        return len(self.rows)

    def groups(self, random, size, least=1):
        """For ever: rows that share a persona, at most `size` of them, each row once a round; groups below `least` are left out, for
        reading their prompt costs more than they teach."""
        while True:
            by_persona = {}
            for place in random.permutation(len(self.rows)):
                row = self.rows[place]
                by_persona.setdefault(persona_of(row), []).append(row)
            found = [rows[at : at + size] for rows in by_persona.values() for at in range(0, len(rows), size)]
            found = [rows for rows in found if len(rows) >= least] or found
            for place in random.permutation(len(found)):
                yield found[place]


def related_facts(folder):
    """-> by row, the facts beside its question as it was said and as it was heard, where triples.py made them."""
    path = Path(folder) / "calls.jsonl"
    calls = [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []
    return {call["id"]: tuple(turns[0]["hints"] for turns in call["branches"]) for call in calls}


class Duty:
    """What the trunk was tuned for before, so that it is not forgotten: personas with branches of written calls (brain/dialogues.py,
    related.mjs), several turns, corrections, wishes to hang up or for a person among them."""

    def __init__(self, path, tuning, prompt):
        """tuning: brain.tune.Tuning of the trunk that learns."""
        self.lines, self.tuning, self.prompt = Path(path).read_text().splitlines(), tuning, prompt

    def backward(self, random, most):
        """Adds the gradient of one persona's answers, at most `most` branches -> their mean loss, named."""
        prefix, branches = self.prompt.persona_with_branches(json.loads(self.lines[random.integers(len(self.lines))]))
        branches = [b for b in branches if len(b[0]) <= MOST_TOKENS and any(b[1])]
        branches = [branches[place] for place in random.permutation(len(branches))[:most]]
        whole, sum_of_step = sum(sum(weights_of(said)) for _, said in branches), 0.0
        self.tuning.read(prefix)
        for batch in batches(branches):
            loss = self.tuning.losses(prefix, batch)[0].sum() / whole
            loss.backward()
            sum_of_step += float(loss.detach())
        return {"duty": sum_of_step}


class General:
    """General questions that are only read and answered in writing (triples.py text --phone 0), under one of several instructions."""

    INSTRUCTIONS = (INSTRUCTIONS, "You are a helpful assistant.", "You are a helpful assistant. Answer briefly.", "Answer the question in one sentence.")

    def __init__(self, folder, net):
        self.rows = [row | {"words": []} for row in read_rows(folder) if not row["facts"] and row["split"] == "train"]
        self.net = net

    def backward(self, random, most):
        """As `Duty.backward`; they are short, so twice as many."""
        told = self.INSTRUCTIONS[random.integers(len(self.INSTRUCTIONS))]
        rows = [self.rows[place] | {"instructions": told} for place in random.permutation(len(self.rows))[: 2 * most]]
        loss, _, _ = self.net(rows, [True] * len(rows))
        loss.backward()
        return {"general": float(loss.detach())}


class Knowledge:
    """What the trunk knew before it was tuned at all: on general questions its chances of the next token are to stay near those of the
    untuned model (the divergence of Hinton et al., 2015, here against forgetting as in Li and Hoiem, 2016)."""

    def __init__(self, trunk, net):
        self.trunk, self.net = trunk.requires_grad_(False), net

    def loss(self, rows, logits):
        """rows without facts; logits [answers' tokens, vocabulary] of the trunk that learns -> mean divergence."""
        tails = [self.net.answer_tokens(row)[0] for row in rows]
        heads = [[*self.net.opening(row), *self.net.prompt.text(row["question"]), *self.net.between(row, written=True)] for row in rows]
        size = max(len(head) + len(tail) for head, tail in zip(heads, tails))
        with torch.no_grad():
            hidden = self.trunk(torch.tensor([head + tail + [0] * (size - len(head) - len(tail)) for head, tail in zip(heads, tails)]))
            before = torch.cat([hidden[n, len(head) - 1 : len(head) - 1 + len(tail)] for n, (head, tail) in enumerate(zip(heads, tails))])
            wanted = self.trunk.logits(before).float().log_softmax(1)
        return F.kl_div(logits.log_softmax(1), wanted, reduction="batchmean", log_target=True)


class LiveStates:
    """States of words as the trunk has just made them; takes the place of trunk_states.States."""

    def __init__(self, rows):
        self.rows = rows

    def of(self, lines, words):
        """-> hidden [B, words, width] with its gradient, known [B, words]."""
        hidden = torch.stack([F.pad(state[:words], (0, 0, 0, max(0, words - len(state)))) for state in self.rows])
        known = torch.zeros(len(self.rows), words)
        for row, state in enumerate(self.rows):
            known[row, : len(state)] = 1
        return hidden, known


class Together(nn.Module):
    def __init__(self, trunk, adapter, talker, prompt, table, basis):
        """table: pieces_table of the recogniser; basis: tensors of basis.npz."""
        super().__init__()
        self.trunk, self.adapter, self.talker = trunk, adapter, talker
        self.prompt, self.table, self.basis = prompt, table, basis
        self.embedding = trunk.embedding.detach().cpu().numpy()
        self.knowledge = None

    def opening(self, row):
        return [*self.prompt.persona(row["instructions"], row["facts"], row["greeting"]), IM_START, *self.prompt.text("user\n")]

    def between(self, row, written=False):
        """Tokens from the end of the question to the answer's first."""
        facts = row["hints" if written else "heardHints"]
        hints = self.prompt.block("system", "\n".join(facts)) if facts else []
        return [IM_END, *self.prompt.text("\n"), *hints, IM_START, *self.prompt.text("assistant\n")]

    def embedded(self, ids):
        return self.trunk.embedding[torch.tensor(ids)]

    def question(self, row, written=False):
        """-> rows of the trunk's space [n, width], with the adapter's gradient if it was spoken."""
        if written:
            return self.embedded(self.prompt.text(row["question"]))
        with np.load(row["heard"]) as kept:
            heard = dict(kept)
        if not heard["speech"] or not len(heard["ids"]):
            return self.embedded(self.prompt.text(row["question"]))
        return self.adapter(*(torch.as_tensor(part) for part in adapter_rows(heard, mixture(heard, self.table), self.embedding)))

    def read_opening(self, row):
        """-> the cache of what precedes the questions of a persona, and its length. Without gradient."""
        ids, past = self.opening(row), self.trunk.fresh_past()
        with torch.no_grad():
            self.trunk.read(self.embedded(ids)[None], past)
        return past, len(ids)

    def answer_tokens(self, row):
        """-> tokens with the end, and for each word of the answer which tokens lie in it."""
        read = self.prompt.tokenizer.encode(row["answer"], add_special_tokens=False)
        return [*read.ids, IM_END], words_of(read.offsets, row["words"])

    def forward(self, rows, written, opening=None):
        """Rows of one persona; written: for each, whether its question is read instead of heard; opening: of `read_opening`, if read before.

        -> mean loss of the answers' tokens, share of them that come first, states [words, width] of each answer. With `knowledge`
        (a `Knowledge` and its weight) the loss of general questions has the divergence from that model, too.
        """
        past, start = opening or self.read_opening(rows[0])
        answers = [self.answer_tokens(row) for row in rows]
        parts = [(self.question(row, w), self.embedded(self.between(row, w))) for row, w in zip(rows, written)]
        whole = [torch.cat([*part, self.embedded(ids)]) for part, (ids, _) in zip(parts, answers)]
        size = max(len(row) for row in whole)
        # Padding stands behind everything: a causal net never looks there.
        hidden = self.trunk.read(torch.stack([F.pad(row, (0, 0, 0, size - len(row))) for row in whole]), copied(past), start)
        first = [sum(len(p) for p in part) for part in parts]
        before = torch.cat([hidden[n, at - 1 : at - 1 + len(ids)] for n, (at, (ids, _)) in enumerate(zip(first, answers))])
        wanted = torch.tensor([token for ids, _ in answers for token in ids])
        weights = torch.tensor([FIRST_WORD_WEIGHT if place == 0 else 1.0 for ids, _ in answers for place in range(len(ids))])
        logits = self.trunk.logits(before).float()
        loss = (F.cross_entropy(logits, wanted, reduction="none") * weights).sum() / weights.sum()
        if self.knowledge and not rows[0]["facts"]:
            knowledge, weight = self.knowledge
            loss = loss + weight * knowledge.loss(rows, logits)
        right = (logits.detach().argmax(1) == wanted).float().mean()
        states = []
        for n, (at, (_, spans)) in enumerate(zip(first, answers)):
            states.append(torch.stack([hidden[n, [at + token for token in span]].mean(0) for span in spans]) if spans else hidden.new_zeros(0, hidden.shape[2]))
        return loss, right, states

    def sound(self, shards, rows, states, random, withheld=None):
        """-> the talker's error in the heard directions and of durations. withheld: False: never, True: always."""
        inputs = list(train_talker.batch(shards, [row["shard"] for row in rows], self.basis, LiveStates(states), random))
        if withheld is not None:
            _, inputs[4] = LiveStates(states).of(None, inputs[3].shape[1])
            inputs[4] = inputs[4] * (not withheld)
        return train_talker.losses(self.talker, inputs)
