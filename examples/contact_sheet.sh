#!/usr/bin/env bash
# Draws the README's image, and a contact sheet over a folder of faces of your own.
#
#   examples/contact_sheet.sh                   examples/sample.jpg, from the portrait that ships with maskgen
#   examples/contact_sheet.sh FACES OUT [N]     OUT/preview.jpg: N faces (60) evenly spread over the tree FACES
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
maskgen=("${PYTHON:-python3}" -m maskgen)

if (($# == 0)); then
    scratch=$(mktemp -d)
    trap 'rm -rf "$scratch"' EXIT
    "${maskgen[@]}" synth --dataset sample --out "$scratch/sheet" --blend poisson --variants 4 --alpha --quiet \
        --template surgical --template cloth_floral --template kn95_white --template sponge_black \
        --wear correct=5 --wear nose-out --seed 3
    cp "$scratch/sheet/preview.jpg" "$here/sample.jpg"
    exit
fi

faces=$1
out=$2
count=${3:-60}
chosen=$out.sources
mkdir -p "$chosen"
mapfile -d '' all < <(find "$faces" -type f \( -iname '*.jpg' -o -iname '*.jpeg' -o -iname '*.png' \) -print0 |
    LC_ALL=C sort -z)
((count < ${#all[@]})) || count=${#all[@]}
for ((i = 0; i < count; i++)); do
    path=${all[i * ${#all[@]} / count]}
    name=${path#"$faces"/}
    cp "$path" "$chosen/${name//\//__}"
done
"${maskgen[@]}" synth --dataset folder --root "$chosen" --out "$out" --blend poisson --alpha --template all \
    --wear correct=8 --wear nose-out=2 --overwrite --quiet
"${maskgen[@]}" report "$out" --samples "$count"
