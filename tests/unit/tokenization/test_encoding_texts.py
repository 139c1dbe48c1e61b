"""Calling the tokenizer: texts, pairs and batches, cut and padded."""

from __future__ import annotations

import copy
import pickle
import sys

import numpy as np
import pytest
import torch

from minibert.tokenization import AddedToken, BertTokenizer, PaddingStrategy, TruncationStrategy


def tokens(tokenizer, ids):
    return " ".join(tokenizer.convert_ids_to_tokens(ids))


def test_one_text(tokenizer):
    encoding = tokenizer("Hello, unaffable dogs!")
    assert tokens(tokenizer, encoding.input_ids) == "[CLS] hello , un ##aff ##able dog ##s ! [SEP]"
    assert encoding["token_type_ids"] == [0] * 10
    assert encoding.attention_mask == [1] * 10
    assert list(encoding) == ["input_ids", "token_type_ids", "attention_mask"]


def test_a_pair_has_two_segments(tokenizer):
    encoding = tokenizer("the dog", "runs")
    assert tokens(tokenizer, encoding.input_ids) == "[CLS] the dog [SEP] runs [SEP]"
    assert encoding.token_type_ids == [0, 0, 0, 0, 1, 1]


def test_a_batch_is_padded_to_its_longest_row(tokenizer):
    encoding = tokenizer(["the", "the dog runs"], padding=True, return_tensors="pt")
    assert encoding.input_ids.shape == (2, 5)
    assert encoding.attention_mask.tolist() == [[1, 1, 1, 0, 0], [1, 1, 1, 1, 1]]
    assert tokens(tokenizer, encoding.input_ids[0]) == "[CLS] the [SEP] [PAD] [PAD]"


def test_padding_on_the_left(tokenizer):
    tokenizer.padding_side = "left"
    encoding = tokenizer(["the", "the dog"], padding=True)
    assert tokens(tokenizer, encoding.input_ids[0]) == "[PAD] [CLS] the [SEP]"
    assert encoding.attention_mask[0] == [0, 1, 1, 1]


def test_lengths_are_rounded_up(tokenizer):
    assert len(tokenizer("the dog runs", padding=True, pad_to_multiple_of=8).input_ids) == 8


@pytest.mark.parametrize(
    ("truncation", "expected"),
    [
        ("only_first", "[CLS] the [SEP] you don runs [SEP]"),
        ("only_second", "[CLS] the dog runs [SEP] you [SEP]"),
        (True, "[CLS] the dog [SEP] you don [SEP]"),
        (TruncationStrategy.LONGEST_FIRST, "[CLS] the dog [SEP] you don [SEP]"),
        (False, "[CLS] the dog runs [SEP] you don runs [SEP]"),
    ],
)
def test_truncation_of_a_pair(tokenizer, truncation, expected):
    ids = tokenizer("the dog runs", "you don runs", truncation=truncation, padding=False).input_ids
    assert tokens(tokenizer, ids) == "[CLS] the dog runs [SEP] you don runs [SEP]"
    padding = PaddingStrategy.DO_NOT_PAD if truncation else "do_not_pad"
    ids = tokenizer("the dog runs", "you don runs", truncation=truncation, max_length=7, padding=padding).input_ids
    assert tokens(tokenizer, ids) == expected


def test_max_length_alone_truncates_and_says_so(tokenizer, caplog):
    assert len(tokenizer("the dog runs", max_length=4).input_ids) == 4
    assert "truncation=True" in caplog.text


def test_the_models_length_is_the_default(tokenizer):
    tokenizer.model_max_length = 4
    assert len(tokenizer("the dog runs", truncation=True).input_ids) == 4
    assert len(tokenizer("the", padding="max_length").input_ids) == 4
    assert (tokenizer.max_len_single_sentence, tokenizer.max_len_sentences_pair) == (2, 1)


def test_without_a_length_nothing_is_padded_or_cut(tokenizer, caplog):
    encoding = tokenizer("the dog", padding="max_length", truncation=True)
    assert len(encoding.input_ids) == 4
    assert "no length to pad or cut to" in caplog.text


