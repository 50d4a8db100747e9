#!/usr/bin/env bash
# What jq gets out of a manifest, which is JSON lines; each line of the output is one row, as TSV.
#
#   examples/manifest_jq.sh counts masked/celeba      status, label, wear, and how many
#   examples/manifest_jq.sh failures masked/celeba    what was not masked, and why
#   examples/manifest_jq.sh sources masked/celeba     the sources of masked images, with their sha256
#   examples/manifest_jq.sh exposed masked/celeba     images that show more of the nose than they cover
set -euo pipefail

manifest=$2/manifest.jsonl
case $1 in
    counts) jq -r '[.status, .label // "-", .faces[0].wear // "-"] | @tsv' "$manifest" | LC_ALL=C sort | uniq -c |
        awk -v OFS='\t' '{ count = $1; $1 = $1; sub(/^[0-9]+\t/, ""); print $0, count }' ;;
    failures) jq -r 'select(.status != "masked") | [.id, .status, .reason] | @tsv' "$manifest" ;;
    sources) jq -r 'select(.status == "masked") | [.source.path, .source.sha256] | @tsv' "$manifest" ;;
    exposed) jq -r 'select(any(.faces[]; .coverage.nose < 0.5)) | .file_name' "$manifest" ;;
    *)
        echo "expected counts, failures, sources or exposed; got $1" >&2
        exit 2
        ;;
esac
