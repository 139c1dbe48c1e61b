"""Do two sentences say the same?"""

import torch
from transformers import BertForSequenceClassification, BertTokenizer

tokenizer = BertTokenizer.from_pretrained("bert-base-cased-finetuned-mrpc")
model = BertForSequenceClassification.from_pretrained("bert-base-cased-finetuned-mrpc")

classes = ["says something else", "says the same"]
statement = "The harbour of Bergen was closed on Monday"
again = "On Monday no ship could enter the port of Bergen"
other = "Anna reads a novel by the window"

same = tokenizer(statement, again, return_tensors="pt")
different = tokenizer(statement, other, return_tensors="pt")
same_logits = model(**same).logits
different_logits = model(**different).logits

for logits in (same_logits, different_logits):
    probabilities = torch.softmax(logits, dim=1).tolist()[0]
    for name, probability in zip(classes, probabilities):  # noqa: B905  # programs of that time had no strict=
        print(f"{name}: {round(probability * 100)}%")
