"""Which facts of a persona a question is about: stems, synonym classes and inverse frequency; src/model/brain/relevance.ts is its twin."""

import json
import math
import os
import re

_TABLE = json.load(open(os.path.join(os.path.dirname(__file__), "relevance.json")))
STOP = frozenset(_TABLE["stop"])
CLASSES: dict[str, list[str]] = {}
WEIGHTS: dict[str, float] = {}


def stem(word: str) -> str:
    if len(word) > 4 and word.endswith("ies"):
        return word[:-3] + "y"
    if len(word) > 5 and word.endswith("ing"):
        word = word[:-3]
    elif len(word) > 4 and word.endswith("ed"):
        word = word[:-2]
    elif len(word) > 4 and word.endswith("es"):
        word = word[:-2]
    elif len(word) > 3 and word.endswith("s") and not word.endswith("ss"):
        word = word[:-1]
    if len(word) > 3 and word.endswith("e"):
        word = word[:-1]
    if len(word) > 3 and word[-1] == word[-2]:
        word = word[:-1]
    return word


for _name, _words in _TABLE["classes"].items():
    for _word in _words.split():
        CLASSES.setdefault(stem(_word), []).append("#" + _name)

for _word, _weight in _TABLE["weights"].items():
    WEIGHTS[stem(_word)] = _weight

_MONEY = re.compile(r"[$€£]\s?\d|\d\s?(dollars?|euros?|pounds?|cents?|francs?)\b|\bfree\b", re.I)
_TIME = re.compile(r"\d\s?(am|pm|a\.m|p\.m|o'clock)\b|\d:\d\d|\b(noon|midnight)\b", re.I)
_PHONE = re.compile(r"\d[\d\s-]{6,}\d")
_PERSON = re.compile(r"\b(Dr|Mr|Mrs|Ms|Doctor)\b\.?|(?<=[a-z] )[A-Z][a-z]+ [A-Z][a-z]+")


def stems(text: str) -> list[str]:
    text = text.lower().replace("'s", "")
    for phrase, word in _TABLE["phrases"].items():
        text = re.sub(rf"\b{phrase}\b", word, text)
    return [stem(w) for w in re.findall(r"[a-z0-9]+", text) if w not in STOP]


def terms(text: str, fact: bool) -> dict[str, float]:
    """Stem -> 1, synonym class -> its weight."""
    out: dict[str, float] = {}
    for s in stems(text):
        out[s] = 1.0 if fact else WEIGHTS.get(s, 1.0)
        for c in CLASSES.get(s, ()):
            out[c] = max(out.get(c, 0.0), 0.8)
    if fact:
        if _MONEY.search(text):
            out["#money"] = 0.8
        if _TIME.search(text):
            out["#time"] = 0.8
        if _PHONE.search(text):
            out["#phone"] = 0.8
        if _PERSON.search(text):
            out["#person"] = 0.8
    else:
        lower = text.lower()
        for c, pattern in _TABLE["question"].items():
            if re.search(pattern, lower):
                out["#" + c] = max(out.get("#" + c, 0.0), 0.9)
    return out


def fuzzy(a: str, b: str) -> bool:
    """One letter heard wrong in a long word still matches."""
    if len(a) < 5 or len(b) < 5 or abs(len(a) - len(b)) > 1 or a[:2] != b[:2]:
        return False
    if len(a) == len(b):
        return sum(x != y for x, y in zip(a, b)) == 1
    long, short = (a, b) if len(a) > len(b) else (b, a)
    i = next((i for i in range(len(short)) if long[i] != short[i]), len(short))
    return long[i + 1 :] == short[i:]


class FactIndex:
    def __init__(self, facts: list[str]):
        self.facts = facts
        self.terms = [terms(f, True) for f in facts]
        count: dict[str, int] = {}
        for t in self.terms:
            for k in t:
                count[k] = count.get(k, 0) + 1
        n = len(facts)
        self.idf = {k: math.log(1 + (n - c + 0.5) / (c + 0.5)) for k, c in count.items()}

    def scores(self, question: str, before: str = "") -> list[float]:
        """`before`: the caller's previous question, for "and on Saturday?"."""
        wanted = terms(question, False)
        if before:
            for k, w in terms(before, False).items():
                wanted[k] = max(wanted.get(k, 0.0), 0.3 * w)
        out = []
        for have in self.terms:
            score = 0.0
            for k, w in wanted.items():
                v = have.get(k)
                if v is None and not k.startswith("#"):
                    match = next((h for h in have if fuzzy(k, h)), None)
                    if match is not None:
                        v, k = 0.8, match
                if v is not None:
                    score += w * v * self.idf[k]
            out.append(score / (1 + 0.02 * len(have)))
        return out

    def best(self, question: str, most: int, before: str = "", least: float = 0.6, share: float = 0.8) -> list[str]:
        """The most relevant facts, the best one last (nearest to the answer)."""
        scores = self.scores(question, before)
        order = sorted(range(len(scores)), key=lambda i: (-scores[i], i))
        top = [i for i in order[:most] if scores[i] >= least and scores[i] >= share * scores[order[0]]]
        return [self.facts[i] for i in reversed(top)]
