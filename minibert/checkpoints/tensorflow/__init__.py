"""Reading the checkpoints that Google's original BERT code saved, without TensorFlow; imported when one is met.

bundle: the tensors, and what the index says of each. table: the index file, as sorted keys and values. checksum: CRC-32C.
"""
