/** Runs a program over a text: memoised backtracking (RE2's BitState). */

import {
  ADVANCED,
  ASSERT,
  ASSERTIONS,
  CHAR,
  JUMP,
  LOOK,
  type Program,
  REFERENCE,
  SAVE,
  SET,
  SPLIT,
} from "./compiler.ts";
import { StepBudget } from "./step-budget.ts";

/** Words of memory that cost about as much to clear as one step takes. */
const WORDS_PER_STEP = 8;

const FAILED = -1;
const GAVE_UP = -2;

/** One pass over a text, from left to right, match after match. */
export class BitStateSearch {
  /** Steps taken so far. */
  steps = 0;
  /** Where the groups of the last match start and end (see Program.slots); -1 for a group that did not participate. */
  readonly slots: Int32Array;
  readonly #program: Program;
  readonly #text: string;
  readonly #budget: StepBudget;
  /** The value of `steps` at which the budget is used up. */
  #limit = 0;
  /** A bit for each position and join: the program failed from there (or is trying it right now). */
  readonly #seen: Uint32Array;
  readonly #row: number;
  /** Pairs. (instruction, position): a choice not tried yet; (~slot, position): the value to restore into a slot. */
  readonly #stack: number[] = [];
  /** Bits that the active look-arounds set in #seen, as pairs (word, bit). */
  readonly #trail: number[] = [];

  constructor(program: Program, text: string, budget: StepBudget = new StepBudget()) {
    this.#program = program;
    this.#text = text;
    this.#budget = budget;
    this.#row = Math.ceil(program.joinCount / 32);
    const words = this.#row * (text.length + 1);
    if (budget.steps > 0) budget.steps -= Math.ceil(words / WORDS_PER_STEP);
    this.#seen = new Uint32Array(budget.steps > 0 ? words : 0);
    this.slots = new Int32Array(program.slots);
  }

  /** Finds the first match that starts at `from` or later; `from` never goes below the end of the last match. */
  next(from: number): "match" | "no-match" | "gave-up" {
    const before = this.steps;
    this.#limit = before + this.#budget.steps;
    const result = this.#budget.steps > 0 ? this.#next(from) : "gave-up";
    this.#budget.steps -= this.steps - before;
    return result;
  }

