"""Bad vocabularies, bad arguments and texts made to break a tokenizer: a clear error or the right answer, soon."""

from __future__ import annotations

import itertools
import json
import re

import pytest

from minibert.checkpoints import CheckpointError
from minibert.tokenization import AddedToken, BatchEncoding, BertTokenizer, BertTokenizerFast, load_vocab

PIECES = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "a", "b", "##a", "##b", ".", "é", "你"]


def written(path, content):
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


@pytest.fixture
def vocab_file(tmp_path):
    return written(tmp_path / "vocab.txt", "\n".join(PIECES) + "\n")


@pytest.fixture
def tokenizer(vocab_file):
    return BertTokenizer.from_pretrained(vocab_file.parent)


def test_line_ends_of_every_system_are_the_same(tmp_path):
    expected = {piece: index for index, piece in enumerate(PIECES)}
    for end in ("\n", "\r\n", "\r"):
        assert load_vocab(written(tmp_path / "vocab.txt", end.join(PIECES) + end)) == expected
        assert load_vocab(written(tmp_path / "vocab.txt", end.join(PIECES))) == expected


def test_a_blank_line_is_an_empty_piece_that_words_never_use(tmp_path):
    path = written(tmp_path / "vocab.txt", "[PAD]\n[UNK]\n\n[CLS]\n[SEP]\na\n")
    assert load_vocab(path)["a"] == 5
    assert BertTokenizer(path).encode("a b") == [3, 5, 1, 4]


def test_a_piece_on_two_lines_has_the_last_ones_id(tmp_path):
    path = written(tmp_path / "vocab.txt", "[PAD]\n[UNK]\n[CLS]\n[SEP]\na\nb\na\n")
    tokenizer = BertTokenizer(path)
    assert tokenizer.encode("a b", add_special_tokens=False) == [6, 5]
    assert tokenizer.decode([4]) == "[UNK]"
    with pytest.raises(ValueError, match=r"'new' would get id 6, which is 'a' already.*two of its lines"):
        tokenizer.add_tokens("new")
    assert tokenizer.get_added_vocab() == {}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"[PAD]\n[UNK]\ncaf\xe9\n", "not UTF-8"),
        (b"\xff\xfe[\x00P\x00", "not UTF-8"),
        ("\ufeff[PAD]\n[UNK]\n", "byte-order mark"),
        ("", "is empty"),
    ],
)
def test_a_vocabulary_that_cannot_work_is_refused(tmp_path, content, message):
    with pytest.raises(ValueError, match=message):
        BertTokenizer(written(tmp_path / "vocab.txt", content))


VOCABULARIES_WITHOUT = [
    ("[PAD]\n[CLS]\n[SEP]\n[MASK]\na\n", {}),
    ("[PAD]\n[SEP]\n[CLS]\na\n", {}),
    ("[CLS]\n[SEP]\na\n##b\n", {}),
    ("[unk]\n[CLS]\n[SEP]\na\n", {}),
    ("[UNK]\n[CLS]\n[SEP]\na\n", {"unk_token": "<unk>"}),
    ("a\n", {}),
    ("[CLS]\n[SEP]\na\n", {"do_basic_tokenize": False}),
]


@pytest.mark.parametrize("kind", [BertTokenizer, BertTokenizerFast])
@pytest.mark.parametrize(("content", "settings"), VOCABULARIES_WITHOUT)
def test_a_vocabulary_without_an_unknown_token_is_warned_of_and_refuses_unknown_words(
    tmp_path, caplog, kind, content, settings
):
    written(tmp_path / "vocab.txt", content)
    opened = kind.from_pretrained(tmp_path, **settings)
    assert "has no unknown token" in caplog.text
    unknown = opened.unk_token
    assert opened.decode(opened.encode("a a"), skip_special_tokens=True) == "a a"
    assert opened.unk_token_id is None
    assert None not in opened.all_special_ids
    with pytest.raises(ValueError, match=f"neither .* nor the unknown token '{re.escape(unknown)}'"):
        opened("a xyz")


def test_another_name_for_the_unknown_token_is_enough(tmp_path):
    path = written(tmp_path / "vocab.txt", "<unk>\n[CLS]\n[SEP]\na\n")
    assert BertTokenizer(path, unk_token="<unk>").encode("a xyz") == [1, 3, 0, 2]
    written(tmp_path / "special_tokens_map.json", json.dumps({"unk_token": "<unk>"}))
    assert BertTokenizer.from_pretrained(tmp_path).tokenize("xyz") == ["<unk>"]


