"""Takes the test half of the overlap clips to where `trunkline bench barge-in` looks for them.

    python -m trunkline_recipe.turns.clips FOLDER
    python -m trunkline_recipe.turns.overlap_fixtures FOLDER/overlaps test/fixtures/overlaps

Each clip is cut to its sound and written as Ogg Opus; clips.json says what it is and who made it. Needs opusenc.
"""

import json
import subprocess
import sys
import tempfile
import wave
from pathlib import Path

MARGIN_MS = 60


def main(source: Path, target: Path) -> None:
    target.mkdir(parents=True, exist_ok=True)
    written = []
    for clip in json.loads((source / "clips.json").read_text()):
        if clip["split"] != "test" or clip["kind"] == "echo":
            continue
        part = clip["parts"][0]
        name = Path(clip["file"]).stem
        with wave.open(str(source / clip["file"])) as file:
            rate = file.getframerate()
            first = max(0, int((part["startMs"] - MARGIN_MS) * rate / 1000))
            file.setpos(first)
            frames = file.readframes(int((part["endMs"] + MARGIN_MS) * rate / 1000) - first)
        with tempfile.NamedTemporaryFile(suffix=".wav") as cut:
            with wave.open(cut.name, "wb") as out:
                out.setnchannels(1)
                out.setsampwidth(2)
                out.setframerate(rate)
                out.writeframes(frames)
            subprocess.run(["opusenc", "--quiet", "--bitrate", "24", "--serial", "1", cut.name, str(target / f"{name}.ogg")], check=True)
        kind = "interrupt" if clip["interrupts"] else "pass"
        written.append({"file": f"{name}.ogg", "kind": kind, "what": part["text"] or clip["kind"], "source": name})
    (target / "clips.json").write_text(json.dumps(written, indent=1) + "\n")
    print(f"{len(written)} clips")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
