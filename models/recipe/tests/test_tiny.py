"""The whole way, data to evaluation, on a few sentences and small nets: every command runs, and a second run finds all done."""

import json
import os
import shutil
import subprocess
import sys

import pytest

from trunkline_recipe.plan import HERE, Plan
from trunkline_recipe.steps import ANY, LLAMA

DIST = HERE.parents[2] / "dist/model/text/pronouncer.js"
pytestmark = pytest.mark.skipif(shutil.which("node") is None or not DIST.exists(), reason="needs node and `npm run build`")


@pytest.fixture(scope="module")
def work(tmp_path_factory):
    return tmp_path_factory.mktemp("tiny")


def recipe(work, *arguments):
    environment = os.environ | {"PYTHONPATH": str(HERE.parent), "PYTHONWARNINGS": "ignore"}
    return subprocess.run([sys.executable, "-m", "trunkline_recipe", *arguments, "--tiny", "--work", str(work)], capture_output=True, text=True, env=environment)


@pytest.mark.parametrize("schedule", [ANY, LLAMA])
def test_every_step_of_a_schedule_runs_and_is_done_then(work, schedule):
    for verb in ("data", "train", "export", "evaluate"):
        made = recipe(work, verb, "--schedule", schedule)
        assert made.returncode == 0, made.stdout[-3000:] + made.stderr[-3000:]
    again = recipe(work, "--schedule", schedule)
    steps = [step.name for step in Plan(work, tiny=True).chosen(schedule=schedule)]
    assert again.returncode == 0
    assert sorted(line.split()[1] for line in again.stderr.splitlines()) == sorted(steps)
    assert all(line.startswith("done ") for line in again.stderr.splitlines())


def test_what_was_exported_is_what_the_program_reads(work):
    for name in ("omni-voice", "omni-ear", "omni-units"):
        files = json.loads((work / "export" / name / "manifest.json").read_text())["files"]
        assert files and all((work / "export" / name / file["path"]).stat().st_size == file["bytes"] for file in files)
    tasks = json.loads((work / "tasks.json").read_text())
    assert {"T1-T2", "A1-T2", "T1-A2", "A1-A2"} <= set(tasks)
