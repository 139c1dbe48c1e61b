"""What the student of functions writes into adapters.py, in place of the blanks."""


def wordpiece(vocabulary):
    ids = {piece: number for number, piece in enumerate(vocabulary)}
    return lambda text, second=None: my_bert.encode(ids, text, second)


def embeddings(config, weights):
    return lambda ids, segments: my_bert.embed(config, weights, ids, segments)


def attention(config, weights):
    return lambda x, mask: my_bert.attend(config, weights, x, mask)


def layer(config, weights):
    return lambda x, mask: my_bert.layer(config, weights, x, mask)


def bert(config, weights):
    return lambda ids, segments, mask: my_bert.bert(config, weights, ids, segments, mask)


def pooler(config, weights):
    return lambda hidden: my_bert.pool(weights, hidden)


def predictions(config, weights):
    return lambda hidden: my_bert.word_scores(config, weights, weights["word_embeddings.weight"], hidden)


def pretraining(config, weights):
    return lambda *inputs: my_bert.pretraining_loss(config, weights, *inputs)


def load(folder):
    config, weights = my_bert.open_checkpoint(folder)
    return lambda ids, segments, mask: my_bert.run_checkpoint(config, weights, ids, segments, mask)


def optimizer(weights, lr, weight_decay):
    return my_bert.AdamW(weights, lr, weight_decay)


def schedule(step, warmup, total):
    return my_bert.factor(step, warmup, total)


def classifier(config, weights):
    def run(ids, segments, mask, labels):
        scores = my_bert.classify(config, weights, ids, segments, mask)
        return scores, my_bert.cross_entropy(scores, labels)

    return run


def train(config, weights, batches, lr, weight_decay, warmup):
    losses, trained = my_bert.train(config, weights, batches, lr, weight_decay, warmup)
    return losses, lambda ids, segments, mask: my_bert.classify(config, trained, ids, segments, mask, training=False)
