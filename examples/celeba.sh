#!/usr/bin/env bash
# Masks CelebA in shares, as a job array would, joins them, and counts the result.
#
#   examples/celeba.sh [CELEBA] [OUT] [SHARES]
#
# Give the same command again to go on after an interruption. In a real job array each share is a job of its
# own, with its number from the scheduler (--shard "$SLURM_ARRAY_TASK_ID/$SLURM_ARRAY_TASK_COUNT").
set -euo pipefail

root=${1:-data/celeba}
out=${2:-masked/celeba}
shares=${3:-2}
maskgen=("${PYTHON:-python3}" -m maskgen)

jobs=()
for ((share = 1; share <= shares; share++)); do
    "${maskgen[@]}" synth --dataset celeba --root "$root" --out "$out" --shard "$share/$shares" --quiet \
        --blend poisson --template all --wear correct=8 --wear nose-out=2 --pairs --max-errors 100 &
    jobs+=($!)
done
for job in "${jobs[@]}"; do
    wait "$job"
done
"${maskgen[@]}" merge "$out"

# One line for each split, label and wear, from the manifest alone.
"${PYTHON:-python3}" - "$out/manifest.jsonl" <<'PYTHON'
import collections
import json
import sys

counts = collections.Counter()
with open(sys.argv[1], encoding="utf-8") as manifest:
    for line in manifest:
        row = json.loads(line)
        if row["status"] == "masked":
            counts[row["split"], row["label"], row["faces"][0]["wear"]] += 1
        else:
            counts[row["split"], row["label"], row["status"]] += 1
for (split, label, what), count in sorted(counts.items(), key=str):
    print(f"{split}\t{label}\t{what}\t{count}")
PYTHON
