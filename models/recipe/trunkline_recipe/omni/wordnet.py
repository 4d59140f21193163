"""Reads what is common in WordNet 3.0 (Debian's wordnet-base): senses that its tagged texts use, with gloss and relations.

File layout: wndb(5WN), counts of tagged senses: cntlist(5WN). Only first senses are taken: what a listener thinks of first.
"""

import re
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

FOLDER = Path("/usr/share/wordnet")
PARTS = {"noun": 1, "verb": 2, "adj": 3}
# Meanings that no agent should explain unasked, by words of the gloss.
UNFIT = re.compile(
    r"\b(offensive|obscene|vulgar|derogatory|disparag\w*|slang|ethnic|racial|sex\w*|genital\w*|intercourse|prostitut\w*|whore|breasts?|buttocks|excret\w*|"
    r"feces|urin\w*|drugs?|narcotic|suicide|kill\w*|murder\w*|tortur\w*|rape|nazi|terror\w*|archaic|obsolete|stupid|drunk\w*)\b",
    re.I,
)
PLAIN = re.compile(r"^[a-z]{3,14}$")


@dataclass
class Synset:
    part: str
    words: list[str]
    gloss: str
    examples: list[str]
    pointers: list[tuple[str, str, str, str]] = field(default_factory=list)  # sign, offset, part letter, source and target word


def first_gloss(text):
    """The definition without usage notes, examples and second thoughts."""
    return " ".join(re.sub(r"\([^)]*\)", "", re.split(r'; "|"', text)[0].split(";")[0]).split())


def read_synsets(part, folder=FOLDER):
    """offset -> Synset of one part of speech."""
    found = {}
    for line in (Path(folder) / f"data.{part}").read_text(errors="ignore").splitlines():
        if line.startswith("  "):
            continue
        head, _, told = line.partition(" | ")
        parts = head.split()
        count = int(parts[3], 16)
        words = [re.sub(r"\((a|p|ip)\)$", "", w) for w in parts[4 : 4 + 2 * count : 2]]
        at = 4 + 2 * count
        pointers = [tuple(parts[at + 1 + 4 * i : at + 5 + 4 * i]) for i in range(int(parts[at]))]
        found[parts[0]] = Synset(part, words, first_gloss(told), re.findall(r'"([^"]+)"', told), pointers)
    return found


class WordNet:
    def __init__(self, folder=FOLDER):
        folder = Path(folder)
        if not (folder / "cntlist.rev").exists():
            raise SystemExit(f"recipe.no-wordnet: {folder}/cntlist.rev is missing. Fix: apt-get install wordnet-base, or name its folder.")
        self.synsets = {part: read_synsets(part, folder) for part in PARTS}
        self.counts = {}
        for line in (folder / "cntlist.rev").read_text().splitlines():
            key, sense, count = line.split()
            lemma, _, rest = key.partition("%")
            self.counts[lemma, int(rest[0]), int(sense)] = int(count)
        self.first = {part: self.first_senses(folder, part) for part in PARTS}

    def first_senses(self, folder, part):
        """word -> (its first synset, how often tagged texts use it so), for plain words that are used so at all."""
        found = {}
        for line in (folder / f"index.{part}").read_text().splitlines():
            fields = line.split()
            if line.startswith("  ") or not PLAIN.match(fields[0]):
                continue
            count = max(self.counts.get((fields[0], number, 1), 0) for number in (PARTS[part], *((5,) if part == "adj" else ())))
            synset = self.synsets[part].get(fields[4 + int(fields[3]) + 2])
            if count and synset and fields[0] in synset.words and not UNFIT.search(" ".join([synset.gloss, *synset.words])):
                found[fields[0]] = (synset, count)
        return found

    def words(self, part, least=1):
        """Words in a fixed order, those used at least so often."""
        return sorted(w for w, (_, count) in self.first[part].items() if count >= least)

    def gloss(self, part, word):
        return self.first[part][word][0].gloss

    def usual(self, part, synset):
        """The words of a synset that mean it first, the most used one first."""
        own = [w for w in synset.words if w in self.first[part] and self.first[part][w][0] is synset]
        return sorted(own, key=lambda w: (-self.first[part][w][1], w))

    def related(self, part, word, *signs):
        """Synsets of the same part of speech that some pointers of a word's first sense name."""
        synset = self.first[part][word][0]
        return [self.synsets[part][p[1]] for p in synset.pointers if p[0] in signs and p[2] == part[0] and p[1] in self.synsets[part]]

    @cached_property
    def named(self):
        """(name, synset) of the people, towns, rivers and the like that texts speak of."""
        found = []
        for synset in self.synsets["noun"].values():
            name = synset.words[0].replace("_", " ")
            tagged = any(self.counts.get((word.lower(), 1, sense)) for word in synset.words for sense in range(1, 9))
            if any(p[0] == "@i" for p in synset.pointers) and re.match(r"[A-Z][a-z]+( [A-Z][a-z]+)*$", name) and synset.gloss and not UNFIT.search(synset.gloss):
                found.append((name, synset, tagged))
        return found

    def above(self, synset):
        """Names of everything that a synset is an instance or a kind of."""
        near, names = [synset], set()
        while near:
            near = [self.synsets["noun"][p[1]] for s in near for p in s.pointers if p[0] in ("@", "@i")]
            names |= {word for s in near for word in s.words}
        return names

    @cached_property
    def people(self):
        return [(name, synset) for name, synset, _ in self.named if "person" in self.above(synset) and " " in name]

    @cached_property
    def places(self):
        """(name, what it lies in), both names."""
        found = []
        for name, synset, tagged in self.named:
            wholes = [self.synsets["noun"][p[1]].words[0].replace("_", " ") for p in synset.pointers if p[0] == "#p"]
            wholes = [whole for whole in wholes if re.match(r"[A-Z][a-z]+( [A-Z][a-z]+)*$", whole)]
            if tagged and wholes and not any(name.lower() in self.first[part] for part in PARTS):
                found.append((name, wholes[0]))
        return found

    def kinds_of(self, word):
        """Everything a noun is a kind of, nearest first, as synsets."""
        found, near = [], self.related("noun", word, "@", "@i")
        while near:
            found += near
            near = [self.synsets["noun"][p[1]] for s in near for p in s.pointers if p[0] in ("@", "@i")]
        return found

    def opposites(self, word):
        """Adjectives that are the antonym of this word itself, not of a neighbour."""
        synset = self.first["adj"][word][0]
        place = synset.words.index(word) + 1
        for sign, offset, _, ends in synset.pointers:
            if sign == "!" and int(ends[:2], 16) in (0, place) and offset in self.synsets["adj"]:
                target = self.synsets["adj"][offset].words[max(0, int(ends[2:], 16) - 1)]
                if target in self.first["adj"]:
                    yield target

    def countable(self, word):
        """Its definition begins as that of one thing among several."""
        return re.match(r"(a|an|any|one)\b", self.gloss("noun", word)) is not None and re.search(r"[^s]s$", word) is None
