"""Names of people, places and organisations, token by token."""

import torch
from transformers import BertForTokenClassification, BertTokenizer

model = BertForTokenClassification.from_pretrained("dbmdz/bert-large-cased-finetuned-conll03-english")
tokenizer = BertTokenizer.from_pretrained("bert-base-cased")

sequence = "Anna Berg works for Nordlys in Bergen."

# Back to text and forth again, so that the special tokens are among the tokens.
tokens = tokenizer.tokenize(tokenizer.decode(tokenizer.encode(sequence)))
inputs = tokenizer.encode(sequence, return_tensors="pt")

logits = model(inputs).logits
predictions = torch.argmax(logits, dim=2)

for token, prediction in zip(tokens, predictions[0].numpy()):  # noqa: B905  # programs of that time had no strict=
    print((token, model.config.id2label[prediction]))
