"""What the student of modules writes into adapters.py, in place of the blanks."""


def wordpiece(vocabulary):
    return my_bert.Tokenizer(vocabulary)


def embeddings(config, weights):
    return fill(my_bert.Embeddings(config), my_bert.renamed("embeddings", weights))


def attention(config, weights):
    mine = fill(my_bert.Attention(config), my_bert.attention_names(weights))
    return lambda x, mask: mine(x, mask == 0)


def layer(config, weights):
    mine = fill(my_bert.Layer(config), my_bert.layer_names(weights))
    return lambda x, mask: mine(x, mask == 0)


def bert(config, weights):
    return fill(my_bert.Bert(config), my_bert.bert_names(weights))


def pooler(config, weights):
    return fill(my_bert.Pooler(config), weights)


def predictions(config, weights):
    names = {**my_bert.head_names(weights), "decoder.weight": weights["word_embeddings.weight"]}
    return fill(my_bert.WordHead(config, None), names)


def pretraining(config, weights):
    return fill(my_bert.PretrainingLoss(config), my_bert.above("model.", my_bert.pretrained_names(weights)))


def load(folder):
    model = my_bert.from_folder(folder)
    if isinstance(model, my_bert.Bert):
        return lambda *inputs: (model(*inputs), None, None)
    return model


def optimizer(weights, lr, weight_decay):
    return my_bert.Adam(my_bert.in_groups(list(weights.items()), weight_decay), lr)


def schedule(step, warmup, total):
    return my_bert.rate_factor(step, warmup, total)


def classifier(config, weights):
    return fill(my_bert.ClassifierLoss(config), my_bert.above("model.", my_bert.classifier_names(weights)))


def train(config, weights, batches, lr, weight_decay, warmup):
    model = my_bert.Classifier(config)
    model.load_state_dict(my_bert.classifier_names(weights))
    return my_bert.fit(model, batches, lr, weight_decay, warmup), model
