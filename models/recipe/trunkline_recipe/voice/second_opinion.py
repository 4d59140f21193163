"""Asks another judge where record and tape differ: python -m trunkline_recipe.voice.second_opinion KEPT_DIR WHISPER_DIR

KEPT_DIR is what `trunkline bench history --keep` left: the sound that a caller heard up to an interruption, and the words that
the record holds. The shipped recogniser cuts its context and tends to leave out a sentence that has only begun; the published
one (Whisper base in CTranslate2's format, 30 s of padding) reads the same sound from several places, and the reading that comes
nearest to the end of the record is shown with how many words it lacks or adds there.
"""

import json
import sys
from pathlib import Path

import numpy as np
import soundfile

from .evaluate import Recogniser, words

SECONDS = (30, 6, 4, 3, 2, 1)
#: Words at the end of the record that are looked for.
TAIL = 4


def lacking(record, heard):
    """How many of the record's last words the reading lacks, or words that it has behind them; None: not found."""
    record, heard = words(record).split(), words(heard).split()
    for missing in range(0, TAIL):
        end = record[: len(record) - missing][-2:]
        for extra in range(0, TAIL):
            if end and heard[: len(heard) - extra][-len(end) :] == end:
                return missing + extra
    return None


def main():
    kept, judge = Path(sys.argv[1]), Recogniser(Path(sys.argv[2]))
    for cut in json.loads((kept / "cuts.json").read_text()):
        pcm = soundfile.read(kept / cut["file"], dtype="float32")[0]
        readings = [judge(np.ascontiguousarray(pcm[-16000 * s :])) for s in SECONDS]
        found = [(lacking(cut["record"], r), r) for r in readings]
        best = min(found, key=lambda f: 99 if f[0] is None else f[0])
        print(json.dumps({"record": cut["record"][-40:], "judge": best[1][-40:], "words apart": best[0], "shipped": cut["distance"]}))


if __name__ == "__main__":
    main()