  #next(from: number): "match" | "no-match" | "gave-up" {
    this.slots.fill(-1);
    for (let start = from; start <= this.#text.length; start += widthAt(this.#text, start)) {
      const end = this.#run(0, start, false);
      if (end === GAVE_UP) return "gave-up";
      if (end !== FAILED) {
        this.slots[0] = start;
        this.slots[1] = end;
        this.#stack.length = 0;
        // Bits beyond the match mark failures and stay valid; those at its end may be part of the match itself.
        this.#seen.fill(0, end * this.#row, (end + 1) * this.#row);
        return "match";
      }
    }
    return "no-match";
  }

  /** Returns where the match ends. Calls itself only for look-arounds, whose nesting the parser bounds. */
  #run(pc: number, pos: number, inLook: boolean): number {
    const { op, a, b, sets, joins } = this.#program;
    const text = this.#text;
    const seen = this.#seen;
    const stack = this.#stack;
    const slots = this.slots;
    const base = stack.length;
    for (;;) {
      if (++this.steps > this.#limit) return GAVE_UP;
      let alive = true;
      const join = joins[pc]!;
      if (join >= 0) {
        const word = pos * this.#row + (join >>> 5);
        const bit = 1 << (join & 31);
        if (seen[word]! & bit) alive = false;
        else {
          seen[word]! |= bit;
          if (inLook) this.#trail.push(word, bit);
        }
      }
      if (alive) {
        switch (op[pc]) {
          case CHAR:
          case SET: {
            const back = b[pc] === 1;
            if (pos === (back ? 0 : text.length)) {
              alive = false;
              break;
            }
            const from = back ? pos - widthBefore(text, pos) : pos;
            const code = text.codePointAt(from)!;
            alive = op[pc] === CHAR ? code === a[pc] : sets[a[pc]!]!.has(code);
            pos = back ? from : from + (code > 0xffff ? 2 : 1);
            pc++;
            break;
          }
          case SPLIT:
            stack.push(b[pc]!, pos);
            pc = a[pc]!;
            break;
          case JUMP:
            pc = a[pc]!;
            break;
          case SAVE: {
            const slot = a[pc]!;
            stack.push(~slot, slots[slot]!);
            slots[slot] = pos;
            pc++;
            break;
          }
          case ASSERT:
            alive = holds(text, pos, a[pc]!);
            pc++;
            break;
          case REFERENCE: {
            const end = afterReference(text, pos, slots[2 * a[pc]!]!, slots[2 * a[pc]! + 1]!, b[pc]!);
            alive = end !== FAILED;
            if (alive) this.steps += Math.abs(end - pos);
            pos = end;
            pc++;
            break;
          }
          case LOOK: {
            const found = this.#look(pc, pos);
            if (found === GAVE_UP) return GAVE_UP;
            alive = (found !== FAILED) !== (b[pc] === 1);
            pc = a[pc]!;
            break;
          }
          case ADVANCED:
            alive = slots[a[pc]!] !== pos;
            pc++;
            break;
          default: // MATCH
            return pos;
        }
      }
      while (!alive) {
        if (stack.length === base) return FAILED;
        pos = stack.pop()!;
        pc = stack.pop()!;
        if (pc >= 0) alive = true;
        else slots[~pc] = pos;
      }
    }
  }

  /** Runs the body of the look-around at `pc`. Groups set in it stay set when it is positive and matches. */
  #look(pc: number, pos: number): number {
    const stack = this.#stack;
    const stackBase = stack.length;
    const trailBase = this.#trail.length;
    const found = this.#run(pc + 1, pos, true);
    if (found >= 0) {
      // Its choices are final, but the slots it set must still be restored when the outer run backtracks.
      const undo: number[] = [];
      for (let i = stackBase; i < stack.length; i += 2) {
        if (stack[i]! < 0) undo.push(stack[i]!, stack[i + 1]!);
      }
      stack.length = stackBase;
      const negated = this.#program.b[pc] === 1;
      if (negated) for (let i = undo.length - 2; i >= 0; i -= 2) this.slots[~undo[i]!] = undo[i + 1]!;
      else for (const value of undo) stack.push(value);
      // It did not fail at every place it visited.
      for (let i = trailBase; i < this.#trail.length; i += 2) {
        this.#seen[this.#trail[i]!]! &= ~this.#trail[i + 1]!;
      }
    }
    this.#trail.length = trailBase;
    return found;
  }
}

/** UTF-16 units of the character at a position; 1 at the end of the text. */
export const widthAt = (text: string, pos: number): number => (text.codePointAt(pos)! > 0xffff ? 2 : 1);

const widthBefore = (text: string, pos: number): number => (pos > 1 && widthAt(text, pos - 2) === 2 ? 2 : 1);

function holds(text: string, pos: number, assertion: number): boolean {
  switch (ASSERTIONS[assertion]!) {
    case "start":
      return pos === 0;
    case "end":
      return pos === text.length;
    case "line-start":
      return pos === 0 || text[pos - 1] === "\n";
    case "line-end":
      return pos === text.length || text[pos] === "\n";
    case "word":
      return isWord(text.charCodeAt(pos - 1)) !== isWord(text.charCodeAt(pos));
    case "not-word":
      return isWord(text.charCodeAt(pos - 1)) === isWord(text.charCodeAt(pos));
  }
}

/** Of a UTF-16 unit, or NaN outside the text. */
const isWord = (unit: number): boolean =>
  (unit > 47 && unit < 58) || (unit > 64 && unit < 91) || unit === 95 || (unit > 96 && unit < 123);

/** The position after (backwards: before) the text captured by the group; a group that did not participate captured the empty text. */
function afterReference(text: string, pos: number, start: number, end: number, flags: number): number {
  if (start < 0 || end < start) return pos;
  const length = end - start;
  const from = flags & 1 ? pos - length : pos;
  if (from < 0 || from + length > text.length) return FAILED;
  const captured = text.slice(start, end);
  const here = text.slice(from, from + length);
  const same = flags & 2 ? captured.toLowerCase() === here.toLowerCase() : captured === here;
  return same ? (flags & 1 ? from : from + length) : FAILED;
}