def test_an_unknown_word_never_gets_a_wrong_id(tokenizer):
    tokenizer.unk_token = "[GONE]"
    with pytest.raises(ValueError, match=r"neither 'xyz' nor the unknown token '\[GONE\]'"):
        tokenizer.convert_tokens_to_ids("xyz")


@pytest.mark.parametrize("place", ["missing.txt", "."])
def test_a_missing_vocabulary_is_named(tmp_path, place):
    with pytest.raises(ValueError, match="There is no vocabulary file at"):
        BertTokenizer(tmp_path / place)


def test_folders_that_hold_no_tokenizer_are_named(tmp_path):
    with pytest.raises(CheckpointError, match=r"vocab\.txt"):
        BertTokenizer.from_pretrained(tmp_path)
    written(tmp_path / "tokenizer_config.json", "{}")
    with pytest.raises(CheckpointError, match=r"neither vocab\.txt nor tokenizer\.json"):
        BertTokenizer.from_pretrained(tmp_path)


@pytest.mark.parametrize("name", ["tokenizer_config.json", "special_tokens_map.json", "added_tokens.json"])
@pytest.mark.parametrize("content", ["", "{", "[1]", b"\xff"])
def test_damaged_files_are_named(vocab_file, name, content):
    written(vocab_file.parent / name, content)
    with pytest.raises(CheckpointError, match=name):
        BertTokenizer.from_pretrained(vocab_file.parent)


def test_added_tokens_with_a_gap_are_refused(vocab_file):
    written(vocab_file.parent / "added_tokens.json", json.dumps({"new": len(PIECES) + 1}))
    with pytest.raises(ValueError, match=rf"'new' has id {len(PIECES) + 1}.*next free id is {len(PIECES)}"):
        BertTokenizer.from_pretrained(vocab_file.parent)


@pytest.mark.parametrize("kind", [BertTokenizer, BertTokenizerFast])
@pytest.mark.parametrize(
    ("name", "near"),
    [
        ("do_lowercase", "do_lower_case"),
        ("lower_case", "do_lower_case"),
        ("max_length", "max_len"),
        ("pad_side", "padding_side"),
        ("strip_accent", "strip_accents"),
        ("unk_tokens", "unk_token"),
        ("random_argument", "an argument of another class"),
    ],
)
def test_settings_that_do_not_exist_are_kept_apart_and_warned_of(vocab_file, caplog, kind, name, near):
    tokenizer, other = (kind.from_pretrained(vocab_file.parent, **{name: value}) for value in (True, False))
    assert (tokenizer.init_kwargs[name], other.init_kwargs[name]) == (True, False)
    warned = [record.getMessage() for record in caplog.records]
    assert len(warned) == 2
    assert f"{kind.__name__} has no argument {name}: " in warned[0]
    assert f"Did you mean {near}" in warned[0]
    tokenizer.save_pretrained(vocab_file.parent)
    assert name not in json.loads((vocab_file.parent / "tokenizer_config.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize("kind", [BertTokenizer, BertTokenizerFast])
def test_settings_of_the_reference_without_effect_are_no_surprise(vocab_file, caplog, kind):
    kind.from_pretrained(vocab_file.parent, from_slow=True, use_fast=True, _fast_init=False, proxies=None)
    assert caplog.text == ""


@pytest.mark.parametrize("kind", [BertTokenizer, BertTokenizerFast])
@pytest.mark.parametrize("ask", ["tokenize", "encode", "encode_plus", "batch_encode_plus", "__call__"])
@pytest.mark.parametrize("given", [None, 7, 1.5, {"a": 1}])
def test_what_is_no_text_is_an_error_of_both_kinds(vocab_file, kind, ask, given):
    for error in (TypeError, ValueError):
        with pytest.raises(error, match=type(given).__name__):
            getattr(kind(vocab_file), ask)(given)


def test_one_text_is_no_batch(tokenizer):
    with pytest.raises(TypeError, match="A batch is a list of texts or of pairs, not str 'the dog'"):
        tokenizer.batch_encode_plus("the dog")
    with pytest.raises(TypeError, match="Item 1 of the batch"):
        tokenizer.batch_encode_plus(["the dog", None])


def test_settings_that_cannot_be_are_refused(vocab_file):
    with pytest.raises(ValueError, match="padding_side='middle'"):
        BertTokenizer(vocab_file, padding_side="middle")
    with pytest.raises(TypeError, match="cls_token must be a str"):
        BertTokenizer(vocab_file, cls_token=5)


@pytest.mark.parametrize(
    ("batch", "message"),
    [
        ([], "the batch is empty"),
        (["a", None], "Item 1 of the batch.*NoneType None"),
        (["a", 3], "Item 1 of the batch.*int 3"),
        ([["a", "b", "c"]], "Item 0 .*3 things.*is_split_into_words=True"),
        (None, "NoneType"),
        (b"a", "bytes"),
        ({"text": "a"}, "dict"),
    ],
)
def test_what_is_no_text_is_named(tokenizer, batch, message):
    with pytest.raises(ValueError, match=message):
        tokenizer(batch)


def test_arguments_that_do_not_exist_are_refused(tokenizer):
    with pytest.raises(TypeError, match="max_len"):
        tokenizer("a", max_len=3)
    with pytest.raises(TypeError, match="pad"):
        tokenizer.encode_plus("a", pad=True)


def test_words_must_be_words(tokenizer):
    with pytest.raises(ValueError, match="a list of words"):
        tokenizer(["a", 3], is_split_into_words=True)
    arguments = {"max_length": 5, "truncation": True, "return_overflowing_tokens": True, "return_offsets_mapping": True}
    with pytest.raises(ValueError, match=r"Item 1 .*a list of words"):
        tokenizer([["a"], ["b", 3]], is_split_into_words=True, **arguments)
    with pytest.raises(ValueError, match="give texts or words"):
        tokenizer.encode_plus([1, 2], return_offsets_mapping=True)


def test_pairs_must_match(tokenizer):
    with pytest.raises(ValueError, match="A batch of 2 texts needs as many in text_pair, not 1"):
        tokenizer(["a", "b"], ["a"])
    with pytest.raises(ValueError, match="not one str"):
        tokenizer(["a", "b"], "a")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"padding": "longer"}, "padding='longer' is not understood. Choose True, False, 'longest'"),
        ({"truncation": "first"}, "truncation='first' is not understood"),
        ({"return_tensors": "tf"}, "return_tensors='tf' is not supported"),
        (
            {"padding": True, "truncation": True, "max_length": 7, "pad_to_multiple_of": 4},
            "max_length=7 cannot be padded",
        ),
        ({"return_token_type_ids": True, "add_special_tokens": False}, "needs add_special_tokens=True"),
    ],
)
def test_arguments_that_do_not_fit_are_named(tokenizer, arguments, message):
    with pytest.raises(ValueError, match=message):
        tokenizer(["a"], **arguments)


