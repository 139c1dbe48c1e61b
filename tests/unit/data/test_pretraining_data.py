"""Text becomes batches as the paper says."""

from __future__ import annotations

import copy
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings, strategies as st

from minibert.data.corpus import HELD_OUT, TRAIN, PreparedData
from minibert.data.masking import Vocabulary, mask
from minibert.data.pairs import draw_pair, draw_span
from minibert.data.prepare import prepare, unigram_entropy
from minibert.data.pretraining_batches import PretrainingBatches, shuffled
from minibert.data.sentences import read_documents, split_sentences
from minibert.model.checks import IGNORED
from tests.unit.training.small_run import corpus, text, tokenizer

from .five_corpora import counting_corpus


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> PreparedData:
    return corpus(tmp_path_factory.mktemp("prepared"))


@pytest.fixture(scope="module")
def batches(prepared: PreparedData) -> PretrainingBatches:
    from minibert.tokenization import BertTokenizer

    return PretrainingBatches(prepared.corpus(TRAIN), BertTokenizer.from_pretrained(prepared.folder), seed=3)


class TestSentences:
    @pytest.mark.parametrize(
        ("paragraph", "sentences"),
        [
            ("It rained. We left.", ["It rained.", "We left."]),
            ("“Go!” she said. “Now.”", ["“Go!” she said.", "“Now.”"]),
            ("'Why?' 'Because.'", ["'Why?'", "'Because.'"]),
            (
                "Mr. Brown met Dr. A. Smith at 5.30 p.m. yesterday.",
                ["Mr. Brown met Dr. A. Smith at 5.30 p.m. yesterday."],
            ),
            ("No end here", ["No end here"]),
            ("", []),
            ("  ", []),
        ],
    )
    def test_a_paragraph_is_split_at_its_ends(self, paragraph: str, sentences: list[str]) -> None:
        assert split_sentences(paragraph) == sentences

    def test_prose_is_one_document_and_line_breaks_mean_nothing(self, tmp_path: Path) -> None:
        path = tmp_path / "prose.txt"
        path.write_text("\ufeffIt\r\nrained. We\r\n\r\nleft. They stayed.\n", encoding="utf-8", newline="")
        assert list(read_documents(path)) == ["It rained.", "We", "left.", "They stayed.", None]

    def test_lines_are_sentences_and_empty_ones_end_documents(self, tmp_path: Path) -> None:
        path = tmp_path / "lines.txt"
        path.write_text("One. Two.\nthree\n\n\nfour\n", encoding="utf-8")
        assert list(read_documents(path, one_sentence_per_line=True)) == [
            "One. Two.",
            "three",
            None,
            None,
            "four",
            None,
        ]

    @pytest.mark.slow
    def test_a_file_without_empty_lines_is_read_piece_by_piece(self, tmp_path: Path) -> None:
        path = tmp_path / "endless.txt"
        path.write_text("It rained all day long. We stayed.\n" * 20_000, encoding="utf-8")
        sentences = read_documents(path)
        next(sentences)
        import tracemalloc

        tracemalloc.start()
        assert sum(1 for _ in sentences) == 40_000  # one was taken, and None ends the file
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert peak < path.stat().st_size * 1.2


