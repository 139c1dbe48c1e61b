"""Loading and saving: vocab.txt, the small files beside it, and tokenizer.json alone."""

from __future__ import annotations

import inspect
import json
from pathlib import Path

import pytest
from hypothesis import given, strategies as st

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


@given(ids=st.sets(st.integers(0, 40), min_size=1))
def test_a_vocabulary_with_gaps_between_its_ids_comes_back(ids, tmp_path_factory):
    folder = tmp_path_factory.mktemp("gaps")
    vocab = {f"piece{index}": index for index in ids}
    BertTokenizer(vocab, unk_token=next(iter(vocab))).save_vocabulary(folder)
    assert load_vocab(folder / "vocab.txt") == vocab


def test_a_piece_on_two_lines_keeps_every_id_through_a_save(tmp_path):
    lines = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "a", "b", "a", "c"]
    (tmp_path / "vocab.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")
    tokenizer = BertTokenizer.from_pretrained(tmp_path)
    tokenizer.save_pretrained(tmp_path / "saved")
    again = BertTokenizer.from_pretrained(tmp_path / "saved")
    assert again.get_vocab() == tokenizer.get_vocab()
    assert again("a b c")["input_ids"] == tokenizer("a b c")["input_ids"] == [2, 7, 6, 8, 3]


@pytest.mark.parametrize("piece", ["a\rb", "a\nb"])
def test_in_place_of_a_piece_with_a_line_break_stands_another_and_all_else_comes_back(piece, tmp_path, caplog):
    for place in (1, 7):  # in the middle, and the last
        vocab = {"[UNK]": 0, "z": 2, "[PAD]": 3, "[CLS]": 4, "[SEP]": 5, "[MASK]": 6, "y": 8 - place, piece: place}
        tokenizer = BertTokenizer(vocab)
        tokenizer.add_tokens(["newtok"])
        tokenizer.save_pretrained(tmp_path / str(place))
        again = BertTokenizer.from_pretrained(tmp_path / str(place))
        assert len(again) == len(tokenizer)
        assert {**again.get_vocab(), piece: place}.items() >= tokenizer.get_vocab().items()
        assert "has a line break, and is not saved" in caplog.text


@pytest.mark.parametrize("vocab", [{"[UNK]": 0, "a": 1, "b": 1}, {"[UNK]": 0, "a": 10**9}])
def test_ids_that_no_lines_can_give_are_warned_of(vocab, tmp_path, caplog):
    BertTokenizer(vocab).save_vocabulary(tmp_path)
    assert "without a gap" in caplog.text


def test_the_inputs_that_a_model_takes_are_saved(tmp_path):
    names = ["input_ids", "attention_mask"]
    BertTokenizer({"[UNK]": 0}, model_input_names=names).save_pretrained(tmp_path)
    again = BertTokenizer.from_pretrained(tmp_path)
    assert again.model_input_names == names
    assert "token_type_ids" not in again("a")


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
    for said, longest in ((1000, 512), (300, 300)):
        (vocab_file.parent / "tokenizer_config.json").write_text(json.dumps({"model_max_length": said}))
        assert BertTokenizer.from_pretrained("bert-base-uncased").model_max_length == longest
        assert BertTokenizer.from_pretrained("someone/else").model_max_length == said


def test_special_tokens_are_read_under_their_newest_name(tokenizer, tmp_path):
    tokenizer.save_pretrained(tmp_path)
    (tmp_path / "special_tokens_map.json").unlink()
    settings = {"extra_special_tokens": ["<E>"]}
    (tmp_path / "tokenizer_config.json").write_text(json.dumps(settings), encoding="utf-8")
    assert BertTokenizer.from_pretrained(tmp_path).additional_special_tokens == ["<E>"]
    settings["additional_special_tokens"] = ["<A>"]
    (tmp_path / "tokenizer_config.json").write_text(json.dumps(settings), encoding="utf-8")
    assert BertTokenizer.from_pretrained(tmp_path).additional_special_tokens == ["<A>"]


