#!/usr/bin/env bash
# LFW's pairs for verification under masks: each pair once as it was, once with one face masked, once with both.
#
#   examples/lfw_pairs.sh [LFW] [OUT]
#
# OUT.pairs.tsv has the columns same, condition, first, second; the paths are of the images in OUT. A pair with
# an image that could not be masked is left out of all three, and counted on stderr.
set -euo pipefail

root=${1:-data/lfw}
out=${2:-masked/lfw}
maskgen=("${PYTHON:-python3}" -m maskgen)

"${maskgen[@]}" synth --dataset lfw --root "$root" --out "$out" --pairs --template all --quiet

"${PYTHON:-python3}" - "$root/pairs.txt" "$out" > "$out.pairs.tsv" <<'PYTHON'
import json
import sys
from pathlib import Path

pairs, out = Path(sys.argv[1]), Path(sys.argv[2])
masked = {}
with (out / "manifest.jsonl").open(encoding="utf-8") as manifest:
    for row in map(json.loads, manifest):
        if row["status"] == "masked":
            masked[Path(row["id"]).stem] = (row["unmasked_file"], row["file_name"])
print("same", "condition", "first", "second", sep="\t")
left_out = 0
for line in pairs.read_text(encoding="utf-8").splitlines():
    cells = line.split("\t")
    if len(cells) not in (3, 4):
        continue  # the first line: how many folds, and pairs in each
    one, other = (cells[0], cells[1]), (cells[-2] if len(cells) == 4 else cells[0], cells[-1])
    names = [f"{person}_{int(number):04d}" for person, number in (one, other)]
    if not all(name in masked for name in names):
        left_out += 1
        continue
    (bare, worn), (other_bare, other_worn) = (masked[name] for name in names)
    same = int(len(cells) == 3)
    for condition, first, second in (
        ("none", bare, other_bare),
        ("one", bare, other_worn),
        ("both", worn, other_worn),
    ):
        print(same, condition, first, second, sep="\t")
if left_out:
    print(f"{left_out} pairs have an image that could not be masked", file=sys.stderr)
PYTHON
