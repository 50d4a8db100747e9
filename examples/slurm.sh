#!/usr/bin/env bash
#SBATCH --job-name=maskgen
#SBATCH --array=1-8
#SBATCH --cpus-per-task=4
#SBATCH --mem-per-cpu=1G
#SBATCH --time=12:00:00
#SBATCH --output=maskgen-%A-%a.log
# Masks a dataset as a SLURM job array, each job with one share of the shards, and joins the shares at the end.
#
#   job=$(sbatch --parsable examples/slurm.sh celeba data/celeba masked/celeba --blend poisson)
#   sbatch --dependency=afterok:"$job" --array=0 examples/slurm.sh celeba data/celeba masked/celeba
#
# The first line queues the shares, the second the job that joins them when all have ended well. Dataset and
# output must be on a disk that all nodes share. After a failure give the same two lines again: what is done
# is not done twice. The number of jobs is that of --array; it must start at 1.
set -euo pipefail

dataset=$1 root=$2 out=$3
shift 3
maskgen=("${PYTHON:-python3}" -m maskgen)

if ((SLURM_ARRAY_TASK_ID == 0)); then
    exec "${maskgen[@]}" merge "$out"
fi
exec "${maskgen[@]}" synth --dataset "$dataset" --root "$root" --out "$out" "$@" --quiet \
    --shard "$SLURM_ARRAY_TASK_ID/$SLURM_ARRAY_TASK_COUNT" --jobs "${SLURM_CPUS_PER_TASK:-1}"