class TestPreparing:
    def test_nothing_is_lost_and_every_third_file_is_held_out(self, prepared: PreparedData) -> None:
        tok = tokenizer(prepared.folder.parent)
        expected = {TRAIN: [1, 2, 4], HELD_OUT: [0, 3]}
        for part, files in expected.items():
            tokens = [i for file in files for i in tok.encode(text(file), add_special_tokens=False)]
            read = prepared.corpus(part)
            assert read.tokens.tolist() == tokens
            assert len(read.documents) == len(files) + 1
            assert prepared.manifest["parts"][part]["tokens"] == len(tokens)
        full_stop = tok.convert_tokens_to_ids(".")
        read = prepared.corpus(TRAIN)
        assert all(read.span(i, i + 1)[-1] == full_stop for i in range(len(read.sentences) - 1))

    def test_the_vocabulary_that_it_was_prepared_with_is_known_again(self, tmp_path: Path) -> None:
        (tmp_path / "text-0.txt").write_text(text(0), encoding="utf-8")
        with_more, other = tokenizer(tmp_path), tokenizer(tmp_path)
        with_more.add_tokens(["zork"])
        prepare([tmp_path / "text-0.txt"], tmp_path / "corpus", with_more, held_out=0)
        data = PreparedData.open(tmp_path / "corpus")
        data.check_vocabulary(with_more)
        with pytest.raises(ValueError, match="was prepared with another vocabulary than this model's"):
            data.check_vocabulary(other)

    @pytest.mark.slow
    def test_several_processes_write_what_one_writes(self, prepared: PreparedData, tmp_path: Path) -> None:
        folder = prepared.folder.parent
        manifest = prepare(
            sorted(folder.glob("text-*.txt")), tmp_path / "again", tokenizer(folder), held_out=3, processes=2
        )
        assert manifest == prepared.manifest
        for path in prepared.folder.rglob("*.bin"):
            assert path.read_bytes() == (tmp_path / "again" / path.relative_to(prepared.folder)).read_bytes()

    def test_documents_by_lines(self, tmp_path: Path) -> None:
        path = tmp_path / "lines.txt"
        path.write_text("ban dor\nfis\n\n\ngut kal\n\nles\n\n", encoding="utf-8")
        prepare([path], tmp_path / "c", tokenizer(tmp_path), held_out=0, one_sentence_per_line=True)
        read = PreparedData.open(tmp_path / "c").corpus(TRAIN)
        assert read.documents.tolist() == [0, 2, 3, 4]

    def test_the_entropy_is_what_counting_words_costs(self, tmp_path: Path) -> None:
        np.array([1, 1, 2, 9], dtype="<u2").tofile(tmp_path / "t")
        assert unigram_entropy(tmp_path / "t", "<u2") == pytest.approx(1.5 * np.log(2))


@given(size=st.integers(1, 3000), key=st.integers(0, 2**70))
@settings(max_examples=60, deadline=None, derandomize=True)
def test_a_shuffled_order_has_everything_once(size: int, key: int) -> None:
    assert sorted(shuffled(i, size, key) for i in range(size)) == list(range(size))


def test_keys_shuffle_differently_and_well() -> None:
    orders = [[shuffled(i, 1000, key) for i in range(1000)] for key in range(20)]
    assert len({tuple(order) for order in orders}) == 20
    neighbours = np.abs(np.diff(orders, axis=1))
    assert 300 < neighbours.mean() < 370  # of two random numbers below 1,000 it is 333


