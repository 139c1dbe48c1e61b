"""Mistakes that learners make in chapter 11."""

PLANTED = [
    ("unigram_entropy", "math.log(share)", "math.log2(share)", "base 2"),
    ("unigram_entropy", "return -sum", "return sum", "The sign"),
    ("unigram_entropy", "share * math.log(share)", "math.log(share)", "weights are missing"),
    ("unigram_entropy", " if count > 0", "", "never occurs"),
    ("reader", " / sum(fits.values())", "", "rules out the others"),
    ("reader", "sentence: chance", "sentence: 1.0", "counts the same"),
    ("reader", "len(sentence) == len(read)", "len(sentence) >= len(read)", "another length"),
    ("reader", 'seen in ("[MASK]", there)', "seen == there", "Does every [MASK] allow any word"),
    ("fell_through", "smoothing * smoothed + (1 - smoothing) * loss", "loss", "not smoothed"),
    (
        "fell_through",
        "smoothing * smoothed + (1 - smoothing) * loss",
        "smoothing * loss + (1 - smoothing) * smoothed",
        "changed places",
    ),
    ("fell_through", "return step", "return step - 1", "count from 1"),
    ("fell_through", "smoothed < line", "smoothed <= line", "On the line"),
    ("length_at", "step <=", "step <", "one step too early"),
    ("length_at", "end += share", "end = share", "add them up"),
    ("length_at", "return length", "break", "always the last"),
]

WRITTEN = [
    (
        "length_at",
        """
        end = 0.0
        for length, share in phases:
            end += share
            if step <= math.ceil(round(steps * end, 9)):
                return length
        return phases[-1][0]
        """,
        "rounded up",
    ),
    (
        "length_at",
        """
        end = 0.0
        for length, share in phases:
            end += share
            if step <= int(round(steps * end, 9)):
                return length
        return phases[-1][0]
        """,
        "rounded down",
    ),
    (
        "length_at",
        """
        end = 0
        for length, share in phases:
            end += round(steps * share)
            if step <= end:
                return length
        return phases[-1][0]
        """,
        "rounded by itself",
    ),
    (
        "length_at",
        """
        phases.sort()
        end = 0.0
        for length, share in phases:
            end += share
            if step <= round(steps * end):
                return length
        return phases[-1][0]
        """,
        "`phases` itself was changed",
    ),
    (
        "reader",
        """
        fits = {s: c for s, c in language.items() if len(s) == len(read) and all(a in ('[MASK]', b) for a, b in zip(read, s))}
        return sum(c for s, c in fits.items() if word in s) / sum(fits.values())
        """,
        "wherever it is in the sentence",
    ),
    (
        "reader",
        """
        fits = {s: c for s, c in language.items() if len(s) == len(read) and all(a in ('[MASK]', b) for a, b in zip(read, s))}
        return float(max(fits, key=fits.get)[place] == word)
        """,
        "likeliest sentence",
    ),
    (
        "reader",
        """
        for s in list(language):
            if len(s) != len(read):
                language.pop(s)
        fits = {s: c for s, c in language.items() if all(a in ('[MASK]', b) for a, b in zip(read, s))}
        return sum(c for s, c in fits.items() if s[place] == word) / sum(fits.values())
        """,
        "`language` itself was changed",
    ),
    (
        "fell_through",
        """
        smoothed = losses[0]
        for step, loss in enumerate(losses, start=1):
            smoothed = loss if step == 1 else smoothing * smoothed + (1 - smoothing) * loss
            if smoothed < line:
                return step
        return -1
        """,
        "None is asked for",
    ),
    (
        "fell_through",
        """
        smooth = [losses[0]]
        for loss in losses[1:]:
            smooth.append(smoothing * smooth[-1] + (1 - smoothing) * loss)
        return next((n + 1 for n in range(len(smooth)) if max(smooth[n:]) < line), None)
        """,
        "need not stay below",
    ),
    (
        "fell_through",
        """
        smooth = 0.0
        for step, loss in enumerate(losses, start=1):
            smooth = smoothing * smooth + (1 - smoothing) * loss
            if smooth / (1 - smoothing**step) < line:
                return step
        return None
        """,
        "as Adam does",
    ),
    (
        "fell_through",
        """
        smooth = losses[0]
        for step, loss in enumerate(losses[1:], start=2):
            smooth = smoothing * smooth + (1 - smoothing) * loss
            if smooth < line:
                return step
        return None
        """,
        "first step counts, too",
    ),
    (
        "fell_through",
        """
        smooth = losses[0]
        for step, loss in enumerate(losses, start=1):
            smooth = loss if step == 1 else smoothing * smooth + (1 - smoothing) * loss
            if smooth < line:
                return None if step > 2 else step
        return None
        """,
        "",
    ),
    (
        "unigram_entropy",
        """
        counts.pop('never', None)
        total = sum(counts.values())
        return -sum(c / total * math.log(c / total) for c in counts.values())
        """,
        "`counts` itself was changed",
    ),
    (
        "unigram_entropy",
        """
        total = sum(counts.values())
        return -sum(c / total * math.log10(c / total) for c in counts.values() if c)
        """,
        "base 10",
    ),
]

RIGHT = [
    (
        "unigram_entropy",
        """
        p = np.array([c for c in counts.values() if c]) / sum(counts.values())
        return -(p * np.log(p)).sum()
        """,
    ),
    (
        "unigram_entropy",
        """
        from collections import Counter
        total = sum(counts.values())
        return math.log(total) - sum(c * math.log(c) for c in counts.values() if c) / total
        """,
    ),
    (
        "reader",
        """
        total = right = 0.0
        for sentence, chance in language.items():
            if len(sentence) != len(read):
                continue
            for seen, there in zip(read, sentence):
                if seen != '[MASK]' and seen != there:
                    break
            else:
                total += chance
                right += chance if sentence[place] == word else 0
        return right / total
        """,
    ),
    (
        "fell_through",
        """
        from itertools import accumulate
        smooth = accumulate(losses, lambda a, b: smoothing * a + (1 - smoothing) * b)
        return next((step for step, value in enumerate(smooth, 1) if value < line), None)
        """,
    ),
    (
        "length_at",
        """
        ends = [round(steps * sum(share for _, share in phases[: n + 1])) for n in range(len(phases))]
        return next((length for (length, _), end in zip(phases, ends) if step <= end), phases[-1][0])
        """,
    ),
]
