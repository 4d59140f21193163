"""Phonemes as symbols of the voice: what a sentence is to the talker, and which symbol belongs to which word.

A sentence is `^ p p p , _ p p . $`: each IPA character by the teacher voice's own id (models/piper-joe), a blank between
words, pauses where the text has them. The teacher wants a pad `_` behind every symbol but the last; the talker does not
see pads. A word owns its phonemes and the pause and blank behind it; `^` belongs to the first word, the end mark and `$`
to the last one.
"""

import json
import unicodedata
from dataclasses import dataclass
from pathlib import Path

START, END, PAD, BLANK = "^", "$", "_", " "
SYMBOLS = 151


def phoneme_ids(voice_folder):
    manifest = json.loads((Path(voice_folder) / "manifest.json").read_text())
    return manifest["parameters"]["phonemeIds"]


@dataclass
class Sentence:
    text: str
    symbols: list[int]
    """Word of each symbol, from 0, never falling."""
    words: list[int]
    """Place of each word in `text`, UTF-16 units."""
    places: list[tuple[int, int]]


def read_sentence(line, ids):
    """One line of spoken.mjs. Characters that the voice has no sound for are left out, as Piper does."""
    said = json.loads(line)
    symbols, words, places = [ids[START]], [0], []
    for index, word in enumerate(said["words"]):
        last = index + 1 == len(said["words"])
        text = unicodedata.normalize("NFD", word["phonemes"])
        if last:
            text += said["end"]
        else:
            text += word["pause"]
            if not word["joined"] or word["pause"]:
                text += BLANK
        known = [ids[c] for c in text if c in ids]
        symbols += known
        words += [index] * len(known)
        places.append((word["start"], word["end"]))
    symbols.append(ids[END])
    words.append(len(places) - 1)
    return Sentence(said["text"], symbols, words, places)


def padded(symbols, pad=0):
    """As the teacher reads them: a pad behind each but the last."""
    out = []
    for symbol in symbols[:-1]:
        out += [symbol, pad]
    return out + symbols[-1:]
