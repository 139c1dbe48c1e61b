"""What a debugger meets that steps into `tokenizer(text)`: few frames, and BERT's two tokenizers among them."""

from __future__ import annotations

import sys
from pathlib import Path

import minibert
from minibert import BertConfig, BertModel
from minibert.tokenization import BertTokenizer, explain

PACKAGE = str(Path(minibert.__file__).parent)
TOKENIZATION = Path(PACKAGE) / "tokenization"
TEXT = "Rain fell, softly."


def frames_entered(function, *arguments):
    """(file, function) of each of our frames that a call enters, generators counted as often as they are resumed."""
    entered = []

    def trace(frame, event, _argument):
        if event == "call" and frame.f_code.co_filename.startswith(PACKAGE):
            owner = frame.f_locals.get("self")
            name = f"{type(owner).__name__}.{frame.f_code.co_name}" if owner is not None else frame.f_code.co_name
            entered.append((Path(frame.f_code.co_filename).name, name))

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        function(*arguments)
    finally:
        sys.settrace(before)
    return entered


def test_a_first_call_is_the_basic_and_the_wordpiece_tokenizer_in_forty_frames_of_six_files():
    entered = frames_entered(BertTokenizer.from_pretrained("novels-4l-256h"), TEXT)
    names = [name for _, name in entered]
    assert names.count("BasicTokenizer.tokenize") == len(TEXT.split())
    assert names.count("WordpieceTokenizer.tokenize") == len(["rain", "fell", ",", "softly", "."])
    assert len(entered) <= 40, entered
    assert len({file for file, _ in entered}) <= 6


def test_a_second_call_is_the_same_without_the_words_it_remembers():
    tokenizer = BertTokenizer.from_pretrained("novels-4l-256h")
    first = frames_entered(tokenizer, TEXT)
    second = frames_entered(tokenizer, TEXT)
    cutting = {"words", "tokenize", "clean", "space_chinese", "normalize"}
    assert second == [(file, name) for file, name in first if name.rpartition(".")[2] not in cutting]


def test_giving_an_encoding_to_a_model_is_no_step_of_the_tokenizers():
    """`**encoding` asks for each column once: by a method of ours, a debugger would meet it before the model."""
    inputs = BertTokenizer.from_pretrained("novels-4l-256h")(TEXT, return_tensors="pt")
    model = BertModel(BertConfig(vocab_size=8192, hidden_size=8, num_attention_heads=2, intermediate_size=8))
    entered = frames_entered(lambda: model(**inputs))
    assert entered[0][0] == "bert.py"
    assert not {file for file, _ in entered} & {path.name for path in TOKENIZATION.glob("*.py")}


def test_offsets_and_the_explanation_come_from_the_same_tokenizers():
    for function in (lambda fresh: fresh(TEXT, return_offsets_mapping=True), lambda fresh: explain(fresh, TEXT)):
        names = [name for _, name in frames_entered(function, BertTokenizer.from_pretrained("novels-4l-256h"))]
        assert "BasicTokenizer.tokenize" in names
        assert "WordpieceTokenizer.tokenize" in names
