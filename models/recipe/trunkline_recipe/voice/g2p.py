"""The grapheme-to-phoneme net: letters -> convolutions -> a bidirectional LSTM -> CTC, three frames a letter.

Train:    python -m trunkline_recipe.voice.g2p train LABELS_DIR WORK_DIR [--minutes 11]; again with --minutes 5 --resume
Evaluate: python -m trunkline_recipe.voice.g2p evaluate LABELS_DIR WORK_DIR
Words are held out by family (their first six letters), so that no inflection of a test word was seen in training.
"""

import argparse
import json
import math
import pathlib
import re
import time
import zlib

import torch
from torch import nn

LETTERS = "abcdefghijklmnopqrstuvwxyz'"
FRAMES_PER_LETTER = 3
TOKEN = re.compile(r"[ˈˌ]?(?:aɪ|aʊ|eɪ|oʊ|ɔɪ|.)[ː\u0300-\u036f]*")


def tokens_of(ipa):
    """Phonemes with their stress and length marks attached: 'kˈiːp' -> k, ˈiː, p."""
    return TOKEN.findall(ipa)


def held_out(word):
    return zlib.crc32(word[:6].encode()) % 40 == 0


def load(directory):
    rows = []
    for line in open(pathlib.Path(directory) / "words.tsv"):
        word, ipa, count = line.rstrip("\n").split("\t")
        rows.append((word, ipa, int(count)))
    return rows


class G2p(nn.Module):
    def __init__(self, symbols, width=128, hidden=160, convolutions=3):
        super().__init__()
        self.embed = nn.Embedding(len(LETTERS), width)
        self.convolutions = nn.ModuleList(nn.Conv1d(width, width, 5, padding=2) for _ in range(convolutions))
        self.lstm = nn.LSTM(width, hidden, 1, bidirectional=True, batch_first=True)
        self.out = nn.Linear(2 * hidden, FRAMES_PER_LETTER * symbols)
        self.symbols = symbols

    def forward(self, letters):
        x = self.embed(letters).transpose(1, 2)
        for convolution in self.convolutions:
            x = x + torch.relu(convolution(x))
        x, _ = self.lstm(x.transpose(1, 2))
        return self.out(x).reshape(letters.shape[0], -1, self.symbols)


def greedy(logits):
    best = logits.argmax(-1).tolist()
    said = []
    for row in best:
        out, last = [], 0
        for k in row:
            if k != last and k != 0:
                out.append(k)
            last = k
        said.append(out)
    return said


def edits(a, b):
    row = list(range(len(b) + 1))
    for i, x in enumerate(a, 1):
        before, row[0] = row[0], i
        for j, y in enumerate(b, 1):
            before, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, before + (x != y))
    return row[-1]


def by_length(rows, batch, generator):
    buckets = {}
    for row in rows:
        buckets.setdefault(len(row[0]), []).append(row)
    batches = []
    for bucket in buckets.values():
        order = torch.randperm(len(bucket), generator=generator).tolist()
        batches += [[bucket[i] for i in order[k : k + batch]] for k in range(0, len(bucket), batch)]
    return [batches[i] for i in torch.randperm(len(batches), generator=generator).tolist()]


def letters_of(rows):
    return torch.tensor([[LETTERS.index(c) for c in row[0]] for row in rows])


def phones(ipa_tokens):
    """The same without stress marks, for the error rate of phones alone."""
    return [re.sub("[ˈˌ]", "", t) for t in ipa_tokens]


def evaluate(net, vocabulary, rows):
    net.eval()
    e = n = wrong = e2 = wrong2 = 0
    with torch.no_grad():
        for batch in by_length(rows, 256, torch.Generator().manual_seed(0)):
            for row, said in zip(batch, greedy(net(letters_of(batch)))):
                want, got = tokens_of(row[1]), [vocabulary[k] for k in said]
                d, d2 = edits(want, got), edits(phones(want), phones(got))
                e, n, wrong, e2, wrong2 = e + d, n + len(want), wrong + (d > 0), e2 + d2, wrong2 + (d2 > 0)
    net.train()
    return {
        "words": len(rows),
        "per": round(100 * e / n, 2),
        "wer": round(100 * wrong / len(rows), 2),
        "perWithoutStress": round(100 * e2 / n, 2),
        "werWithoutStress": round(100 * wrong2 / len(rows), 2),
    }


