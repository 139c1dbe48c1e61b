"""How long each exercise takes, how hard it is, and what is worth noticing once it is solved."""

from typing import NamedTuple

EASY, MEDIUM, HARD = "easy", "medium", "hard"


class About(NamedTuple):
    """minutes: for someone who has read the chapter. notice: shown when the function passes."""

    minutes: int
    level: str
    notice: str

    def __str__(self) -> str:
        return f"{self.minutes} minutes, {self.level}"


ABOUT = {
    "blanks": About(3, EASY, "A blank is a word like any other to the network: only its id is special."),
    "likeliest": About(5, EASY, "The softmax is not needed here: it changes the scores, and never their order."),
    "surprise": About(10, MEDIUM, "log p is a score minus one number that all words share. Nothing has to become as small as p."),
    "perplexity": About(5, EASY, "A mean of logarithms is the logarithm of a geometric mean: one very bad guess cannot hide."),
    "split_punctuation": About(10, EASY, "“don't” becomes three words, and decoding cannot know that no space stood between them."),
    "split_word": About(20, HARD, "It never goes back: a longest first piece can leave a rest that fits nothing, and the word is [UNK]."),
    "join_pieces": About(5, EASY, "The ## is all that is left of where a word began; without it the text could not be put together."),
    "encode_pair": About(5, EASY, "The segments count pieces, and do not look for [SEP]: what an id means depends on where it stands."),
    "embed": About(5, EASY, "Positions are added, so a word's vector and its place share the same numbers; nothing keeps them apart."),
    "layer_norm": About(10, MEDIUM, "Multiply x by any positive number: the result stays (eps aside). Only directions get through."),
    "nearest": About(10, MEDIUM, "The word itself is not always first: any vector of the same direction has the cosine 1, too."),
    "split_heads": About(10, MEDIUM, "No number is computed. Heads are a way of looking at one long vector."),
    "additive_mask": About(5, EASY, "e to the −10000 is exactly 0 in float32, yet a row that is hidden as a whole stays finite."),
    "attention": About(15, MEDIUM, "Nothing here knows the order of the keys: permute keys, values and mask together, and the result stays."),
    "join_heads": About(10, MEDIUM, "A transpose moves no number in memory, and `view` needs them side by side; `reshape` copies when it must."),
    "gelu": About(5, EASY, "Below zero it dips to −0.17 and comes back to 0: unlike ReLU, it is not monotonic."),
    "feed_forward": About(5, EASY, "It looks at each position alone. Two thirds of a layer's weights are here."),
    "add_and_norm": About(5, EASY, "The sum is normalised, x included. In GPT-2, x goes from layer to layer without a LayerNorm."),
    "layer_parameters": About(10, MEDIUM, "BERT-base has 7,087,872 in a layer and 85 million in twelve; its word embeddings are 23 million more."),
    "pool": About(5, EASY, "One position stands for the whole text. It was trained to tell whether two sentences follow each other."),
    "transform": About(5, EASY, "A layer between the encoder and the words: what is good for the next layer need not be good for guessing."),
    "word_scores": About(5, EASY, "The rows that look a word up are the columns that guess it. Only the bias is the decoder's own."),
    "count_parameters": About(10, MEDIUM, "Equal numbers are no sign of one tensor. What is learned together is one object."),
    "modern_name": About(5, EASY, "gamma and beta are TensorFlow's names. Files written in 2018 still have them."),
    "into_model": About(15, MEDIUM, "A tensor that finds no partner is no error by itself. That is why loading has to say what it did."),
    "account": About(15, MEDIUM, "Every name of the model is in one of three lists, and every name of the file in one of two."),
    "labels_for": About(3, EASY, "−100 means nothing to the network: the loss looks away where it stands."),
    "hide": About(15, MEDIUM, "At a tenth of the chosen places the word to be guessed can be read. The network cannot know which."),
    "masked_loss": About(15, HARD, "About six of seven places cost nothing and teach nothing. Later models found ways to ask more."),
    "pretraining_loss": About(5, EASY, "At the start it is about log(vocabulary) + log 2, whatever the texts are."),
    "averages": About(5, EASY, "Neither average ever grows beyond the largest gradient, or its square: both are weighted means."),
    "step_size": About(5, MEDIUM, "At step 1 it is lr · √(1 − β₂) / (1 − β₁): with the usual β a third of lr."),
    "update": About(10, MEDIUM, "Scale every gradient by 1,000: m and √v grow alike, and but for ε nothing changes."),
    "is_decayed": About(5, EASY, "What is exempt is less than a hundredth of the numbers, and all that shifts or scales."),
    "linear": About(5, EASY, "The mean factor of a run, steps 0 to total − 1, is exactly ½, however long the warm-up is."),
    "cosine": About(5, EASY, "On the way down its factors add up to what those of the straight line do; they are spent otherwise."),
    "restarts": About(10, MEDIUM, "At each restart the rate jumps to its peak without any warm-up."),
    "rates": About(3, EASY, "With a warm-up the first step has the rate 0: it changes no weight at all."),
    "unigram_entropy": About(10, MEDIUM, "A model that is below this line has used the words around a blank. Above it, it may only have counted."),
    "reader": About(15, HARD, "No model of this language can be better on average: its loss is the entropy that is left."),
    "fell_through": About(10, MEDIUM, "It is a mean of the losses so far: it never falls below the line before a loss does."),
    "length_at": About(10, MEDIUM, "The sum is rounded, not the shares: rounding errors do not add up, and no step is lost."),
    "problem_type": About(5, EASY, "Yes and no as whole numbers are taken for classes. This is why multi-label targets must be floats."),
    "yes_and_no": About(5, EASY, "A text without any label has a row of zeros, and is learned from like the others."),
    "many_labels_loss": About(15, HARD, "log σ(x) is finite where σ(x) is already 1 or 0 as a float. Write losses with logits."),
    "correlation": About(10, MEDIUM, "Predictions may be off by any positive factor and any shift: 2y + 7 correlates perfectly with y."),
    "pairs_of": About(5, EASY, "Every choice is read with the whole context again: four choices cost four times one."),
    "flatten": About(5, EASY, "The network never learns that rows belong together. Only the loss puts them side by side again."),
    "logits_of": About(5, EASY, "One number a row came out of the head. The number of choices is in no weight, and may change."),
    "choice_loss": About(10, MEDIUM, "Add the same number to all scores of a question: nothing changes. So the head's bias learns nothing."),
    "labels_of_pieces": About(10, MEDIUM, "Long words count once, as short ones do. With a label at every piece they would count more."),
    "tags_of_words": About(10, MEDIUM, "What the network says of the other pieces is thrown away; it was never asked for it."),
    "entities": About(20, HARD, "Every row of tags has a reading, also one that no person would write: I without B begins an entity."),
    "entity_f1": About(15, MEDIUM, "One word too many makes an entity wrong twice: it is missing, and something else was found."),
    "answer_positions": About(10, MEDIUM, "Pieces need not end where the answer does: the text that is cut out can be longer than the answer."),
    "windows": About(15, HARD, "An answer that is shorter than what two windows share is whole in at least one of them."),
    "best_span": About(20, HARD, "Start and end are scored apart, and only their sum is compared. A pair is never looked at as one."),
    "f1": About(10, MEDIUM, "The order of the words counts for nothing: “dog bites man” has F1 1.0 with “man bites dog”."),
    "causal_mask": About(10, MEDIUM, "With a cache one new word needs a row of ones: the triangle matters only while several are new."),
    "shifted_loss": About(10, MEDIUM, "Every place but the last is a question. A masked model asks one in seven, and reads both sides."),
    "greedy": About(15, MEDIUM, "The best next word, always, is not the best text: a word that is dear now may make all others cheap."),
    "top_p": About(20, HARD, "How many words are kept depends on how sure the model is: one, or thousands."),
    "how_far": About(10, MEDIUM, "NaN < tolerance is False, and so is NaN > tolerance. A test must ask in the direction that fails."),
    "sum_in_pairs": About(10, MEDIUM, "Rounding errors grow with the depth of the tree, log₂ n, and not with n. PyTorch sums in blocks, too."),
    "stage_at_fault": About(10, MEDIUM, "`not given <= tolerance` and `given > tolerance` differ for NaN alone."),
    "multiplications": About(15, MEDIUM, "In BERT-base, at 128 words, attention's own products are 3% of the layers' work; they grow with the square."),
    "pack": About(10, MEDIUM, "All but attention looks at each word alone, and does not notice that the rows are gone."),
    "loss_where_asked": About(10, MEDIUM, "The decoder is the widest matrix of all. To score one place in seven saves six sevenths of it."),
    "whole_gradient": About(10, MEDIUM, "The mean of means is the mean only where all parts are equally large: a batch's parts rarely are."),
    "mean_pool": About(10, MEDIUM, "Without the mask a sentence has another vector in each batch, and nothing complains."),
    "max_pool": About(10, MEDIUM, "Each dimension chooses its own token: no token need have this vector."),
    "contrast_loss": About(15, MEDIUM, "The wrong answers cost nothing: they are the others' right ones."),
    "mean_reciprocal_rank": About(10, MEDIUM, "From first to second costs a half; from 500 to 1,000 costs next to nothing."),
}  # fmt: skip
