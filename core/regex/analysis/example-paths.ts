/** Example paths that contain a match of a pattern, to show people what it means. */

import { parsePattern } from "../parser.ts";
import { compile } from "../pattern.ts";
import { accepts, type Char, type CharClass, isSingle, type Node } from "../syntax.ts";

/** Substitutes for a repeated character, when the pattern accepts them. */
const WORDS = ["users", "42", "users/42", "a1b2", "USERS", "x"];
const CHARACTERS = Array.from("ax17/-_.~ABCbcdefghijklmnopqrstuvwyz02345689", (letter) =>
  letter.charCodeAt(0),
);
const ROUNDS = 6;

/** Up to `count` different paths that contain a match; fewer when the samples do not yield as many. */
export function examplePaths(source: string, count = 3): string[] {
  const parsed = parsePattern(source);
  const compiled = compile(source);
  if ("errors" in parsed || !compiled.ok) return [];
  const found = new Set<string>();
  for (let round = 0; round < ROUNDS && found.size < count; round++) {
    const text = sample(parsed.root, round);
    for (const path of text.startsWith("/") ? [text] : [`/${text}`, `/x/${text}`]) {
      const isPath = path.length < 80 && /^\/(?!\/)[!-~]*$/.test(path) && !/[?#]/.test(path);
      if (isPath && compiled.pattern.test(path) === "match") {
        found.add(path);
        break;
      }
    }
  }
  return [...found].slice(0, count);
}

/** Each round chooses other branches and counts. */
function sample(node: Node, round: number): string {
  switch (node.type) {
    case "concat":
      return node.items.map((item) => sample(item, round)).join("");
    case "alternation":
      return sample(node.items[round % node.items.length]!, round);
    case "capture":
      return sample(node.body, round);
    case "repeat": {
      const { body, min, max } = node;
      if (isSingle(body) && max > 1) {
        const word = WORDS.map((_, i) => WORDS[(round + i) % WORDS.length]!).find((word) =>
          fits(word, body, min, max),
        );
        if (word !== undefined && round !== 1) return word;
      }
      const times = round === 1 ? min : Math.min(max, Math.max(min, 1));
      return Array.from({ length: Math.min(times, 20) }, () => sample(body, round)).join("");
    }
    case "char":
    case "set": {
      const fitting = CHARACTERS.filter((code) => accepts(node, code));
      const code = node.type === "char" ? node.code : fitting[round % Math.max(1, fitting.length)];
      return code === undefined ? "" : String.fromCodePoint(code);
    }
    default:
      return "";
  }
}

function fits(word: string, body: Char | CharClass, min: number, max: number): boolean {
  return (
    word.length >= min &&
    word.length <= max &&
    Array.from(word).every((letter) => accepts(body, letter.charCodeAt(0)))
  );
}