def test_a_too_long_sequence_is_warned_of_once(tokenizer, caplog):
    tokenizer.model_max_length = 3
    tokenizer("the dog runs")
    tokenizer("the dog runs")
    assert caplog.text.count("longer than the model's maximum of 3") == 1


def test_overflow_of_one_text(tokenizer):
    encoding = tokenizer(
        "the dog runs the dog", max_length=5, truncation=True, stride=1, return_overflowing_tokens=True
    )
    assert tokens(tokenizer, encoding.overflowing_tokens) == "runs the dog"
    assert encoding.num_truncated_tokens == 2


def test_nothing_overflows_without_a_length(tokenizer):
    encoding = tokenizer("the dog", return_overflowing_tokens=True)
    assert (encoding.overflowing_tokens, encoding.num_truncated_tokens) == ([], 0)


def test_columns_that_were_asked_for(tokenizer):
    encoding = tokenizer("the", return_special_tokens_mask=True, return_length=True, return_token_type_ids=False)
    assert encoding.data == {
        "input_ids": tokenizer.encode("the"),
        "special_tokens_mask": [1, 0, 1],
        "attention_mask": [1, 1, 1],
        "length": 3,
    }


def test_words_tokens_and_ids_as_input(tokenizer):
    expected = tokenizer.encode("hello dogs")
    assert tokenizer(["hello", "dogs"], is_split_into_words=True).input_ids == expected
    assert tokenizer.encode(["hello", "dog", "##s"]) == expected
    assert tokenizer.encode(expected[1:-1]) == expected
    assert tokenizer([["hello", "dogs"], []], is_split_into_words=True).input_ids == [expected, tokenizer.encode("")]


def test_pairs_in_a_batch(tokenizer):
    expected = [tokenizer.encode("the", "dog"), tokenizer.encode("you", "world")]
    assert tokenizer(["the", "you"], ["dog", "world"]).input_ids == expected
    assert tokenizer([("the", "dog"), ("you", "world")]).input_ids == expected
    assert tokenizer.batch_encode_plus([("the", "dog"), ("you", "world")]).input_ids == expected


def test_arrays(tokenizer):
    encoding = tokenizer("the dog", return_tensors="np")
    assert isinstance(encoding.input_ids, np.ndarray)
    assert encoding.input_ids.shape == (1, 4)


def test_the_old_names_of_arguments_still_work(tokenizer):
    with pytest.warns(FutureWarning, match="padding='max_length'"):
        encoding = tokenizer("the", pad_to_max_length=True, max_length=6)
    assert len(encoding.input_ids) == 6
    with pytest.warns(FutureWarning, match="truncation="):
        tokenizer("the", truncation_strategy="only_first")


def test_special_tokens_inside_text_are_one_token(tokenizer):
    assert tokenizer.tokenize("the [MASK]dog[SEP]") == ["the", "[MASK]", "dog", "[SEP]"]
    assert tokenizer.tokenize("[mask]") == ["[", "m", "##a", "##s", "##k", "]"]


def test_added_tokens_are_cut_out_whole(tokenizer):
    size = len(tokenizer)
    assert tokenizer.add_tokens(["NewWord", "dog"]) == 1
    assert tokenizer.add_special_tokens({"additional_special_tokens": ["<E>", AddedToken("<F>", lstrip=True)]}) == 2
    assert len(tokenizer) == size + 3
    assert tokenizer.tokenize("xNEWWORDx <E> <e> <F>") == ["x", "newword", "x", "<E>", "<", "e", ">", "<F>"]
    assert tokenizer.encode("newword<E>")[1:-1] == [size, size + 1]
    assert tokenizer.decode([size, size + 1], skip_special_tokens=True) == "newword"
    assert tokenizer.additional_special_tokens == ["<E>", "<F>"]


