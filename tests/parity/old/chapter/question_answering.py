"""The words of a text that answer a question."""

import torch
from transformers import AutoModelForQuestionAnswering, AutoTokenizer

tokenizer = AutoTokenizer.from_pretrained("bert-large-uncased-whole-word-masking-finetuned-squad")
model = AutoModelForQuestionAnswering.from_pretrained("bert-large-uncased-whole-word-masking-finetuned-squad")

text = "Nordlys is a small café by the harbour of Bergen. Anna Berg opened it in 1987, and it has twelve tables."
questions = ["Who opened Nordlys?", "Where is the café?", "How many tables are there?"]

start_logits, end_logits = [], []
for question in questions:
    inputs = tokenizer(question, text, add_special_tokens=True, return_tensors="pt")
    input_ids = inputs["input_ids"].tolist()[0]
    outputs = model(**inputs)
    start_logits.append(outputs.start_logits)
    end_logits.append(outputs.end_logits)
    answer_start = torch.argmax(outputs.start_logits)
    answer_end = torch.argmax(outputs.end_logits) + 1
    answer = tokenizer.convert_tokens_to_string(tokenizer.convert_ids_to_tokens(input_ids[answer_start:answer_end]))
    print(f"{question} {answer}")
