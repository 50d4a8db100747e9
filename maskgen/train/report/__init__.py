"""Reports of figures: their tables, and the pages of a training run and of an evaluation."""