@pytest.mark.parametrize("hidden", ["\u200b", "\x0b", "\x1c"])
def test_a_special_token_that_cleaning_brings_about_is_one_word(tokenizer, hidden):
    """As in the reference: too late to be cut out, it is not split either, and no piece of the vocabulary."""
    tokenizer.add_special_tokens({"additional_special_tokens": ["<e1>"]})
    text = f"x <e{hidden}1> x"
    assert tokenizer.tokenize(text) == ["x", "[UNK]", "x"]
    assert tokenizer.encode(text) == tokenizer.convert_tokens_to_ids(["[CLS]", "x", "[UNK]", "x", "[SEP]"])


def test_the_memory_of_words_follows_changed_settings(tokenizer):
    before = tokenizer.encode("Dogs Élan")
    tokenizer.basic_tokenizer.do_lower_case = False
    assert tokenizer.encode("Dogs") == tokenizer.convert_tokens_to_ids(["[CLS]", "[UNK]", "[SEP]"])
    tokenizer.basic_tokenizer.do_lower_case = True
    assert tokenizer.encode("Dogs Élan") == before
    tokenizer.wordpiece_tokenizer.max_input_chars_per_word = 3
    assert tokenizer.encode("dogs")[1:-1] == [tokenizer.unk_token_id]
    assert tokenizer.encode("dgs")[1:-1] == tokenizer.convert_tokens_to_ids(["d", "##g", "##s"])
    tokenizer.vocab["dgs"] = 500
    assert tokenizer.encode("dgs")[1:-1] == [500]
    tokenizer.add_tokens(["og"])
    assert tokenizer.encode("dogs")[1:-1] == tokenizer.convert_tokens_to_ids(tokenizer.tokenize("dogs"))


def test_a_subclass_may_tokenize_in_its_own_way(vocab_file):
    class Reversed(BertTokenizer):
        def tokenize(self, text):
            return super().tokenize(text)[::-1]

    tokenizer = Reversed(vocab_file)
    assert tokens(tokenizer, tokenizer.encode("the dog")) == "[CLS] dog the [SEP]"


def test_words_without_the_basic_tokenizer(vocab_file):
    tokenizer = BertTokenizer(vocab_file, do_basic_tokenize=False)
    assert tokenizer.tokenize("the dog, Dog") == ["the", "[UNK]", "[UNK]"]
    assert tokenizer.encode("the dog, Dog")[1:-1] == tokenizer.convert_tokens_to_ids(["the", "[UNK]", "[UNK]"])


def test_words_never_to_be_split():
    tokenizer = BertTokenizer({"[UNK]": 0, "[CLS]": 1, "[SEP]": 2, "don't": 3}, never_split=["don't", "x!"])
    assert tokenizer.encode("don't x! y")[1:-1] == [3, 0, 0]
    assert tokenizer.tokenize("don't x! y") == ["don't", "x!", "[UNK]"]


def test_decoding_joins_pieces_and_closes_gaps(tokenizer):
    ids = tokenizer.encode("Hello , don't you! dogs [MASK]")
    assert tokenizer.decode(ids) == "[CLS] hello, don't you! dogs [MASK] [SEP]"
    assert tokenizer.decode(torch.tensor(ids), skip_special_tokens=True) == "hello, don't you! dogs"
    assert tokenizer.decode(ids[1:3], clean_up_tokenization_spaces=False) == "hello ,"
    assert tokenizer.batch_decode(np.array([ids[1:3], ids[1:3]])) == ["hello,", "hello,"]
    assert tokenizer.decode(ids[1]) == "hello"


def test_pad_collates_encodings(tokenizer):
    rows = [tokenizer("the"), tokenizer("the dog runs")]
    encoding = tokenizer.pad(rows, return_tensors="pt")
    assert encoding.input_ids.shape == (2, 5)
    expected = tokenizer(["the", "the dog runs"], padding=True, return_tensors="pt")
    assert all(torch.equal(encoding[name], expected[name]) for name in expected)
    tensors = {"input_ids": [torch.tensor([1, 2]), torch.tensor([3])]}
    assert torch.equal(tokenizer.pad(tensors).input_ids, torch.tensor([[1, 2], [3, 0]]))


