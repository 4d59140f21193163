"""Speaks the held-out questions, and those that lead up to them, with voices that are not the agent's own.

    python -m trunkline_recipe.brain.speak_heldout ../../test/fixtures/brain/heldout.json OUT_DIR

The voices of the recorded questions (../questions.py) take turns. ID.ogg for each question, ID.before0.ogg … for what was asked
before it in the same call: what `trunkline bench heldout --spoken OUT_DIR` asks a whole engine. Needs flite, espeak-ng,
sox and opusenc, all of Debian.
"""

import json
import sys
from pathlib import Path

from ..questions import record

VOICES = ("flite:slt", "espeak:en-us+m3", "flite:awb", "espeak:en-gb+f2", "flite:rms", "flite:kal16")


def main(source: Path, out: Path) -> None:
    out.mkdir(parents=True, exist_ok=True)
    questions = json.loads(source.read_text())["questions"]
    for number, question in enumerate(questions):
        voice = VOICES[number % len(VOICES)]
        for place, text in enumerate(question.get("before", [])):
            record(voice, text, out / f"{question['id']}.before{place}.ogg")
        record(voice, question["text"], out / f"{question['id']}.ogg")
    print(f"{len(questions)} questions, {len(VOICES)} voices")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
