"""``examples/slurm.sh`` as SLURM reads it; tests/test_readme.py runs it as a job array."""

import subprocess
from pathlib import Path

SCRIPT = Path(__file__).parents[2] / "examples" / "slurm.sh"


def test_bash_can_read_the_script():
    assert subprocess.run(["bash", "-n", SCRIPT], check=False).returncode == 0


def test_sbatch_finds_all_its_options():
    lines = SCRIPT.read_text(encoding="utf-8").splitlines()
    options = [number for number, line in enumerate(lines) if line.startswith("#SBATCH ")]
    # sbatch stops at the first line that is no comment, and these come first of all.
    assert options == list(range(1, 1 + len(options)))
    assert "#SBATCH --array=1-8" in lines