def test_an_encoding_moves_to_a_device_and_reads_like_a_mapping(tokenizer):
    encoding = tokenizer("the dog", return_tensors="pt").to("meta")
    assert {column.device.type for column in encoding.values()} == {"meta"}
    assert set({**encoding}) == {"input_ids", "token_type_ids", "attention_mask"}
    assert "input_ids" in encoding
    with pytest.raises(AttributeError, match="no 'labels'"):
        _ = encoding.labels


def test_an_encoding_gives_columns_by_name_and_rows_by_number(tokenizer):
    encoding = tokenizer(["the dog", "runs"])
    assert encoding["input_ids"] is encoding.input_ids
    assert encoding[1].tokens == ["[CLS]", "runs", "[SEP]"]
    assert encoding[-1] == encoding[1]
    assert encoding.get("labels") is None
    assert "labels" not in encoding
    with pytest.raises(KeyError, match="labels"):
        encoding["labels"]
    if sys.version_info >= (3, 12):  # where slices can be looked for in a dictionary
        assert encoding[:1] == [encoding[0]]


def test_a_tokenizer_and_its_encodings_survive_pickling_and_copying(tokenizer):
    tokenizer.add_tokens("newword")
    expected = tokenizer("the newword dogs [MASK]")
    for other in (pickle.loads(pickle.dumps(tokenizer)), copy.deepcopy(tokenizer)):
        assert other("the newword dogs [MASK]") == expected
        assert repr(other) == repr(tokenizer)
    assert pickle.loads(pickle.dumps(expected)) == expected


def test_it_shows_what_it_is(tokenizer):
    assert repr(tokenizer).startswith("PreTrainedTokenizer(name_or_path=")
    assert "is_fast=False, padding_side='right', special_tokens={'unk_token': '[UNK]'" in repr(tokenizer)


def test_roles_of_tokens(tokenizer, caplog):
    assert (tokenizer.cls_token, tokenizer.cls_token_id) == ("[CLS]", 2)
    assert (tokenizer.bos_token, tokenizer.bos_token_id) == (None, None)
    assert "no bos_token yet" in caplog.text
    tokenizer.verbose = False
    assert tokenizer.bos_token is None
    tokenizer.mask_token = "dog"
    assert tokenizer.mask_token_id == tokenizer.vocab["dog"]
    assert tokenizer.all_special_tokens == ["[UNK]", "[SEP]", "[PAD]", "[CLS]", "dog"]


def test_columns_that_are_tensors_already_stay_the_same_tensors(tokenizer):
    encoding = tokenizer("hello", return_tensors="pt")
    before = dict(encoding)
    assert encoding.convert_to_tensors("pt") is encoding
    assert all(encoding[name] is column for name, column in before.items())
    lists = tokenizer("hello")
    assert lists.convert_to_tensors(None).data == dict(tokenizer("hello"))
    assert lists.convert_to_tensors("np", prepend_batch_axis=True).input_ids.shape == (1, 3)


def test_a_batch_becomes_tensors_of_two_dimensions(tokenizer):
    assert tokenizer(["hello", "dog"]).convert_to_tensors("pt").input_ids.shape == (2, 3)
    assert tokenizer("hello").convert_to_tensors("np").input_ids.shape == (3,)


def test_rows_of_ones_own_are_padded_column_by_column(tokenizer):
    columns = {
        "input_ids": [[5], [5, 6]],
        "token_type_ids": [[1], [1, 1]],
        "special_tokens_mask": [[0], [0, 0]],
        "offset_mapping": [[(0, 1)], [(0, 1), (1, 2)]],
    }
    padded = tokenizer.pad(columns)
    assert padded.input_ids == [[5, 0], [5, 6]]
    assert padded.token_type_ids == [[1, 0], [1, 1]]
    assert padded.special_tokens_mask == [[0, 1], [0, 0]]
    assert padded.offset_mapping == [[(0, 1), (0, 0)], [(0, 1), (1, 2)]]
    assert padded.attention_mask == [[1, 0], [1, 1]]
