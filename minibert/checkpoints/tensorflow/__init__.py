"""Reading the checkpoints of Google's original BERT code, without TensorFlow: tensors, their index, its checksum."""
