"""Training: the loop, its checkpoints, pre-training, metrics."""