def train(labels, work, minutes, resume):
    torch.manual_seed(1)
    torch.set_num_threads(1)
    rows = load(labels)
    tokens = {}
    for _, ipa, _ in rows:
        for t in tokens_of(ipa):
            tokens[t] = tokens.get(t, 0) + 1
    vocabulary = ["-"] + sorted(t for t, n in tokens.items() if n >= 20)
    index = {t: k for k, t in enumerate(vocabulary)}
    fit = [
        r
        for r in rows
        if all(t in index for t in tokens_of(r[1])) and len(tokens_of(r[1])) <= FRAMES_PER_LETTER * len(r[0]) - 1
    ]
    test = [r for r in fit if held_out(r[0])]
    fit = [r for r in fit if not held_out(r[0])]
    # Words that stand in running text weigh more than those that only a word list knows.
    fit = [r for r in fit if r[2] >= 1 or zlib.crc32(r[0].encode()) % 3 == int(resume)] + [r for r in fit if r[2] >= 5]
    print(len(fit), "to learn", len(test), "held out", len(vocabulary), "symbols", flush=True)
    net = G2p(len(vocabulary))
    print(sum(p.numel() for p in net.parameters()), "parameters", flush=True)
    peak = 3e-3
    if resume:
        net.load_state_dict(torch.load(work / "g2p.pt")["state"])
        peak = 1.5e-3
    optimiser = torch.optim.AdamW(net.parameters(), peak, weight_decay=0.01)
    generator = torch.Generator().manual_seed(2)
    work.mkdir(parents=True, exist_ok=True)
    step, epoch, progress = 0, 0, 0.0
    average = None
    said_at = 0.0
    begin = time.process_time()
    while progress < 1:
        epoch += 1
        for batch in by_length(fit, 64, generator):
            progress = (time.process_time() - begin) / (60 * minutes)
            if progress >= 1:
                break
            rate = peak * min(1, step / 200) * 0.5 * (1 + math.cos(math.pi * progress)) + 1e-6
            for group in optimiser.param_groups:
                group["lr"] = rate
            logits = net(letters_of(batch)).log_softmax(-1).transpose(0, 1)
            targets = [[index[t] for t in tokens_of(r[1])] for r in batch]
            loss = nn.functional.ctc_loss(
                logits,
                torch.tensor([t for row in targets for t in row]),
                torch.full((len(batch),), logits.shape[0]),
                torch.tensor([len(t) for t in targets]),
                zero_infinity=True,
            )
            optimiser.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(net.parameters(), 1.0)
            optimiser.step()
            step += 1
            average = loss.item() if average is None else 0.99 * average + 0.01 * loss.item()
            if progress - said_at > 0.05:
                said_at = progress
                print(f"{progress:.2f} epoch {epoch} step {step} loss {average:.4f}", flush=True)
                torch.save({"state": net.state_dict(), "vocabulary": vocabulary}, work / "g2p.pt")
    torch.save({"state": net.state_dict(), "vocabulary": vocabulary}, work / "g2p.pt")
    print(json.dumps(evaluate(net, vocabulary, test)), flush=True)


def restore(work):
    saved = torch.load(pathlib.Path(work) / "g2p.pt")
    net = G2p(len(saved["vocabulary"]))
    net.load_state_dict(saved["state"])
    return net.eval(), saved["vocabulary"]


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("verb", choices=["train", "evaluate"])
    parser.add_argument("labels", type=pathlib.Path)
    parser.add_argument("work", type=pathlib.Path)
    parser.add_argument("--minutes", type=float, default=11)
    parser.add_argument("--resume", action="store_true", help="go on from WORK_DIR/g2p.pt with another third of the rare words")
    given = parser.parse_args()
    if given.verb == "train":
        train(given.labels, given.work, given.minutes, given.resume)
    else:
        net, vocabulary = restore(given.work)
        rows = [r for r in load(given.labels) if held_out(r[0])]
        print(json.dumps({"all": evaluate(net, vocabulary, rows)}))
        print(json.dumps({"inText": evaluate(net, vocabulary, [r for r in rows if r[2] >= 5])}))
