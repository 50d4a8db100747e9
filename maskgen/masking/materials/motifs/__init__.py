"""The motifs of prints, one file a family; each is a function of a seed, a palette and a resolution."""