@pytest.mark.parametrize("index", ["32", 1.5, True, None, [32]])
def test_the_id_of_an_added_token_that_is_no_whole_number_is_named(index, tokenizer, tmp_path):
    tokenizer.save_pretrained(tmp_path)
    (tmp_path / "added_tokens.json").write_text(json.dumps({"xnew": index}), encoding="utf-8")
    with pytest.raises(CheckpointError, match=r"added_tokens\.json: the id of 'xnew' must be a whole number"):
        BertTokenizer.from_pretrained(tmp_path)


def test_no_new_tokens_are_none(tokenizer):
    before = len(tokenizer)
    assert tokenizer.add_tokens([]) == 0
    assert tokenizer.add_tokens("") == 0
    assert len(tokenizer) == before


@pytest.mark.parametrize("role", ["cls_token", "sep_token"])
def test_an_input_without_its_first_or_last_token_cannot_be_built(role, tokenizer):
    setattr(tokenizer, role, None)
    with pytest.raises(ValueError, match="begins with cls_token and ends with sep_token: set both on the tokenizer"):
        tokenizer.build_inputs_with_special_tokens([7])


def test_what_is_saved_beside_the_vocabulary(tokenizer, tmp_path):
    tokenizer.save_pretrained(tmp_path)
    saved = json.loads((tmp_path / "tokenizer_config.json").read_text(encoding="utf-8"))
    assert saved == {
        "do_lower_case": True,
        "do_basic_tokenize": True,
        "never_split": None,
        "tokenize_chinese_chars": True,
        "strip_accents": None,
        "clean_text": True,
        "max_input_chars_per_word": 100,
        "unk_token": "[UNK]",
        "sep_token": "[SEP]",
        "pad_token": "[PAD]",
        "cls_token": "[CLS]",
        "mask_token": "[MASK]",
        "model_max_length": tokenizer.model_max_length,
        "padding_side": "right",
        "name_or_path": tokenizer.name_or_path,
        "tokenizer_class": "BertTokenizer",
    }
    roles = json.loads((tmp_path / "special_tokens_map.json").read_text(encoding="utf-8"))
    assert roles == {name: saved[name] for name in saved if name.endswith("_token")}


def test_a_tokenizer_keeps_its_arguments_and_nothing_else(vocab_file, caplog):
    kept = BertTokenizer(vocab_file, do_lower_case=False, mirror="x", sep_tokn="y").init_kwargs
    signature = inspect.signature(BertTokenizer.__init__).parameters
    assert set(kept) == set(signature) - {"self", "vocab_file", "others"} | {"mirror", "sep_tokn"}
    assert (kept["do_lower_case"], kept["mirror"], kept["sep_tokn"]) == (False, "x", "y")
    expected = "BertTokenizer has no argument sep_tokn: it is kept in init_kwargs and changes nothing"
    expected += ". Did you mean sep_token or pad_token or eos_token?"
    assert [(record.name, record.getMessage()) for record in caplog.records] == [
        ("minibert.tokenization.tokenizer", expected)
    ]


def test_a_tokenizer_of_a_file_alone_has_no_name(vocab_file):
    tokenizer = BertTokenizer(vocab_file)
    assert tokenizer.name_or_path == tokenizer.init_kwargs["name_or_path"] == ""


def test_arguments_of_the_reference_that_have_no_effect_are_not_kept(vocab_file, caplog):
    old = ("resume_download", "proxies", "mirror", "trust_remote_code", "use_auth_token", "use_fast")
    old += ("from_slow", "from_tf", "from_flax", "_fast_init")
    opened = BertTokenizer.from_pretrained(vocab_file.parent, **dict.fromkeys(old))
    assert not opened.init_kwargs.keys() & {*old}
    assert not caplog.records


