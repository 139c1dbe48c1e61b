"""Reading the checkpoints that Google's original BERT code saved, without TensorFlow; imported when one is met.

table: the index file, as sorted keys and values. bundle: what they say of each tensor. checksum: CRC-32C. reader: the tensors.
"""
