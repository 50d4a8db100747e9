"""The command as a shell runs it, and what it leaves."""

import json
import subprocess
import sys
from pathlib import Path

REPOSITORY = Path(__file__).parents[2]


def run_maskgen(*arguments):
    command = [sys.executable, "-m", "maskgen", *map(str, arguments)]
    done = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{command}\n{done.stderr[-3000:]}"
    return done


def rows_of(out):
    return [json.loads(line) for line in (out / "manifest.jsonl").read_text().splitlines()]
