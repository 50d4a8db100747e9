"""What every dataset card says, whatever the dataset."""

from __future__ import annotations

NOTICE = """\
These pictures are synthetic edits of photographs of real people: the masks were never there. They show
neither how these people look with a mask nor that they wore one, and must not be shown as if they did. Few
of these people were asked whether they want to be in a dataset."""

TERMS = """\
The masked pictures, the alphas and the manifest are made from the source, and all that its terms ask or
forbid holds for them too. maskgen's own licence covers the program and its mask templates, not these
pictures. What is said above is a summary: read the terms at the home page before you pass anything on."""

LABELS = """\
"gender", "age", "race" and the like are what the source's annotators, its file names or a program wrote down
from the outside, in the few classes that it had. They are not what the people say of themselves, they are
wrong for some of them, and they leave no room for others. A classifier that is trained on them learns to
guess such labels from pictures; it does not know anyone's gender. Do not use it to decide about people."""

# For `datasets.load_dataset(OUT)`. Without it the library takes a label file such as CelebA's
# list_eval_partition.txt for the test split.
LOADED = """
configs:
- config_name: default
  data_files:
  - split: train
    path:
    - metadata.jsonl
    - "**/*.[jpwJPW][pneiPNEI]*"
""".rstrip()

LOADED_TARS = """
configs:
- config_name: default
  data_files:
  - split: train
    path: "shards/*.tar"
""".rstrip()

CONTINGENCY = """\
Template, colour and wear are drawn from the seed and the picture's name alone, independently of every
attribute; these tables show what came of it. Where a share differs much between the columns, the counts are
small, or faces were not found."""
