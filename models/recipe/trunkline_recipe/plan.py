"""Runs the steps of the table in order: what is done is left alone, what was stopped goes on, what is missing is named.

A step is done when it left its mark, its outputs are there, and nothing that it reads was made again after it. The mark holds its
command: another command is another step.
"""

import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

from .steps import STEPS

HERE = Path(__file__).resolve().parent
# glibc gives memory back after each step of training otherwise, which doubles its time (README).
ALLOCATOR = {"OMP_NUM_THREADS": "1", "MALLOC_MMAP_MAX_": "0", "MALLOC_TRIM_THRESHOLD_": "9999999999", "MALLOC_TOP_PAD_": "268435456"}


class Plan:
    def __init__(self, work, tiny=False, device="cpu", wheels=None, steps=STEPS):
        work, models = Path(work).absolute(), HERE.parents[1]
        self.work, self.tiny, self.device = work, tiny, device
        self.steps = [s for s in steps if not tiny or s.tiny is not None]
        self.places = {
            "work": work, "models": models, "here": HERE, "repository": models.parent, "dist": models.parent / "dist",
            "out": work / "export", "wheels": Path(wheels).absolute() if wheels else work / "wheels",
            # The tiny recipe has no voices of callers: its ear learns from its triples.
            "adapters": work / ("triples" if tiny else "ear"), "lines": work / ("text/train.jsonl" if tiny else "lines.jsonl"),
        }

    def filled(self, text, step):
        size = step.tiny if self.tiny else step.full
        return [part.format(**self.places) for part in shlex.split(text.replace("{size}", size or ""))]

    def reads(self, step):
        return [Path(path) for path in self.filled(step.reads if self.tiny else f"{step.reads} {step.also}", step)]

    def writes(self, step):
        return [Path(path) for path in self.filled(step.writes, step)]

    def command(self, step):
        parts = self.filled(step.run, step)
        if parts[0] == "node":
            return parts
        if step.device:
            return [sys.executable, "-m", "trunkline_recipe.on", self.device, *parts]
        return [sys.executable, "-m", f"trunkline_recipe.{parts[0]}", *parts[1:]]

    def mark(self, step):
        return self.work / "done" / step.name

    def told(self, step):
        """What the mark says: the same on every device and with every Python."""
        return shlex.join(self.filled(step.run, step)) + "\n"

    def makers(self, step):
        """Steps that make what this one reads."""
        wanted = set(self.reads(step))
        return [other for other in self.steps if other.name != step.name and wanted & set(self.writes(other))]

    def done(self, step):
        mark = self.mark(step)
        if not mark.exists() or mark.read_text() != self.told(step) or not all(path.exists() for path in self.writes(step)):
            return False
        marks = [self.mark(other) for other in self.makers(step)]
        return all(other.stat().st_mtime_ns <= mark.stat().st_mtime_ns for other in marks if other.exists())

    def missing(self, step):
        """Why a step cannot run now, in plain sentences."""
        # The tiny recipe speaks with its own voice.
        programs = [] if self.tiny and step.needs != "node" else [name for name in step.needs.split() if shutil.which(name) is None]
        found = [f"the program {name} is not installed" for name in programs]
        for path in self.reads(step):
            if not path.exists():
                maker = next((other.name for other in self.steps if path in self.writes(other)), None)
                found.append(f"{path} is missing" + (f"; the step {maker} makes it" if maker else "; see README.md for where it comes from"))
        return found

    def chosen(self, verb=None, part=None, stage=None, schedule="any-model"):
        for step in self.steps:
            if schedule in step.stages and verb in (None, step.verb) and part in (None, step.part) and stage in (None, step.stages[schedule]):
                yield step

    def run(self, step, say=print):
        """True if it was done or could be made."""
        if self.done(step):
            say(f"done  {step.name}")
            return True
        missing = self.missing(step)
        if missing:
            say(f"recipe.not-ready: {step.name} cannot run: {'; '.join(missing)}. Fix: provide it, then run again: what is done stays.")
            return False
        command = self.command(step)
        say(f"run   {step.name}: {shlex.join(command)}")
        for path in self.writes(step):
            path.parent.mkdir(parents=True, exist_ok=True)
        environment = ({} if self.device == "cuda" else ALLOCATOR) | os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, [str(HERE.parent), os.environ.get("PYTHONPATH")]))}
        status = subprocess.run(command, env=environment).returncode
        unmade = [str(path) for path in self.writes(step) if not path.exists()]
        if status != 0 or unmade:
            why = f"ended with {status}" if status else f"did not write {', '.join(unmade)}"
            say(f"recipe.step-failed: {step.name} {why}. Fix: see its lines above, then run again: it goes on where it stopped.")
            return False
        self.mark(step).parent.mkdir(parents=True, exist_ok=True)
        self.mark(step).write_text(self.told(step))
        return True

    def table(self, steps, schedule):
        """Lines for a reader."""
        rows = [("step", "verb", "part", "stage", "state", "reads", "writes", "command")]
        short = lambda text: text.replace(f"{self.work}/", "").replace(f"{HERE}/", "").replace(f"{self.places['models']}/", "models/").replace(f"{self.places['repository']}/", "")  # noqa: E731
        for step in steps:
            state = "done" if self.done(step) else "waits" if self.missing(step) else "ready"
            rows.append((step.name, step.verb, step.part, str(step.stages[schedule]), state, *(short(" ".join(map(str, paths))) or "-" for paths in (self.reads(step), self.writes(step))), short(self.told(step).strip())))
        widths = [max(len(row[i]) for row in rows) for i in range(5)]
        return ["  ".join([*(cell.ljust(width) for cell, width in zip(row, widths)), f"{row[5]} -> {row[6]}", f": {row[7]}"]) for row in rows]
