"""One tokenizer, used by several threads, changed by its user, given many tokens."""

from __future__ import annotations

import pickle
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest

from minibert.tokenization import BasicTokenizer, BertTokenizer, WordpieceTokenizer

TEXT = "Hello, unaffable dogs [MASK] don't NewWord 你好 runs"


@pytest.fixture
def switching():
    """Threads take turns as often as Python lets them."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(before)


@pytest.mark.usefixtures("switching")
def test_threads_share_a_tokenizer_from_its_first_use(vocab_file):
    for _ in range(10):
        tokenizer, expected = BertTokenizer(vocab_file), BertTokenizer(vocab_file)([TEXT])
        with ThreadPoolExecutor(8) as pool:
            assert all(found == expected for found in pool.map(lambda _, t=tokenizer: t([TEXT]), range(16)))


@pytest.mark.usefixtures("switching")
def test_threads_may_encode_while_tokens_are_added(tokenizer):
    with ThreadPoolExecutor(8) as pool:
        encoded = [pool.submit(tokenizer, [TEXT] * 20, return_offsets_mapping=True) for _ in range(8)]
        for number in range(30):
            tokenizer.add_tokens(f"newword{number}")
        assert all(len(each.result().input_ids) == 20 for each in encoded)
    assert tokenizer.tokenize("newword7x") == ["newword7", "x"]


def test_a_basic_tokenizer_of_ones_own_is_asked_about_the_whole_text(tokenizer):
    class Joining(BasicTokenizer):
        def tokenize(self, text, never_split=None):
            return [word + "s" for word in super().tokenize(text, never_split)][::-1]

    assert tokenizer.tokenize("the dog") == ["the", "dog"]
    tokenizer.basic_tokenizer = Joining()
    assert tokenizer.tokenize("the dog") == ["dog", "##s", "the", "##s"]
    assert tokenizer.convert_ids_to_tokens(tokenizer.encode("the dog")[1:-1]) == ["dog", "##s", "the", "##s"]
    with pytest.raises(ValueError, match="does not say where"):
        tokenizer("the dog", return_offsets_mapping=True)


def test_a_step_of_ones_own_keeps_its_offsets(tokenizer):
    class Shortened(BasicTokenizer):
        def normalize(self, word):
            return super().normalize(word)[:3]

    tokenizer.basic_tokenizer = Shortened()
    encoding = tokenizer("hello dogs", return_offsets_mapping=True)
    assert encoding.tokens()[1:-1] == ["h", "##e", "##l", "dog"]
    assert encoding.offset_mapping[1:-1] == [(0, 1), (1, 2), (2, 3), (6, 9)]


def test_a_wordpiece_tokenizer_of_ones_own_is_used(tokenizer):
    class Letters(WordpieceTokenizer):
        def tokenize(self, text):
            return [piece for word in text.split() for piece in (word[0], *(f"##{char}" for char in word[1:]))]

    tokenizer.wordpiece_tokenizer = Letters(tokenizer.vocab, "[UNK]")
    assert tokenizer.tokenize("the dog") == ["t", "##h", "##e", "d", "##o", "##g"]
    assert tokenizer("the dog", return_offsets_mapping=True).offset_mapping[1:-1] == [
        (0, 1), (1, 2), (2, 3), (4, 5), (5, 6), (6, 7),
    ]  # fmt: skip


def test_a_tokenize_of_ones_own_has_no_offsets(vocab_file):
    class Reversed(BertTokenizer):
        def tokenize(self, text):
            return super().tokenize(text)[::-1]

    with pytest.raises(ValueError, match="where its tokens came from is unknown"):
        Reversed(vocab_file)("the dog", return_offsets_mapping=True)


def test_words_never_to_be_split_may_be_added_later(tokenizer):
    assert tokenizer.tokenize("a-b") == ["a", "-", "b"]
    tokenizer.basic_tokenizer.never_split.add("a-b")
    assert tokenizer.tokenize("a-b") == ["a-b"]
    assert tokenizer.encode("a-b")[1:-1] == [tokenizer.unk_token_id]


def instructions(function):
    """How many of Python's instructions it takes: the same on every machine, busy or not."""
    count = 0

    def counted(*_):
        nonlocal count
        count += 1

    def trace(frame, event, _argument):
        frame.f_trace_opcodes = True
        if event == "opcode":
            counted()
        return trace

    if hasattr(sys, "monitoring"):  # from Python 3.12 on, where a trace misses instructions
        monitoring, tool = sys.monitoring, sys.monitoring.PROFILER_ID
        monitoring.use_tool_id(tool, "instructions")
        monitoring.register_callback(tool, monitoring.events.INSTRUCTION, counted)
        monitoring.set_events(tool, monitoring.events.INSTRUCTION)
        try:
            function()
        finally:
            monitoring.set_events(tool, 0)
            monitoring.free_tool_id(tool)
        return count
    tracer = sys.gettrace()
    sys.settrace(trace)
    try:
        function()
    finally:
        sys.settrace(tracer)
    return count


@pytest.mark.seconds
def test_adding_and_loading_many_tokens_takes_work_in_proportion(vocab_file, tmp_path):
    tokens = [f"token{number}" for number in range(2000)]

    def add(number):
        tokenizer = BertTokenizer(vocab_file)
        assert tokenizer.add_tokens(tokens[:number]) == number
        tokenizer.save_pretrained(tmp_path / str(number))

    def load(number):
        BertTokenizer.from_pretrained(tmp_path / str(number))

    for do in (add, load):
        do(500)  # what is imported at the first time
        few, more, many = (instructions(lambda do=do, number=number: do(number)) for number in (500, 1000, 2000))
        assert many - more == pytest.approx(2 * (more - few), rel=0.1)
    assert BertTokenizer.from_pretrained(tmp_path / "2000").tokenize("token17 dog token1999") == [
        "token17",
        "dog",
        "token1999",
    ]


def test_what_is_made_again_where_it_is_used_is_not_pickled(tokenizer):
    tokenizer.tokenize(TEXT)
    assert "_steps" in vars(tokenizer)
    again = pickle.loads(pickle.dumps(tokenizer))
    assert vars(again).keys() == vars(tokenizer).keys() - {"_steps"}
    assert again.tokenize(TEXT) == tokenizer.tokenize(TEXT)
