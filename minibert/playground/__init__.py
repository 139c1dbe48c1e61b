"""A page in which a BERT answers while you type: the network again in JavaScript, and the writer that puts all into one file."""
