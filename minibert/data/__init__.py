"""Text and task files as batches of tensors."""
