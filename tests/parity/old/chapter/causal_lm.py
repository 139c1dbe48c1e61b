"""A checkpoint read from left to right."""

from transformers import BertConfig, BertLMHeadModel, BertTokenizer

tokenizer = BertTokenizer.from_pretrained("bert-base-cased")
config = BertConfig.from_pretrained("bert-base-cased")
config.is_decoder = True
model = BertLMHeadModel.from_pretrained("bert-base-cased", config=config)

inputs = tokenizer("Rain fell on Bergen.", return_tensors="pt")
outputs = model(**inputs)
logits = outputs.logits
shorter = model(inputs["input_ids"][:, :3]).logits
loss = model(**inputs, labels=inputs["input_ids"]).loss