class TestPairs:
    corpus = counting_corpus([5, 9, 3, 12, 7, 2, 8] * 6, [20, 4, 6] * 8, [30] * 4, [1, 2])

    @given(token=st.integers(0, 740), room=st.integers(2, 60), seed=st.integers(0, 10**6))
    @settings(max_examples=300, deadline=None, derandomize=True)
    def test_a_pair_fits_and_its_second_is_the_next_or_from_elsewhere(self, token: int, room: int, seed: int) -> None:
        read = self.corpus
        token %= len(read.tokens)
        pair = draw_pair(read, token, room, np.random.default_rng(seed))
        assert pair.second is not None
        assert 1 <= len(pair.first) + len(pair.second) <= room
        for segment in (pair.first, pair.second):
            assert len(segment) >= 1
            assert np.array_equal(segment, np.arange(segment[0], segment[0] + len(segment)))  # a run of the text
        documents = [read.document_of(read.sentence_at(int(part[0]))) for part in (pair.first, pair.second)]
        assert (documents[0] == documents[1]) == pair.is_next
        if pair.is_next:
            assert pair.second[0] == pair.first[-1] + 1
            inside = read.borders(int(pair.first[0]) + 1, int(pair.second[-1]) + 1)
            assert not len(inside) or pair.second[0] in inside  # B begins with a sentence wherever it can

    def test_half_are_next_and_a_tenth_are_short(self) -> None:
        noise = np.random.default_rng(0)
        places = noise.integers(len(self.corpus.tokens), size=4000)
        pairs = [draw_pair(self.corpus, int(place), 40, noise) for place in places]
        assert np.mean([pair.is_next for pair in pairs]) == pytest.approx(0.5, abs=0.03)
        total = np.array([len(pair.first) + len(pair.second) for pair in pairs])
        # A short one has between 2 and 40 tokens, evenly; some others end with their document.
        assert 0.06 < np.mean(total < 25) < 0.16

    def test_a_long_sentence_is_read_where_the_stretch_lies(self) -> None:
        read = counting_corpus([100, 100], [50])
        noise = np.random.default_rng(0)
        for token in (0, 40, 80, 120, 160):
            following = [pair for pair in (draw_pair(read, token, 40, noise) for _ in range(80)) if pair.is_next]
            seen = {int(i) for pair in following for i in (*pair.first, *(() if pair.second is None else pair.second))}
            assert seen == set(range(token, token + 40)), token

    def test_a_document_of_one_sentence_follows_itself(self) -> None:
        read = counting_corpus([10], [10])
        noise = np.random.default_rng(0)
        pairs = [draw_pair(read, 0, 20, noise) for _ in range(50)]
        following = [pair for pair in pairs if pair.is_next]
        assert following
        assert all(pair.second[0] > pair.first[-1] for pair in following)

    def test_a_span_stays_in_its_document(self) -> None:
        read = counting_corpus([3, 3], [4])
        assert draw_span(read, 4, 4).first.tolist() == [2, 3, 4, 5]
        assert draw_span(read, 9, 20).first.tolist() == [6, 7, 8, 9]


