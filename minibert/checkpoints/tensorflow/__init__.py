"""Checkpoints of Google's TensorFlow code, read without TensorFlow; imported only when such a file is met."""
