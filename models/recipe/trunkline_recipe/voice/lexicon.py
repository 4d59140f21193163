"""Makes the voice's own lexicon out of the labels: what words sound like in sentences, where the net would miss.

lexicon.tsv   word <tab> phonemes: frequent words, and words of running text that the net says otherwise
contexts.tsv  forms that depend on the neighbours: `previous word` (or `*vowel`: before a vowel, `*end`: at the clause's
              end) <tab> word <tab> phonemes; and pairs that are said as one word: `+` <tab> first second <tab> a|b
letters.tsv   letter <tab> its name

Run: python -m trunkline_recipe.voice.lexicon LABELS_DIR WORK_DIR OUT_DIR
"""

import collections
import gzip
import pathlib
import re
import sys

import torch

from .g2p import edits, greedy, letters_of, load, restore, tokens_of
from .labels import Labeller

VOWEL = re.compile("[ˈˌ]?[aeiouæɐɑɒɔəɚɛɜɪʊʌᵻ]")
FREQUENT = 40
IN_TEXT = 2


def align(words, said, alone):
    """Which words each token stands for: [(first, count)], by the least edits against the words said alone."""
    n, m = len(words), len(said)
    infinite = 10**6
    best = {(0, 0): (0, None)}
    for j in range(m):
        for i in range(n + 1):
            if (i, j) not in best:
                continue
            base = best[(i, j)][0]
            # Not more words left than tokens can take, nor fewer.
            for k in (1, 2, 3):
                if i + k > n or n - i - k < m - j - 1 or n - i - k > 3 * (m - j - 1):
                    continue
                want = "".join(alone[w] for w in words[i : i + k]).replace("ˈ", "").replace("ˌ", "")
                got = said[j].replace("ˈ", "").replace("ˌ", "")
                cost = base + edits(want, got) + 0.1 * (k - 1)
                if cost < best.get((i + k, j + 1), (infinite, None))[0]:
                    best[(i + k, j + 1)] = (cost, (i, j, k))
    if (n, m) not in best or best[(n, m)][0] > 0.35 * len("".join(said)):
        return None
    spans, at = [], (n, m)
    while at != (0, 0):
        i, j, k = best[at][1]
        spans.append((i, k))
        at = (i, j)
    return spans[::-1]


def cut_point(first, second, joined):
    """Where the second word begins in phonemes that espeak runs together."""
    best = None
    for k in range(1, len(joined)):
        if joined[k] in "ː\u0303\u0329":
            continue
        cost = edits(first, joined[:k]) + edits(second, joined[k:])
        if best is None or cost < best[0]:
            best = (cost, k)
    k = best[1]
    if k > 1 and joined[k - 1] in "ˈˌ":
        k -= 1
    return joined[:k], joined[k:]


def main(labels, work, out):
    out.mkdir(parents=True, exist_ok=True)
    rows = load(labels)
    alone = {word: ipa for word, ipa, _ in rows}
    count = {word: n for word, _, n in rows}
    forms = collections.defaultdict(collections.Counter)
    by_previous = collections.defaultdict(collections.Counter)
    by_next = collections.defaultdict(collections.Counter)
    at_end = collections.defaultdict(collections.Counter)
    joined = collections.defaultdict(collections.Counter)
    apart = collections.Counter()
    used = 0
    for line in open(labels / "clauses.tsv"):
        clause, ipa = line.rstrip("\n").split("\t")
        words, said = clause.split(" "), ipa.rstrip(".,;:!? ").split(" ")
        if any(w not in alone for w in words):
            continue
        if len(words) == len(said):
            spans = [(i, 1) for i in range(len(words))]
        elif used % 3 == 0 or len(words) <= 6:
            spans = align(words, said, alone)
        else:
            spans = None
        used += 1
        if spans is None:
            continue
        for j, (i, k) in enumerate(spans):
            if k == 2:
                joined[(words[i], words[i + 1])][said[j]] += 1
            if k != 1:
                continue
            word, form = words[i], said[j]
            forms[word][form] += 1
            if i > 0:
                by_previous[(words[i - 1], word)][form] += 1
            if i + 1 < len(words):
                apart[(word, words[i + 1])] += 1
                vowel = bool(VOWEL.match(said[j + 1]))
                by_next[(vowel, word)][form] += 1
            else:
                at_end[word][form] += 1
    print(used, "clauses", len(forms), "words in context", flush=True)
    usual = {w: (f.most_common(1)[0][0] if sum(f.values()) >= 3 else alone[w]) for w, f in forms.items()}
    lines = []

    def different(counter, word, least, share):
        form, n = counter.most_common(1)[0]
        return form if form != usual[word] and n >= least and n >= share * sum(counter.values()) else None

    for (vowel, word), counter in by_next.items():
        # Only what holds before vowels; the usual form covers the rest, or the other way round.
        form = different(counter, word, 12, 0.7)
        if form:
            lines.append(("*vowel" if vowel else "*consonant", word, form))
    for word, counter in at_end.items():
        form = different(counter, word, 6, 0.7)
        if form:
            lines.append(("*end", word, form))
    special = {(kind, w): f for kind, w, f in lines}
    for (previous, word), counter in by_previous.items():
        form = different(counter, word, 4, 0.8)
        if form and form not in (special.get(("*vowel", word)), special.get(("*consonant", word)), special.get(("*end", word))):
            lines.append((previous, word, form))
    for (first, second), counter in joined.items():
        form, n = counter.most_common(1)[0]
        if n >= 5 and n >= 0.7 * (sum(counter.values()) + apart[(first, second)]):
            lines.append(("+", f"{first} {second}", "|".join(cut_point(alone[first], alone[second], form))))
    (out / "contexts.tsv").write_text("".join(f"{a}\t{b}\t{c}\n" for a, b, c in sorted(lines)))
    print(len(lines), "contexts", flush=True)

    net, vocabulary = restore(work)
    chosen = {}
    with gzip.open("/usr/share/dict/propernames.gz", "rt") as file:
        names = {line.strip().lower() for line in file}
    candidates = [(w, usual.get(w, ipa), n) for w, ipa, n in rows if n >= IN_TEXT or w in names]
    wrong = 0
    with torch.no_grad():
        buckets = collections.defaultdict(list)
        for row in candidates:
            buckets[len(row[0])].append(row)
        for bucket in buckets.values():
            for k in range(0, len(bucket), 512):
                batch = bucket[k : k + 512]
                for row, got in zip(batch, greedy(net(letters_of(batch)))):
                    miss = "".join(vocabulary[t] for t in got) != row[1]
                    wrong += miss
                    if miss or row[2] >= FREQUENT:
                        chosen[row[0]] = row[1]
    print(len(candidates), "words of running text and names,", wrong, "said otherwise by the net,", len(chosen), "in the lexicon")
    (out / "lexicon.tsv").write_text("".join(f"{w}\t{chosen[w]}\n" for w in sorted(chosen)))
    label = Labeller()
    names = {c: label(f"{c}.")[0].rstrip(". ") for c in "abcdefghijklmnopqrstuvwxyz"}
    names["a"] = "ˈeɪ"
    (out / "letters.tsv").write_text("".join(f"{c}\t{n}\n" for c, n in names.items()))


if __name__ == "__main__":
    main(*(pathlib.Path(p) for p in sys.argv[1:4]))
