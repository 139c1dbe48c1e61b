"""Does the second sentence follow the first?"""

import torch
from transformers import BertForNextSentencePrediction, BertTokenizer

tokenizer = BertTokenizer.from_pretrained("bert-base-uncased")
model = BertForNextSentencePrediction.from_pretrained("bert-base-uncased")

sentence = "She opened the window."
following = "The rain came in at once."
unrelated = "Copper melts at a high heat."

encoding = tokenizer(sentence, unrelated, return_tensors="pt")
outputs = model(**encoding, labels=torch.LongTensor([1]))
loss, logits = outputs.loss, outputs.logits
assert logits[0, 0] < logits[0, 1]

encoding = tokenizer(sentence, following, return_tensors="pt")
logits_of_following = model(**encoding).logits
assert logits_of_following[0, 0] > logits_of_following[0, 1]
