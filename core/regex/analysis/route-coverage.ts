/** Decides on the automata of two patterns whether one matches every path that the other matches. */

import {
  ASSERT,
  ASSERTIONS,
  buildProgram,
  CHAR,
  JUMP,
  LOOK,
  MATCH,
  type Program,
  REFERENCE,
  SAVE,
  SET,
  SPLIT,
} from "../compiler.ts";
import { parsePattern } from "../parser.ts";
import { compile } from "../pattern.ts";
import { examplePaths } from "./example-paths.ts";

/** Beyond these sizes the answer is "not certain". */
const MAX_INSTRUCTIONS = 300;
const MAX_STATES = 400;
const MAX_ANSWERS = 5000;

/** The characters of a path: visible ASCII without those that end it. */
const PATH_CHARACTERS = Array.from({ length: 94 }, (_, i) => i + 0x21).filter(
  (code) => !"?#".includes(String.fromCharCode(code)),
);
const SLASH = 0x2f;

/** Bounds the comparisons of one file: when it is used up, every further answer is "not certain". */
export class AnalysisBudget {
  /** Pairs of patterns that may still be compared. */
  comparisons = 30_000;
  /** States of automata that may still be visited. */
  states = 20_000;
}

const answers = new Map<string, boolean>();

/** True when certainly every path that contains a match of `later` contains one of `earlier` too. */
export function routeCovers(earlier: string, later: string, budget = new AnalysisBudget()): boolean {
  if (--budget.comparisons < 0) return false;
  return memoized(`${earlier.length} ${earlier}${later}`, budget, () => {
    const [a, b] = [analyzed(earlier), analyzed(later)];
    // One example tells most pairs apart.
    if (b.example !== undefined && search(earlier, b.example) === "no-match") return false;
    return a.program !== undefined && b.program !== undefined && includes(a.program, b.program, budget);
  });
}

/** True when certainly no path contains a match: every path starts with a slash. */
export function neverMatches(source: string, budget = new AnalysisBudget()): boolean {
  return memoized(`never ${source}`, budget, () => {
    const { program, example } = analyzed(source);
    return example === undefined && program !== undefined && includes(undefined, program, budget);
  });
}

function memoized(key: string, budget: AnalysisBudget, decide: () => boolean): boolean {
  const known = answers.get(key);
  if (known !== undefined) return known;
  if (answers.size >= MAX_ANSWERS) answers.clear();
  if (budget.states <= 0) return false;
  const answer = decide();
  if (budget.states > 0) answers.set(key, answer);
  return answer;
}

interface AnalyzedPattern {
  program: Program | undefined;
  /** A path that contains a match. */
  example: string | undefined;
}

const patterns = new Map<string, AnalyzedPattern>();
const MAX_PATTERNS = 200;

function analyzed(source: string): AnalyzedPattern {
  let entry = patterns.get(source);
  if (!entry) {
    if (patterns.size >= MAX_PATTERNS) patterns.clear();
    entry = { program: automaton(source), example: examplePaths(source, 1)[0] };
    patterns.set(source, entry);
  }
  return entry;
}

function search(source: string, path: string) {
  const compiled = compile(source);
  return compiled.ok ? compiled.pattern.test(path) : "no-match";
}

/** Undefined for patterns that a finite automaton cannot express, and for those that are too large. */
function automaton(source: string): Program | undefined {
  const parsed = parsePattern(source);
  if ("errors" in parsed || parsed.hasReferences || parsed.root.size > MAX_INSTRUCTIONS) return undefined;
  const program = buildProgram(parsed.root, parsed.groups.length, false);
  const simple = program.op.every(
    (op, pc) => op !== LOOK && op !== REFERENCE && !(op === ASSERT && isWord(program, pc)),
  );
  return simple ? program : undefined;
}

const isWord = (program: Program, pc: number) => ASSERTIONS[program.a[pc]!]!.endsWith("word");

/** The state of an unanchored search: at these instructions, or done. */
type State = readonly number[] | "found";

/** Runs both automata through all paths at once, looking for one that `b` matches and `a` does not. */
function includes(a: Program | undefined, b: Program, budget: AnalysisBudget): boolean {
  const alphabet = representatives(a ? [a, b] : [b]);
  const start = (program: Program | undefined): State => (program ? closure(program, [0], true) : []);
  const queue: [State, State][] = [[start(a), start(b)]];
  const seen = new Set<string>();
  for (let first = true, next = queue.pop(); next; next = queue.pop(), first = false) {
    const [inA, inB] = next;
    if (!first && (inB === "found" || endsIn(b, inB)) && !(a && inA !== "found" && endsIn(a, inA)))
      return false;
    for (const code of first ? [SLASH] : alphabet) {
      const afterA: State = a && inA !== "found" ? step(a, inA, code) : [];
      if (afterA === "found") continue;
      const afterB: State = inB === "found" ? inB : step(b, inB, code);
      const key = `${afterA}|${afterB}`;
      if (seen.has(key)) continue;
      if (seen.size >= MAX_STATES || --budget.states <= 0) return false;
      seen.add(key);
      queue.push([afterA, afterB]);
    }
  }
  return true;
}

/** One character of each class that the programs distinguish. */
function representatives(programs: Program[]): number[] {
  const kinds = new Map<string, number>();
  for (const code of PATH_CHARACTERS) {
    const kind = programs
      .map((program) => Array.from(program.op, (_, pc) => (accepts(program, pc, code) ? "1" : "0")).join(""))
      .join("");
    if (!kinds.has(kind)) kinds.set(kind, code);
  }
  return [...kinds.values()];
}

function accepts({ op, a, sets }: Program, pc: number, code: number): boolean {
  return op[pc] === CHAR ? a[pc] === code : op[pc] === SET && sets[a[pc]!]!.has(code);
}

function step(program: Program, state: readonly number[], code: number): State {
  const moved = state.filter((pc) => accepts(program, pc, code)).map((pc) => pc + 1);
  return closure(program, [...moved, 0], false);
}

/** All instructions, reachable without reading a character, that wait for a character or the end. */
function closure(program: Program, from: number[], atStart: boolean, atEnd = false): State {
  const { op, a, b } = program;
  const reached = new Set<number>();
  const stack = [...from];
  const waiting: number[] = [];
  for (let pc = stack.pop(); pc !== undefined; pc = stack.pop()) {
    if (reached.has(pc)) continue;
    reached.add(pc);
    if (op[pc] === MATCH) return "found";
    if (op[pc] === SPLIT) stack.push(a[pc]!, b[pc]!);
    else if (op[pc] === JUMP) stack.push(a[pc]!);
    else if (op[pc] === SAVE) stack.push(pc + 1);
    else if (op[pc] === ASSERT) {
      // A path is one line.
      const end = ASSERTIONS[a[pc]!]!.endsWith("end");
      if (end ? atEnd : atStart) stack.push(pc + 1);
      if (end) waiting.push(pc);
    } else waiting.push(pc);
  }
  return waiting.sort((x, y) => x - y);
}

function endsIn(program: Program, state: State): boolean {
  return state === "found" || closure(program, [...state], false, true) === "found";
}
