/** Compiles a syntax tree to the instructions that bit-state.ts runs. */

import type { CharSet } from "./charset.ts";
import type { Assertion, Node } from "./syntax.ts";

export const CHAR = 0; //     a: code point                      b: 1 backwards
export const SET = 1; //      a: index into sets                 b: 1 backwards
export const SPLIT = 2; //    a: tried first                     b: tried next
export const JUMP = 3; //     a: target
export const SAVE = 4; //     a: slot to store the position in
export const ASSERT = 5; //   a: index into ASSERTIONS
export const REFERENCE = 6; // a: group                          b: 1 backwards, 2 ignoring case
export const LOOK = 7; //     a: where to continue (the body follows) b: 1 negated
export const ADVANCED = 8; // a: slot: fails when the position equals the one saved there
export const MATCH = 9;

export const ASSERTIONS: readonly Assertion[] = [
  "start",
  "end",
  "line-start",
  "line-end",
  "word",
  "not-word",
];

/** Instruction i is `op[i]` with the operands `a[i]` and `b[i]`. */
export interface Program {
  op: Uint8Array;
  a: Int32Array;
  b: Int32Array;
  sets: CharSet[];
  /** Slots 2g and 2g+1 hold where group g starts and ends; the whole match is group 0. */
  slots: number;
  hasReferences: boolean;
  /**
   * The index of each instruction that several others lead to, among those; -1 for all others. Only failures at these
   * instructions need memoising, since the others are reached again only through them.
   */
  joins: Int32Array;
  joinCount: number;
}

/** `groups` includes the whole match. The parser has bounded the size. */
export function buildProgram(root: Node, groups: number, hasReferences: boolean): Program {
  const emitter = new Emitter(groups, hasReferences);
  emitter.emit(root, false);
  emitter.add(MATCH);
  const { op, a, b, sets, slots } = emitter;

  const arrivals = new Int32Array(op.length);
  arrivals[0] = 1; // the start
  for (let pc = 0; pc < op.length; pc++) {
    if (op[pc] === SPLIT || op[pc] === JUMP || op[pc] === LOOK) arrivals[a[pc]!]!++;
    if (op[pc] === SPLIT) arrivals[b[pc]!]!++;
    else if (op[pc] !== JUMP && op[pc] !== MATCH) arrivals[pc + 1]!++;
  }
  let joinCount = 0;
  // With back-references the rest of a match depends on the captured text, so failures cannot be memoised.
  const joins = arrivals.map((count) => (count > 1 && !hasReferences ? joinCount++ : -1));
  return {
    op: Uint8Array.from(op),
    a: Int32Array.from(a),
    b: Int32Array.from(b),
    sets,
    slots,
    hasReferences,
    joins,
    joinCount,
  };
}

class Emitter {
  readonly op: number[] = [];
  readonly a: number[] = [];
  readonly b: number[] = [];
  readonly sets: CharSet[] = [];
  slots: number;
  readonly #setIndexes = new Map<CharSet, number>();
  readonly #hasReferences: boolean;

  constructor(groups: number, hasReferences: boolean) {
    this.slots = 2 * groups;
    this.#hasReferences = hasReferences;
  }

  /** Adds an instruction, returns its index. */
  add(op: number, a = 0, b = 0): number {
    this.a.push(a);
    this.b.push(b);
    return this.op.push(op) - 1;
  }

  /** `back`: inside a look-behind, everything runs from right to left. */
  emit(node: Node, back: boolean): void {
    switch (node.type) {
      case "char":
        this.add(CHAR, node.code, Number(back));
        break;
      case "set": {
        const index = this.#setIndexes.get(node.set) ?? this.sets.push(node.set) - 1;
        this.#setIndexes.set(node.set, index);
        this.add(SET, index, Number(back));
        break;
      }
      case "assert":
        this.add(ASSERT, ASSERTIONS.indexOf(node.assertion));
        break;
      case "concat":
        for (const item of back ? node.items.toReversed() : node.items) this.emit(item, back);
        break;
      case "alternation": {
        const ends: number[] = [];
        for (const item of node.items.slice(0, -1)) {
          const split = this.add(SPLIT);
          this.a[split] = split + 1;
          this.emit(item, back);
          ends.push(this.add(JUMP));
          this.b[split] = this.op.length;
        }
        this.emit(node.items.at(-1)!, back);
        for (const end of ends) this.a[end] = this.op.length;
        break;
      }
      case "capture":
        this.add(SAVE, 2 * node.index + Number(back));
        this.emit(node.body, back);
        this.add(SAVE, 2 * node.index + Number(!back));
        break;
      case "reference":
        this.add(REFERENCE, node.group, Number(back) + 2 * Number(node.ignoreCase));
        break;
      case "look": {
        const start = this.add(LOOK, 0, Number(node.negated));
        this.emit(node.body, node.behind);
        this.add(MATCH);
        this.a[start] = this.op.length;
        break;
      }
      case "repeat": {
        const { body, min, max, lazy } = node;
        if (max !== Infinity) {
          for (let i = 0; i < min; i++) this.emit(body, back);
          const exits: number[] = [];
          for (let i = min; i < max; i++) {
            exits.push(this.add(SPLIT));
            this.emit(body, back);
          }
          for (const exit of exits) this.#choose(exit, exit + 1, this.op.length, lazy);
        } else if (body.nullable && !this.#hasReferences) {
          // `x*` is `(x+)?`: an empty round may end the loop, as in the original's engine.
          const skip = min === 0 ? this.add(SPLIT) : -1;
          for (let i = 1; i < min; i++) this.emit(body, back);
          const start = this.op.length;
          this.emit(body, back);
          const split = this.add(SPLIT);
          this.#choose(split, start, this.op.length, lazy);
          if (skip >= 0) this.#choose(skip, skip + 1, this.op.length, lazy);
        } else {
          for (let i = 0; i < min; i++) this.emit(body, back);
          const split = this.add(SPLIT);
          const slot = body.nullable ? this.slots++ : -1;
          if (slot >= 0) this.add(SAVE, slot);
          this.emit(body, back);
          if (slot >= 0) this.add(ADVANCED, slot);
          this.add(JUMP, split);
          this.#choose(split, split + 1, this.op.length, lazy);
        }
      }
    }
  }

  #choose(split: number, into: number, past: number, lazy: boolean): void {
    this.a[split] = lazy ? past : into;
    this.b[split] = lazy ? into : past;
  }
}
