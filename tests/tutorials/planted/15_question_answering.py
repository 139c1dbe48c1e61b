"""Mistakes that learners make in chapter 15."""

PLANTED = [
    ("answer_positions", "offset[0] < end", "offset[0] <= end", "begins where the answer ends shares"),
    ("answer_positions", "held[-1])", "held[-1] + 1)", "one too far"),
    (
        "answer_positions",
        "offset[0] < end and offset[1] > begin",
        "offset[0] >= begin and offset[1] <= end",
        "share a character",
    ),
    (
        "answer_positions",
        "return (held[0], held[-1])",
        "return (held[0] - offsets.count(None) + 1, held[-1] - offsets.count(None) + 1)",
        "[CLS] and the question included",
    ),
    ("answer_positions", "if held else (0, 0)", "", "stops with IndexError"),
    ("windows", "room - shared", "room", "do not overlap"),
    ("windows", "(start, length)]", "(start, start + room)]", "goes on behind the end"),
    ("windows", "(start, length)]", "(start, length - 1)]", "last piece is missing"),
    ("windows", "[*parts, (start, length)]", "parts", "last window is missing"),
    ("windows", "start += room - shared", "start += max(shared, 1)", "in common"),
    ("best_span", "i <= j < i + longest", "j < i + longest", "end comes before the start"),
    ("best_span", "i <= j < i + longest", "i <= j <= i + longest", "one piece too long"),
    ("best_span", "i <= j < i + longest", "i <= j", "longer than `longest`"),
    ("best_span", "in_context.nonzero().flatten().tolist()", "range(len(start))", "outside the context"),
    ("best_span", 'float("-inf")', "0.0", "with −∞"),
    (
        "f1",
        "sum(min(predicted.count(word), true.count(word)) for word in set(predicted))",
        "len(set(predicted) & set(true))",
        "as a set it counts once",
    ),
    ("f1", "2 * both / (len(predicted) + len(true))", "both / len(predicted)", "This is the precision"),
    (
        "f1",
        "sum(min(predicted.count(word), true.count(word)) for word in set(predicted))",
        "sum(word in true for word in predicted)",
        "although the truth has it less often",
    ),
    ("f1", "float(predicted == true)", "0.0", "“no answer”"),
]

WRITTEN: list[tuple[str, str, str]] = []

RIGHT: list[tuple[str, str]] = []
