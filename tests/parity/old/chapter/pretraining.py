"""A word for the mask, and whether one sentence follows the other: the pair of logits of pre-training."""

from transformers import BertForPreTraining, BertTokenizer

tokenizer = BertTokenizer.from_pretrained("bert-base-uncased")
model = BertForPreTraining.from_pretrained("bert-base-uncased")

inputs = tokenizer("The rain was [MASK] in March.", return_tensors="pt")
outputs = model(**inputs)
prediction_logits = outputs.prediction_logits
seq_relationship_logits = outputs.seq_relationship_logits

masked = inputs["input_ids"][0].tolist().index(tokenizer.mask_token_id)
best = prediction_logits[0, masked].argmax().item()
print(tokenizer.convert_ids_to_tokens(best))
