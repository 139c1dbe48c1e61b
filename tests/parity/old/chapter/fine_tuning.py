"""Fine-tuning: weight decay for all but biases and LayerNorm, and a rate that rises, then falls."""

import torch
from transformers import AdamW, BertForSequenceClassification, BertTokenizer, get_linear_schedule_with_warmup

torch.manual_seed(42)
tokenizer = BertTokenizer.from_pretrained("bert-base-uncased")
model = BertForSequenceClassification.from_pretrained("bert-base-uncased", num_labels=2)

texts = ["A fine warm day.", "Cold rain all day.", "The sun came out.", "Ice on the window."]
labels = torch.tensor([1, 0, 1, 0])
batch = tokenizer(texts, padding=True, return_tensors="pt")

named = list(model.named_parameters())
no_decay = ["bias", "LayerNorm.bias", "LayerNorm.weight"]
groups = [
    {"params": [p for n, p in named if not any(part in n for part in no_decay)], "weight_decay": 0.01},
    {"params": [p for n, p in named if any(part in n for part in no_decay)], "weight_decay": 0.0},
]
optimizer = AdamW(groups, lr=5e-3)
scheduler = get_linear_schedule_with_warmup(optimizer, num_warmup_steps=3, num_training_steps=30)

model.train()
losses, rates = [], []
for _ in range(30):
    loss = model(**batch, labels=labels).loss
    loss.backward()
    torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
    rates.append(scheduler.get_last_lr()[0])
    optimizer.step()
    scheduler.step()
    optimizer.zero_grad()
    losses.append(loss.detach())

model.eval()
logits = model(**batch).logits
print(logits.argmax(dim=1).tolist())