def test_a_token_with_settings_is_saved_with_its_kind_in_one_file_and_without_in_the_other(tokenizer, tmp_path):
    tokenizer.add_special_tokens({"mask_token": AddedToken("<M>", lstrip=True)})
    tokenizer.save_pretrained(tmp_path)
    plain = {"content": "<M>", "lstrip": True, "rstrip": False, "single_word": False, "normalized": True}
    files = {
        name: json.loads((tmp_path / f"{name}.json").read_text()) for name in ("tokenizer_config", "special_tokens_map")
    }
    in_config, in_map = (dict(content["mask_token"]) for content in files.values())
    assert in_config.pop("__type") == "AddedToken"
    assert in_config.items() >= plain.items()
    assert in_map.items() >= plain.items()
    assert "__type" not in in_map


def test_a_folder_on_the_hub_is_looked_for_by_its_whole_name(monkeypatch):
    asked = []

    def locate(name, **named):
        asked.append((name, named))
        raise CheckpointError("enough")

    monkeypatch.setattr("minibert.tokenization.tokenizer_files.locate", locate)
    for settings in ({}, {"subfolder": "part"}, {"token": "a", "use_auth_token": "b"}, {"use_auth_token": "b"}):
        with pytest.raises(CheckpointError, match="enough"):
            BertTokenizer.from_pretrained("some/name", revision="r", cache_dir="c", **settings)
    assert [name for name, _ in asked] == ["some/name", Path("some/name/part"), "some/name", "some/name"]
    assert [named["token"] for _, named in asked] == [None, None, "a", "b"]
    names = ("vocab.txt", "tokenizer_config.json", "special_tokens_map.json", "added_tokens.json", "tokenizer.json")
    for _, named in asked:
        assert (named["revision"], named["cache_dir"]) == ("r", "c")
        assert named["filenames"] == (*names, "config.json")


def test_of_a_line_only_its_end_is_no_part_of_the_piece(tmp_path):
    pieces = ["[UNK]", "X", "##X", "XX", " x ", "", "n", "\\n"]
    (tmp_path / "vocab.txt").write_text("".join(f"{piece}\n" for piece in pieces), encoding="utf-8")
    assert load_vocab(tmp_path / "vocab.txt") == {piece: index for index, piece in enumerate(pieces)}


@pytest.mark.parametrize("entry", ["x", None, 5, ["x"], {"id": 5}, {"content": 5}, {"content": "x", "special": 1}])
def test_an_added_token_that_is_none_is_named(entry, vocab_file):
    described = {"added_tokens_decoder": {"5": entry}}
    (vocab_file.parent / "tokenizer_config.json").write_text(json.dumps(described), encoding="utf-8")
    with pytest.raises(CheckpointError, match=r": an added token needs a content and an id, which .* is not$"):
        BertTokenizer.from_pretrained(vocab_file.parent)


def test_letters_are_saved_as_they_are(tokenizer, tmp_path):
    tokenizer.add_special_tokens({"mask_token": "[遮]"})
    tokenizer.add_tokens(["好啊"])
    tokenizer.save_pretrained(tmp_path)
    for name, token in (("tokenizer_config", "[遮]"), ("special_tokens_map", "[遮]"), ("added_tokens", "好啊")):
        assert f'"{token}"' in (tmp_path / f"{name}.json").read_text(encoding="utf-8")


@pytest.mark.parametrize("wrong", [{"aa"}, ["a", 3], [None], {"a": 1}, ["b", ""]], ids=str)
def test_what_is_no_token_is_not_added(wrong):
    tokenizer = BertTokenizer({"[UNK]": 0, "a": 1})
    with pytest.raises(ValueError, match="is no token: give text, an AddedToken or a list of them, no empty token"):
        tokenizer.add_tokens(wrong)
    assert len(tokenizer) == 2


def test_the_tokenizers_librarys_tokens_are_added_as_ours():
    other = type("AddedToken", (), {"content": "xx", "__str__": lambda self: self.content})()
    tokenizer = BertTokenizer({"[UNK]": 0, "a": 1})
    assert tokenizer.add_tokens([other]) == 1
    assert tokenizer.tokenize("a xx") == ["a", "xx"]
