"""Cut text around known tokens, such as `[MASK]`, before anything else happens to it."""

from typing import TypeAlias

Node: TypeAlias = dict[str, "Node"]  # next character → what may follow; END marks a node where a token is complete

END = ""


class Trie:
    """Tokens stored by their characters, so that all of them are looked for in one pass over the text.

    "an [MASK] egg" with the token "[MASK]" is cut into "an ", "[MASK]", " egg". The token that begins first is taken;
    of those that begin together, the longest. Equal to the reference's `Trie` cut for cut, its odd cases included: a
    token that failed to match may still be taken up again when a shorter one completes inside it.
    """

    def __init__(self) -> None:
        self.data: Node = {}

    def add(self, word: str) -> None:
        """Store one token. An empty one is ignored."""
        if not word:
            return
        node = self.data
        for char in word:
            node = node.setdefault(char, {})
        node[END] = {}

    def split(self, text: str) -> list[str]:
        """Parts of `text`, in order, none empty; joined they are `text` again."""
        cuts = [0]
        walkers: dict[int, Node] = {}  # start of each token that may be under way → where in the tree it stands
        resume = 0
        for position, char in enumerate(text):
            if position < resume:
                continue
            stuck = []
            for start, node in walkers.items():
                if END in node:
                    start, end, resume = self._extend(text, position, start, walkers, resume)
                    cuts += [start, end]
                    walkers = {}
                    break
                if char in node:
                    walkers[start] = node[char]
                else:
                    stuck.append(start)
            else:
                for start in stuck:
                    del walkers[start]
            if char in self.data:
                walkers[position] = self.data[char]
        for start, node in walkers.items():
            if END in node:
                cuts += [start, len(text)]
                break
        return self._cut(text, cuts)

    def _extend(
        self, text: str, position: int, found: int, walkers: dict[int, Node], resume: int
    ) -> tuple[int, int, int]:
        """A token that began at `found` is complete before `position`: look ahead for an earlier or a longer one."""
        end = position
        for start, node in walkers.items():
            if start > found:
                break
            # walkers before `found` have already moved past the character at `position`
            ahead = end = position + 1 if start < found else position
            while ahead < len(text) and text[ahead] in node:
                node = node[text[ahead]]
                ahead += 1
                if END in node:
                    found = start
                    end = resume = ahead
        return found, end, resume

    def _cut(self, text: str, cuts: list[int]) -> list[str]:
        parts = []
        start = 0
        for end in [*cuts, len(text)]:
            if end > start:
                parts.append(text[start:end])
                start = end
        return parts
