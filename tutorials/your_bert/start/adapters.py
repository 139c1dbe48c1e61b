"""What I call things: the only lines between the grader and my BERT. Fill in one function for each part, when the part is written.

config   has the sizes: vocab_size, hidden_size, num_attention_heads, num_hidden_layers, intermediate_size, max_position_embeddings,
         type_vocab_size, num_labels, layer_norm_eps, hidden_dropout_prob, attention_probs_dropout_prob.
weights  is a dictionary, name → tensor, with the names that README.md lists for the part. Compute with these very tensors, so that
         gradients reach them; never change them in place.

ids, segments, mask and labels are int64 tensors: (batch, seq) ids; segments 0, 1, …; mask 1 for a token and 0 for padding.
x and hidden are float32, (batch, seq, hidden_size). Parts are built for training: dropout is on, with the config's probabilities,
except where it says otherwise.
"""

import torch

import my_bert


def inside(weights, prefix):
    """The weights whose names begin with `prefix`, without it: inside(weights, "encoder.layer.0.") are those of layer 0."""
    return {name[len(prefix) :]: tensor for name, tensor in weights.items() if name.startswith(prefix)}


def fill(module, tensors):
    """My module as a function that computes with these tensors: {my name of a parameter: tensor}. For BERTs of nn.Modules.

    A tensor may be put together of several: {"qkv.weight": torch.cat([weights["self.query.weight"], …])}; gradients go through.
    """
    mine = dict(module.named_parameters())
    for name, parameter in mine.items():
        if name not in tensors:
            raise ValueError(f"My {type(module).__name__} has a parameter {name}, and fill was given no tensor for it.")
        if tensors[name].shape != parameter.shape:
            raise ValueError(
                f"My {name} has the shape {tuple(parameter.shape)}, its tensor {tuple(tensors[name].shape)}."
            )
    if unknown := sorted(set(tensors) - set(mine)):
        raise ValueError(f"My {type(module).__name__} has no parameter {unknown[0]}; it has {', '.join(mine)}.")
    return lambda *inputs: torch.func.functional_call(module, tensors, inputs)


def wordpiece(vocabulary):
    """vocabulary: the list of pieces; a piece's id is its place. Give a function encode(text, second=None) → (ids, segments).

    Both are lists of whole numbers: [CLS] text [SEP], and with a second text, second [SEP].
    """
    raise NotImplementedError


def embeddings(config, weights):
    """Give a function (ids, segments) → (batch, seq, hidden_size)."""
    raise NotImplementedError


def attention(config, weights):
    """Give a function (x, mask) → (batch, seq, hidden_size): all heads and the output projection; no residual, no LayerNorm."""
    raise NotImplementedError


def layer(config, weights):
    """Give a function (x, mask) → (batch, seq, hidden_size)."""
    raise NotImplementedError


def bert(config, weights):
    """Give a function (ids, segments, mask) → the last layer's hidden states, (batch, seq, hidden_size)."""
    raise NotImplementedError


def pooler(config, weights):
    """Give a function (hidden) → (batch, hidden_size)."""
    raise NotImplementedError


def predictions(config, weights):
    """Give a function (hidden) → scores for every word, (batch, seq, vocab_size)."""
    raise NotImplementedError


def pretraining(config, weights):
    """Give a function (ids, segments, mask, labels, next_labels) → the loss, one number.

    labels: (batch, seq), −100 where nothing was hidden. next_labels: (batch,), 0 where the second text follows the first.
    """
    raise NotImplementedError


def load(folder):
    """Open a checkpoint's folder. Give a function (ids, segments, mask) → (hidden, word scores, next-sentence scores).

    (batch, seq, hidden_size), (batch, seq, vocab_size), (batch, 2); the last two are None if the file has no heads. Dropout is off.
    """
    raise NotImplementedError


def optimizer(weights, lr, weight_decay):
    """Give something whose step() updates these tensors in place, by their .grad. One whose .grad is None stays as it is."""
    raise NotImplementedError


def schedule(step, warmup, total):
    """The factor of the learning rate at a step, counted from 0, of `total`, of which `warmup` are warm-up."""
    raise NotImplementedError


def classifier(config, weights):
    """Give a function (ids, segments, mask, labels) → (scores (batch, num_labels), loss). labels: (batch,)."""
    raise NotImplementedError


def train(config, weights, batches, lr, weight_decay, warmup):
    """Train a copy of the classifier with these weights, a step for each batch (ids, segments, mask, labels) in turn.

    Give (the losses, a list of numbers; a function (ids, segments, mask) → scores, of the trained classifier without dropout).
    """
    raise NotImplementedError