class TestMasking:
    vocabulary = Vocabulary(4, np.arange(60) < 5, np.arange(60) % 3 == 0, np.arange(5, 60))

    def ids(self, seed: int, length: int = 120) -> np.ndarray:
        ids = np.random.default_rng(seed).integers(5, 60, size=length)
        ids[[0, length // 2, length - 1]] = [2, 3, 3]
        return ids

    @given(st.integers(0, 10**6), st.integers(3, 100), st.booleans())
    @settings(max_examples=200, deadline=None, derandomize=True)
    def test_labels_are_the_text_where_hidden_and_ignored_elsewhere(self, seed: int, length: int, whole: bool) -> None:
        ids = self.ids(seed, length)
        read, labels = mask(ids, self.vocabulary, np.random.default_rng(seed), whole)
        hidden = labels != IGNORED
        assert np.array_equal(labels[hidden], ids[hidden])
        assert np.array_equal(read[~hidden], ids[~hidden])
        assert not hidden[self.vocabulary.special[ids]].any()
        candidates = int((~self.vocabulary.special[ids]).sum())
        assert hidden.sum() == max(1, round(0.15 * candidates)) if candidates and not whole else True
        assert not (self.vocabulary.special[read] & hidden & (read != 4)).any()

    def test_eighty_ten_ten(self) -> None:
        kinds = np.zeros(3)
        for seed in range(600):
            ids = self.ids(seed)
            read, labels = mask(ids, self.vocabulary, np.random.default_rng(seed))
            hidden = labels != IGNORED
            masked, kept = read[hidden] == 4, read[hidden] == ids[hidden]
            kinds += [masked.sum(), (~masked & ~kept).sum(), kept.sum()]
        shares = kinds / kinds.sum()  # a random word is the old one once in 55
        assert shares == pytest.approx([0.8, 0.1 * 54 / 55, 0.1 + 0.1 / 55], abs=0.012)

    def test_every_place_is_hidden_as_often(self) -> None:
        counts = np.zeros(20)
        for seed in range(4000):
            ids = np.concatenate([[2], np.full(18, 7), [3]])
            counts += mask(ids, self.vocabulary, np.random.default_rng(seed))[1] != IGNORED
        assert counts[[0, 19]].tolist() == [0, 0]
        assert counts[1:19] / 4000 == pytest.approx(np.full(18, 3 / 18), abs=0.025)

    def test_whole_words_are_hidden_whole(self) -> None:
        for seed in range(200):
            ids = self.ids(seed)
            hidden = mask(ids, self.vocabulary, np.random.default_rng(seed), whole_words=True)[1] != IGNORED
            goes_on = self.vocabulary.continues[ids] & ~self.vocabulary.special[ids]
            inside = goes_on[1:] & ~self.vocabulary.special[ids][:-1]
            assert np.array_equal(hidden[1:][inside], hidden[:-1][inside])
            assert 1 <= hidden.sum() <= round(0.15 * 117)

    def test_a_text_of_nothing_but_special_tokens_hides_nothing(self) -> None:
        read, labels = mask(np.array([2, 3, 0]), self.vocabulary, np.random.default_rng(0))
        assert read.tolist() == [2, 3, 0]
        assert (labels == IGNORED).all()


class TestBatches:
    @pytest.mark.parametrize(("length", "pairs"), [(16, False), (32, True)])
    def test_rows_are_framed_and_padded(self, batches: PretrainingBatches, length: int, pairs: bool) -> None:
        batch = batches.batch(step=1, first=0, rows=range(40), length=length, pairs=pairs)
        assert batch["input_ids"].shape[1] <= length
        whole = torch.where(batch["labels"] != IGNORED, batch["labels"], batch["input_ids"])
        for ids, types, seen in zip(whole, batch["token_type_ids"], batch["attention_mask"], strict=True):
            size = int(seen.sum())
            assert seen.tolist() == [1] * size + [0] * (len(seen) - size)
            assert ids[0] == 2
            assert (ids[size:] == 0).all()
            ends = (ids == 3).nonzero().flatten().tolist()
            assert len(ends) == (2 if pairs else 1)
            assert ends[-1] == size - 1
            expected = torch.zeros_like(types)
            if pairs:
                expected[ends[0] + 1 : size] = 1
            assert torch.equal(types, expected)
        assert ("next_sentence_label" in batch) == pairs
        assert not (batch["labels"] != IGNORED)[batch["attention_mask"] == 0].any()

    @given(step=st.integers(1, 1000), cut=st.integers(1, 11))
    @settings(max_examples=25, deadline=None, derandomize=True)
    def test_a_batch_made_in_shares_is_the_same_batch(self, batches: PretrainingBatches, step: int, cut: int) -> None:
        whole = batches.batch(step, 12 * step, range(12), 32)
        parts = [batches.batch(step, 12 * step, rows, 32) for rows in (range(cut), range(cut, 12))]
        for name in ("input_ids", "labels", "token_type_ids"):
            rows = torch.cat([torch.nn.functional.pad(part[name], (0, 32))[:, :32] for part in parts])
            width = whole[name].shape[1]
            padded = 0 if name != "labels" else IGNORED
            same = rows[:, :width]
            for i, row in enumerate(same):
                size = int(whole["attention_mask"][i].sum())
                assert torch.equal(row[:size], whole[name][i, :size])
                assert (whole[name][i, size:] == padded).all()

    def test_masks_and_pairs_are_fresh_in_each_epoch(self, batches: PretrainingBatches) -> None:
        rows = -(-len(batches.corpus.tokens) // 14)  # as many as one pass over the corpus has
        first = batches.batch(1, 0, range(rows), 16, pairs=False)
        second = batches.batch(2, rows, range(rows), 16, pairs=False)
        assert not torch.equal(first["input_ids"], second["input_ids"])
        seen = torch.where(first["labels"] != IGNORED, first["labels"], first["input_ids"])
        counts = torch.bincount(seen.flatten(), minlength=80)[5:].double()
        text_counts = np.bincount(batches.corpus.tokens, minlength=80)[5:]
        shares = counts / counts.sum()
        assert shares.tolist() == pytest.approx((text_counts / text_counts.sum()).tolist(), abs=0.01)

    def test_another_seed_is_another_batch(self, batches: PretrainingBatches) -> None:
        other = copy.copy(batches)
        other.seed = 4
        assert not torch.equal(
            batches.batch(1, 0, range(8), 32)["input_ids"][:, :20], other.batch(1, 0, range(8), 32)["input_ids"][:, :20]
        )
