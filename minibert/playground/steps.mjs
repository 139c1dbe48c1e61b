// What the guided tour says, in English and in Chinese. Its numbers are those of the bundled model; tests ask the model for them.
/** @import { Edits } from "./bert.mjs" */
/** @import { View } from "./state.mjs" */

/**
 * set: what the page shows in this step; look: where to, if not at the view. title, tell, ask and answer: in both languages.
 * @typedef {{set: {text: string, hidden?: number[], edits?: Edits, view: View, layer?: number, heads?: number[], place?: number, stage?: string, look?: "top" | "answer" | ".lines"},
 *   title: [string, string], tell: [string, string], ask: [string, string], answer: [string, string]}} Step
 */

const NO = "He shook his head, and said no.", PARDON = "I beg your [MASK], sir.";

/** @type {Step[]} */
export const STEPS = [
  {
    set: { text: "The unkindly man shook his head.", view: "heads", layer: 0, look: "top" },
    title: ["Text becomes pieces", "文本变成子词"],
    tell: ["BERT knows 8,192 pieces. A word that is not among them is cut into pieces that are: “unkindly” is unkind and ##ly. The small number under each piece is its id, and that is all the network gets. [CLS] and [SEP] mark the beginning and the end.",
      "BERT 认识 8,192 个子词。不在其中的词会被切成认识的子词：“unkindly” 变成 unkind 和 ##ly。每个子词下面的小数字是它的编号，网络得到的只有这些编号。[CLS] 和 [SEP] 标记开头和结尾。"],
    ask: ["Put “antidisestablishmentarian” in the place of “unkindly”. Into how many pieces is it cut?", "把 “unkindly” 换成 “antidisestablishmentarian”，它会被切成几个子词？"],
    answer: ["Ten: the novels that the vocabulary was made from do not have it.", "10 个：词表取自小说，小说里没有这个词。"],
  },
  {
    set: { text: NO, hidden: [4], view: "heads", layer: 0, place: 4, look: "top" },
    title: ["Hide a word, and the model guesses it", "遮住一个词，让模型来猜"],
    tell: ["“head” is hidden: in its place the network sees [MASK]. It gives every one of its 8,192 pieces a probability. It was trained on old novels with this game, and on telling whether a second text follows the first.",
      "“head” 被遮住了：网络在那里看到的是 [MASK]。它给 8,192 个子词各一个概率。它就是在老小说上靠这个猜词游戏训练出来的（另外还要判断第二段文本是否紧接第一段）。"],
    ask: ["Click “head” to bring it back, and hide the last word, “no”. Is it guessed?", "点击 “head” 让它恢复，再遮住最后的 “no”。模型猜得到吗？"],
    answer: ["No: “nothing” and “something” are likelier. A wrong guess can still be a good one.", "猜不到：“nothing” 和 “something” 的概率更高。猜错的答案也可能很合理。"],
  },
  {
    set: { text: PARDON, view: "influence", place: 4 },
    title: ["What does the guess hang on?", "猜测依赖哪些词？"],
    tell: ["“pardon” is nearly certain here. Now each of the other pieces is taken out, or hidden, and the network is asked again. The bars show what is left of the probability; the thin mark is where it was.",
      "这里的 “pardon” 几乎是确定的。现在依次去掉或遮住其他每个子词，再问一遍网络。横条是剩下的概率，细线是原来的概率。"],
    ask: ["Which piece must not be hidden?", "哪个子词最不能遮住？"],
    answer: ["“beg”: with it hidden, 31% are left. And the comma must not be taken out: 8% are left. Few people would have guessed that.", "“beg”：遮住它只剩 31%。逗号也不能去掉：只剩 8%。这一点很少有人想得到。"],
  },
  {
    set: { text: PARDON, view: "layers", place: 4 },
    title: ["The answer grows, layer by layer", "答案逐层形成"],
    tell: ["Each piece is a vector of 256 numbers, and each of the four layers changes it. Here the vector at the blank is read after every layer as if it were the last one: which word would it be?",
      "每个子词是一个 256 维的向量，四层网络逐层修改它。这里在每一层之后都读一次空白处的向量，好像那就是最后一层：它会是哪个词？"],
    ask: ["After which layer is it “pardon”?", "在哪一层之后变成 “pardon”？"],
    answer: ["After layer 1, with 61%. After layer 0 it was still “own”: something that goes with “your”.", "第 1 层之后，概率 61%。第 0 层之后还是 “own”：一个常跟在 “your” 后面的词。"],
  },
  {
    set: { text: NO, hidden: [4], view: "heads", layer: 1, heads: [0], place: 4, look: ".lines" },
    title: ["Attention: whom does a piece look at?", "注意力：一个子词在看谁？"],
    tell: ["A layer has four heads. In each of them every piece looks at all pieces, with weights that add up to 1, and gathers from them. In the small pictures a row is a piece that looks, a column one that is looked at.",
      "每一层有四个头。在每个头里，每个子词都看所有的子词，权重之和为 1，并从它们那里收集信息。小图中一行是在看的子词，一列是被看的子词。"],
    ask: ["Point at the hidden word, “head”, on the left of the lines, or tap it. Where does head 0 of layer 1 look from there?", "在连线左侧指向（或轻点）被遮住的词 “head”。第 1 层的头 0 从那里看向哪里？"],
    answer: ["At “shook”, with 97%: what can be shaken?", "看 “shook”，权重 97%：什么东西可以摇？"],
  },
  {
    set: { text: NO, hidden: [4], view: "heads", layer: 0, place: 4 },
    title: ["One head looks one piece back", "有一个头总看前一个子词"],
    tell: ["Some heads have a simple job. Look for one whose small picture is a straight line just below the diagonal: every piece looks at the piece before it. The table below the lines says on average how much goes where.",
      "有些头的工作很简单。找一个小图是一条紧挨对角线下方的直线的头：每个子词都看它前一个子词。连线下方的表格给出平均的权重。"],
    ask: ["Which head of layer 0 is it?", "是第 0 层的哪个头？"],
    answer: ["Head 1. Head 2 looks one piece ahead, and head 3 at [CLS].", "头 1。头 2 看后一个子词，头 3 看 [CLS]。"],
  },
  {
    set: { text: NO, hidden: [4], view: "change", place: 4, look: "answer" },
    title: ["Switch a head off", "关掉一个头"],
    tell: ["What a head gathers is multiplied by 0 when it is off. The thin marks in the answer show the network as it was trained.",
      "关掉一个头，它收集的内容就乘以 0。结果中的细线是未改动的网络。"],
    ask: ["Switch off head 1 of layer 0, which looks one piece back, then head 2 instead. Which one is missed more?", "关掉第 0 层看前一个子词的头 1，然后改为关掉头 2。缺了哪个影响更大？"],
    answer: ["Head 2: the word “head” keeps 52%; without head 1 it keeps 63%. The comma behind the blank helps more than “his” before it.", "头 2：“head” 这个词只剩 52%；没有头 1 还有 63%。空白后面的逗号比前面的 “his” 更有用。"],
  },
  {
    set: { text: NO, hidden: [4], edits: { positions: false }, view: "change", place: 4, look: "answer" },
    title: ["Without positions there is no order", "没有位置就没有顺序"],
    tell: ["To each word's vector the network adds a vector of its position. Here that is switched off, and the text is a bag of words.",
      "网络给每个词的向量加上一个位置向量。这里把它关掉了，文本就成了一袋没有顺序的词。"],
    ask: ["Switch “positions” on and off. What is left of the word “head”?", "把“位置”打开再关上。“head” 还剩多少？"],
    answer: ["0.2%, in the last row: without an order nobody knows which word is missing.", "只剩 0.2%，在最后一行：没有顺序，就不知道缺的是哪个词。"],
  },
  {
    set: { text: NO, hidden: [4], edits: { swap: [2, 4] }, view: "change", place: 4, look: "answer" },
    title: ["Swap two positions", "交换两个位置"],
    tell: ["“shook” and the hidden word have exchanged their positions. The pieces stand where they stood, but the network reads: he [MASK] his shook, and said no.",
      "“shook” 和被遮住的词交换了位置。子词没有动，但网络读到的是：he [MASK] his shook, and said no."],
    ask: ["What is guessed now?", "现在猜的是什么？"],
    answer: ["“shook”, “turned”, “opened”: a verb, since that is what stands between “he” and “his”.", "“shook”、“turned”、“opened”：是动词，因为 “he” 和 “his” 之间应该是动词。"],
  },
  {
    set: { text: NO, hidden: [4], edits: { temperature: 8 }, view: "heads", layer: 0, place: 4 },
    title: ["Temperature: how sharply a head looks", "温度：头看得有多专注"],
    tell: ["Before the softmax all scores of attention are divided by 8 here. The lines of the heads that looked at one piece are spread over all.",
      "这里在 softmax 之前把注意力的所有分数都除以 8。原来只看一个子词的头，现在平均地看所有子词。"],
    ask: ["Open “Change it” and move the temperature down to 0.25. Which does the network stand better, too sharp or too blurred?", "打开“改动网络”，把温度降到 0.25。太专注和太分散，网络更能承受哪一个？"],
    answer: ["Too sharp: “head” has 69% at 0.25, and 3% at 8.", "太专注：0.25 时 “head” 有 69%，8 时只有 3%。"],
  },
  {
    set: { text: NO, hidden: [4], edits: { layers: [3] }, view: "change", place: 4, look: "answer" },
    title: ["Layers and residuals", "层与残差"],
    tell: ["Layer 3 is passed over. That works because each layer only adds to what went into it: the residual. What is switched off here is an addition, and the rest goes on.",
      "这里跳过了第 3 层。这行得通，因为每一层只是在输入上再加一点东西：这就是残差。关掉的只是一次加法，其余照常传下去。"],
    ask: ["Which layer is missed most? Then switch them all on, and take out one residual of layer 0.", "缺了哪一层影响最大？然后把各层都打开，去掉第 0 层的一个残差。"],
    answer: ["Layer 2: “head” falls to 14%, and “hand” passes it. Without the residual after attention in layer 0 hardly 1% is left.", "第 2 层：“head” 降到 14%，被 “hand” 超过。去掉第 0 层注意力之后的残差，只剩约 1%。"],
  },
  {
    set: { text: PARDON, view: "stages", place: 4, stage: "bert.encoder.layer.0.attention.self" },
    title: ["Nothing is hidden from you", "没有什么是看不到的"],
    tell: ["These are all stages of the network, each with its numbers, its equation and the line of Python that computes it. The command “minibert trace” prints the same numbers in a terminal, and the file tutorials/bert_in_one_page.py has all of the code on one page.",
      "这是网络的每一级，每级都有数字、公式和计算它的 Python 代码行。命令 “minibert trace” 在终端里打印同样的数字；文件 tutorials/zh/bert_in_one_page.py 把全部代码写在一页纸上。"],
    ask: ["Open a LayerNorm. What are the mean and the standard deviation of what it gives?", "打开一个 LayerNorm。它输出的均值和标准差是多少？"],
    answer: ["The vectors are normalised to mean 0 and standard deviation 1, and then its own scale and shift are applied: after the embeddings the standard deviation is 0.89. Now type a text of your own.", "向量先归一化到均值 0、标准差 1，再用它自己的缩放和平移调整：嵌入之后标准差是 0.89。现在输入你自己的文本吧。"],
  },
];
