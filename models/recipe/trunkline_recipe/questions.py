"""Speaks the questions of the end-to-end benchmark with voices that are not the agent's own: flite and espeak-ng.

    python -m trunkline_recipe.questions test/fixtures/questions

Reads questions.json there and writes one Ogg Opus file per question (16 kHz mono, 20 kbit/s, -23 dBFS). Needs flite,
espeak-ng, sox and opusenc, all of Debian. The recordings are data made with these programs; nothing of the programs is
shipped.
"""

import json
import subprocess
import sys
import tempfile
from pathlib import Path


def speak(voice: str, text: str, wav: Path) -> None:
    engine, name = voice.split(":", 1)
    if engine == "flite":
        subprocess.run(["flite", "-voice", name, "-t", text, "-o", str(wav)], check=True)
    elif engine == "espeak":
        subprocess.run(["espeak-ng", "-v", name, "-s", "150", "-w", str(wav), text], check=True)
    else:
        raise SystemExit(f"{voice}: the engine is flite or espeak")


def record(voice: str, text: str, target: Path) -> None:
    """Ogg Opus, 16 kHz mono, without silence around the words: the player of a benchmark must know where speech ends."""
    with tempfile.TemporaryDirectory() as scratch:
        raw, even = Path(scratch, "raw.wav"), Path(scratch, "even.wav")
        speak(voice, text, raw)
        trim = "silence 1 0.01 0.5% reverse silence 1 0.01 0.5% reverse".split()
        subprocess.run(["sox", str(raw), "-r", "16000", "-c", "1", "-b", "16", str(even), *trim, "norm", "-3", "gain", "-6"], check=True)
        subprocess.run(["opusenc", "--quiet", "--speech", "--bitrate", "20", "--serial", "1", str(even), str(target)], check=True)


def main(folder: Path) -> None:
    questions = json.loads((folder / "questions.json").read_text())
    for question in questions:
        record(question["voice"], question["text"], folder / f"{question['id']}.ogg")
    print(f"{len(questions)} questions, {len({question['voice'] for question in questions})} voices")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
