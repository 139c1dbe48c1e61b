"""Loading and saving: vocab.txt, the small files beside it, and tokenizer.json alone."""

from __future__ import annotations

import json

import pytest

from minibert.checkpoints import CheckpointError
from minibert.tokenization import AddedToken, BertTokenizer, load_vocab
from tests.unit.tokenization.conftest import PIECES


def test_a_saved_tokenizer_comes_back_the_same(tokenizer, tmp_path):
    tokenizer.add_tokens(["newword"])
    tokenizer.add_special_tokens({"additional_special_tokens": ["<E>"], "mask_token": AddedToken("<M>", lstrip=True)})
    tokenizer.model_max_length = 77
    tokenizer.padding_side = "left"
    paths = tokenizer.save_pretrained(tmp_path / "new" / "folder")
    assert [path.rpartition("/")[2] for path in paths] == [
        "tokenizer_config.json",
        "special_tokens_map.json",
        "vocab.txt",
        "added_tokens.json",
    ]
    config = json.loads((tmp_path / "new" / "folder" / "tokenizer_config.json").read_text(encoding="utf-8"))
    assert not {"vocab_file", "tokenizer_file", "special_tokens_map_file"} & set(config)
    opened = BertTokenizer.from_pretrained(tmp_path / "new" / "folder")
    assert opened.get_vocab() == tokenizer.get_vocab()
    assert opened.special_tokens_map_extended == tokenizer.special_tokens_map_extended
    assert (opened.model_max_length, opened.padding_side) == (77, "left")
    text = "Hello newword <E> dogs <M>"
    assert opened(text) == tokenizer(text)


@pytest.mark.parametrize("settings", [{"do_lower_case": False}, {"strip_accents": False}, {"never_split": ["b!"]}])
def test_settings_are_saved(vocab_file, tmp_path, settings):
    BertTokenizer(vocab_file, **settings).save_pretrained(tmp_path)
    opened, fresh = BertTokenizer.from_pretrained(tmp_path), BertTokenizer(vocab_file, **settings)
    assert opened.tokenize("B! É") == fresh.tokenize("B! É")
    assert opened.tokenize("B! É") != BertTokenizer(vocab_file).tokenize("B! É")


def test_arguments_win_over_the_files(vocab_file, tmp_path):
    BertTokenizer(vocab_file).save_pretrained(tmp_path)
    opened = BertTokenizer.from_pretrained(tmp_path, do_lower_case=False, cls_token="dog")
    assert (opened.do_lower_case, opened.cls_token) == (False, "dog")


def test_special_tokens_the_vocabulary_lacks_are_added(vocab_file, caplog):
    opened = BertTokenizer.from_pretrained(vocab_file.parent, additional_special_tokens=["<E>"])
    assert opened.convert_tokens_to_ids("<E>") == len(PIECES)
    assert "train their embeddings" in caplog.text


def test_a_vocabulary_file_may_be_given_itself(vocab_file):
    assert BertTokenizer.from_pretrained(vocab_file).vocab == load_vocab(vocab_file)


def test_a_subfolder(vocab_file):
    opened = BertTokenizer.from_pretrained(vocab_file.parent.parent, subfolder=vocab_file.parent.name)
    assert opened.vocab_size == len(PIECES)


def test_the_bundled_tokenizer_is_found_by_name():
    tokenizer = BertTokenizer.from_pretrained("novels-4l-256h")
    assert (tokenizer.vocab_size, tokenizer.model_max_length) == (8192, 128)
    assert tokenizer.tokenize("It was a dark night.") == ["it", "was", "a", "dark", "night", "."]


def test_a_save_without_added_tokens_removes_those_of_an_earlier_one(tokenizer, vocab_file, tmp_path):
    tokenizer.add_tokens("newword")
    tokenizer.save_pretrained(tmp_path)
    BertTokenizer(vocab_file).save_pretrained(tmp_path)
    assert BertTokenizer.from_pretrained(tmp_path).get_added_vocab() == {}


def test_the_vocabulary_alone_can_be_saved(tokenizer, tmp_path):
    (path,) = tokenizer.save_vocabulary(tmp_path, filename_prefix="my")
    assert path.endswith("my-vocab.txt")
    assert load_vocab(path) == tokenizer.vocab
    (path,) = tokenizer.save_vocabulary(tmp_path / "pieces.txt")
    assert load_vocab(path) == tokenizer.vocab


def test_gaps_between_ids_are_warned_of(tmp_path, caplog):
    BertTokenizer({"[UNK]": 0, "[PAD]": 5}).save_vocabulary(tmp_path)
    assert "without a gap" in caplog.text


def tokenizer_json(**changes):
    normalizer = {"type": "BertNormalizer", "lowercase": False, "strip_accents": None, "handle_chinese_chars": True}
    whole = {
        "added_tokens": [
            {"id": 0, "content": "[PAD]", "special": True},
            {"id": len(PIECES), "content": "newword", "special": False},
        ],
        "normalizer": normalizer,
        "model": {"type": "WordPiece", "vocab": {piece: index for index, piece in enumerate(PIECES)}},
    }
    return {**whole, **changes}


def test_tokenizer_json_alone_is_enough(tmp_path):
    (tmp_path / "tokenizer.json").write_text(json.dumps(tokenizer_json()))
    tokenizer = BertTokenizer.from_pretrained(tmp_path)
    assert tokenizer.do_lower_case is False
    assert tokenizer.tokenize("Dog newword dogs") == ["[UNK]", "newword", "dog", "##s"]
    assert tokenizer.convert_tokens_to_ids("newword") == len(PIECES)


@pytest.mark.parametrize(
    "changes",
    [{"model": {"type": "BPE", "vocab": {}}}, {"normalizer": {"type": "NFC"}}, {"model": {"type": "WordPiece"}}],
)
def test_another_kind_of_tokenizer_json_is_refused(tmp_path, changes):
    (tmp_path / "tokenizer.json").write_text(json.dumps(tokenizer_json(**changes)))
    with pytest.raises(CheckpointError, match="describes no BERT tokenizer"):
        BertTokenizer.from_pretrained(tmp_path)


def test_added_tokens_kept_in_the_configuration_are_read(vocab_file):
    decoder = {str(len(PIECES)): {"content": "newword", "special": False}}
    config = {"added_tokens_decoder": decoder, "clean_up_tokenization_spaces": True}
    (vocab_file.parent / "tokenizer_config.json").write_text(json.dumps(config))
    assert BertTokenizer.from_pretrained(vocab_file.parent).get_added_vocab() == {"newword": len(PIECES)}


def test_roles_may_be_given_as_objects(vocab_file):
    mask = {"__type": "AddedToken", "content": "dog", "lstrip": True, "normalized": False}
    (vocab_file.parent / "tokenizer_config.json").write_text(json.dumps({"mask_token": mask}))
    tokenizer = BertTokenizer.from_pretrained(vocab_file.parent)
    assert tokenizer.special_tokens_map_extended["mask_token"] == AddedToken("dog", lstrip=True, normalized=False)


def test_the_published_models_end_at_512(vocab_file, monkeypatch):
    monkeypatch.setattr("minibert.tokenization.tokenizer_files.locate", lambda *_, **__: vocab_file.parent)
    assert BertTokenizer.from_pretrained("bert-base-uncased").model_max_length == 512
    assert BertTokenizer.from_pretrained("bert-large-cased-whole-word-masking").model_max_length == 512
    assert BertTokenizer.from_pretrained("someone/else").model_max_length == int(1e30)
