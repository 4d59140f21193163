"""Makes the training labels of the grapheme-to-phoneme net: words and sentences as espeak-ng (en-us) says them.

Run: python -m trunkline_recipe.voice.labels OUT_DIR
Needs Debian's word lists and texts (wamerican-huge, wamerican-insane, miscfiles, wordnet-base, dict-gcide,
fortunes) and the PyPI package piper-tts, whose phonemizer is the one that the voice was trained with.
"""

import collections
import gzip
import json
import pathlib
import re
import sys
import unicodedata
import zlib

from piper.phonemize_espeak import EspeakPhonemizer

WORD = re.compile(r"[a-z]+(?:'[a-z]+)*")
PALATAL = "\u02b2"  # A mark that newer espeak-ng adds and that the voice never saw in training.


def word_lists():
    """Words that stand in dictionaries and lists of names, lower-case, without possessives."""
    for name in ("american-english-huge", "web2", "american-english-insane"):
        path = pathlib.Path("/usr/share/dict") / name
        for line in path.read_text("utf-8", "replace").splitlines():
            yield line, name
    with gzip.open("/usr/share/dict/propernames.gz", "rt", errors="replace") as lines:
        for line in lines:
            yield line.strip(), "propernames"


def texts():
    """Running text: fortunes, the glosses and examples of WordNet, the definitions of GCIDE."""
    for path in sorted(pathlib.Path("/usr/share/games/fortunes").iterdir()):
        if path.suffix == "" and "." not in path.name:
            for block in path.read_text("utf-8", "replace").split("\n%\n"):
                yield re.sub(r"\s+", " ", block)
    for name in ("noun", "verb", "adj", "adv"):
        for line in pathlib.Path(f"/usr/share/wordnet/data.{name}").read_text("utf-8", "replace").splitlines():
            if "|" in line and not line.startswith("  "):
                yield line.split("|", 1)[1].strip()
    with gzip.open("/usr/share/dictd/gcide.dict.dz", "rt", errors="replace") as file:
        for block in re.split(r"\n\s*\n", file.read()):
            yield re.sub(r"\[[^\]]*\]|\{|\}|\s+", " ", block)


def fold(text):
    """Lower-case ASCII letters, apostrophes made plain, accents dropped."""
    text = unicodedata.normalize("NFKD", text.replace("\u2019", "'"))
    return "".join(c for c in text if not unicodedata.combining(c))


class Labeller:
    def __init__(self):
        self.espeak = EspeakPhonemizer()

    def __call__(self, text):
        """One string of phonemes per sentence, punctuation kept."""
        return ["".join(s).replace(PALATAL, "") for s in self.espeak.phonemize("en-us", text)]

    def word(self, word):
        said = self(word)
        return said[0].strip() if len(said) == 1 else None


def clauses(text):
    for part in re.split(r"[.!?;:,()\"\u2014`]|--| - |' | '", fold(text)):
        part = part.strip().lower()
        if 2 <= part.count(" ") + 1 <= 14 and re.fullmatch(r"[a-z]+(?:'[a-z]+)*(?: [a-z]+(?:'[a-z]+)*)*", part):
            yield part


def main(out):
    out.mkdir(parents=True, exist_ok=True)
    count = collections.Counter()
    chosen = {}
    for text in texts():
        for word in WORD.findall(fold(text).lower()):
            count[word] += 1
        for clause in clauses(text):
            # One clause in four, chosen by its own hash, is enough for the forms of words in context.
            if zlib.crc32(clause.encode()) % 4 == 0:
                chosen[clause] = True
    words = {}
    for line, source in word_lists():
        word = fold(line).lower().strip()
        if not WORD.fullmatch(word) or len(word) > 24 or word.endswith("'s") or word.endswith("s'"):
            continue
        # The largest list holds half a million rarities: a fifth of them.
        if source == "american-english-insane" and word not in words and zlib.crc32(word.encode()) % 5:
            continue
        words.setdefault(word, source)
    for word, n in count.items():
        if n >= 2 and 1 < len(word) <= 24:
            words.setdefault(word, "text")
    label = Labeller()
    with open(out / "words.tsv", "w") as file:
        for word in words:
            said = label.word(word)
            # Several spoken words (letters spelled out, compounds read apart) are no matter for the net.
            if said and " " not in said:
                file.write(f"{word}\t{said}\t{count[word]}\n")
    print(len(words), "words", flush=True)
    with open(out / "clauses.tsv", "w") as file:
        for clause in chosen:
            said = label(clause)
            if len(said) == 1:
                file.write(f"{clause}\t{said[0]}\n")
    print(len(chosen), "clauses", flush=True)


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]))