def test_ragged_rows_are_no_tensor(tokenizer):
    with pytest.raises(ValueError, match=r"lengths 3, 4\. Pass padding=True"):
        tokenizer(["a", "a a"], return_tensors="pt")
    with pytest.raises(ValueError, match="padding=True"):
        BatchEncoding({"input_ids": [[1], [1, 2]]}, tensor_type="np")


def test_there_must_be_a_token_to_pad_with(vocab_file):
    tokenizer = BertTokenizer(vocab_file, pad_token=None)
    assert tokenizer("a").input_ids == [2, 5, 3]
    with pytest.raises(ValueError, match="no token to pad with"):
        tokenizer(["a"], padding=True)


def test_what_cannot_be_padded_is_named(tokenizer):
    with pytest.raises(ValueError, match="need 'input_ids', and have labels"):
        tokenizer.pad({"labels": [1]})
    with pytest.raises(ValueError, match="'labels' has 1 rows where 'input_ids' has 2"):
        tokenizer.pad({"input_ids": [[1], [2]], "labels": [1]})
    with pytest.raises(ValueError, match="the encodings need 'input_ids', and have no columns"):
        tokenizer.pad([])
    with pytest.raises(ValueError, match=r"^There is nothing to pad: the encodings need 'input_ids', and have a, b\.$"):
        tokenizer.pad({"a": [1], "b": [1]})


def test_roles_must_exist_and_ids_cannot_be_set(tokenizer):
    with pytest.raises(KeyError, match="'klass_token' is not the role"):
        tokenizer.add_special_tokens({"klass_token": "x"})
    with pytest.raises(TypeError, match="must be a list of str or AddedToken"):
        tokenizer.add_special_tokens({"additional_special_tokens": "x"})
    with pytest.raises(AttributeError, match=r"Set tokenizer\.cls_token"):
        tokenizer.cls_token_id = 5
    with pytest.raises(ValueError, match="empty token"):
        tokenizer.add_tokens([""])


