"""Models: backbones, building, safe loading, the classifier around a model, export and benchmarks."""
