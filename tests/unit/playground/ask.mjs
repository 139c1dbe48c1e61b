// Ask the page's modules without a page: `node ask.mjs DATA` reads a JSON list of [what, …] from standard input, and prints the answers.
import { readFileSync } from "node:fs";
import { Answering, weightsFrom } from "../../../minibert/playground/worker.mjs";
import { WordPiece } from "../../../minibert/playground/wordpiece.mjs";

const data = JSON.parse(readFileSync(process.argv[2], "utf8"));
const tokenizer = data.tokens && new WordPiece(data.tokens);
const model = data.network && new Answering(data.network, weightsFrom(data.numbers, data.weights));
const plain = (_, value) => ArrayBuffer.isView(value) ? Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString("base64") : value;
const ask = { encode: (text, second) => tokenizer.encode(text, second), words: text => tokenizer.words(tokenizer.lower(text)), answer: question => model.answer(question) };
console.log(JSON.stringify(JSON.parse(readFileSync(0, "utf8")).map(([what, ...about]) => ask[what](...about)), plain));