def test_a_cut_that_is_impossible_cuts_nothing_and_says_so(tokenizer, caplog):
    assert len(tokenizer("a", "a a a", truncation="only_first", max_length=4).input_ids) == 7
    assert "cannot cut 3 tokens off a sequence of 1" in caplog.text


@pytest.mark.parametrize(
    "text",
    ["\x00", "\ud800", "a\udfffb", "\x00a\x00b\x00", "\u202ea", "\u0301" * 1000, "a" + "\u0301" * 1000],
    ids=ascii,
)
def test_odd_characters_are_dropped_or_unknown(tokenizer, text):
    ids = tokenizer(text, return_offsets_mapping=True).input_ids
    assert set(ids) <= set(range(len(PIECES)))
    assert tokenizer.decode(ids)


@pytest.mark.seconds
@pytest.mark.parametrize(
    ("text", "length"),
    [
        ("a" * 2_000_000, 1),
        ("é\u0301" * 200_000, 1),
        ("." * 300_000, 300_000),
        ("你" * 200_000, 200_000),
        ("a b " * 500_000, 1_000_000),
        ("\x00" * 2_000_000, 0),
        (" " * 2_000_000, 0),
        ("[MASK]" * 50_000, 50_000),
        ("[" * 300_000, 300_000),
        ("[MASK" * 60_000, 120_000),
    ],
    ids=["one word", "accents", "points", "ideographs", "words", "NULs", "spaces", "masks", "brackets", "half masks"],
)
def test_millions_of_characters_take_seconds_not_hours(tokenizer, text, length):
    ids = tokenizer(text, add_special_tokens=False, verbose=False).input_ids
    assert len(ids) == length


def test_added_tokens_that_begin_alike_do_not_blow_up(tokenizer):
    tokenizer.add_tokens(["a" * size for size in range(2, 60)])
    tokens = tokenizer.tokenize("a" * 20_000)
    assert tokens[0] == "a" * 59
    assert sum(map(len, tokens)) == 20_000


def test_the_memory_of_words_is_bounded(tokenizer, monkeypatch):
    monkeypatch.setattr("minibert.tokenization.wordpiece.MAX_WORDS", 100)
    words = ("".join(word) for word in itertools.product("abcdefgh", repeat=4))
    while batch := list(itertools.islice(words, 256)):
        tokenizer([" ".join(batch), "x" * 1000])
        assert len(tokenizer.steps().pieces) <= 100
    assert "x" * 1000 not in tokenizer.steps().pieces


def test_a_failed_save_leaves_the_old_files(tokenizer, tmp_path, monkeypatch):
    tokenizer.save_pretrained(tmp_path / "saved")
    before = {path.name: path.read_bytes() for path in (tmp_path / "saved").iterdir()}
    monkeypatch.setattr("os.replace", lambda *_: (_ for _ in ()).throw(OSError("disk full")))
    tokenizer.add_tokens("new")
    with pytest.raises(OSError, match="disk full"):
        tokenizer.save_pretrained(tmp_path / "saved")
    assert {path.name: path.read_bytes() for path in (tmp_path / "saved").iterdir()} == before


def test_a_file_is_no_folder_to_save_to(tokenizer, vocab_file):
    with pytest.raises(ValueError, match="is a file"):
        tokenizer.save_pretrained(vocab_file)


def test_an_old_tokenizer_json_in_the_folder_is_warned_of(tokenizer, tmp_path, caplog):
    written(tmp_path / "tokenizer.json", "{}")
    tokenizer.save_pretrained(tmp_path)
    assert "not updated" in caplog.text


def test_settings_of_a_special_token_are_kept(tokenizer, tmp_path):
    tokenizer.add_special_tokens({"additional_special_tokens": [AddedToken("<x>", single_word=True)]})
    tokenizer.save_pretrained(tmp_path)
    opened = BertTokenizer.from_pretrained(tmp_path)
    assert opened.all_special_tokens_extended[-1] == AddedToken("<x>", single_word=True)


@pytest.mark.parametrize(
    ("value", "kind"), [(None, "a NoneType"), ("100", "text"), ([100], "a list"), ({}, "a dict")], ids=str
)
def test_the_longest_word_must_be_a_number(vocab_file, value, kind):
    message = rf"max_input_chars_per_word = .* is {kind}\. It must be true, false or a number\.$"
    with pytest.raises(ValueError, match=message):
        BertTokenizer(vocab_file, max_input_chars_per_word=value)
