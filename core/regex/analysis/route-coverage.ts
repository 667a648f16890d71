/** Whether one route takes every path that another would take: decided on the automata of both patterns. */

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

/** Beyond these the answer is "not certain". */
const MAX_INSTRUCTIONS = 300;
const MAX_STATES = 400;
const MAX_KEPT = 5000;

/** What can stand in a path: visible ASCII without the characters that end it. */
const PATH_CHARACTERS = Array.from({ length: 94 }, (_, i) => i + 0x21).filter(
  (code) => !"?#".includes(String.fromCharCode(code)),
);
const SLASH = 0x2f;

const answers = new Map<string, boolean>();

/** True when it is certain that every path in which `later` is found has `earlier` in it too. */
export function routeCovers(earlier: string, later: string): boolean {
  return kept(`${earlier.length} ${earlier}${later}`, () => {
    const [a, b] = [known(earlier), known(later)];
    // Most pairs are told apart by one path.
    if (b.example !== undefined && found(earlier, b.example) === "no-match") return false;
    return a.program !== undefined && b.program !== undefined && includes(a.program, b.program);
  });
}

/** True when it is certain that the pattern is found in no path: every path starts with a slash. */
export function neverMatches(source: string): boolean {
  return kept(`never ${source}`, () => {
    const { program, example } = known(source);
    return example === undefined && program !== undefined && includes(undefined, program);
  });
}

function kept(key: string, decide: () => boolean): boolean {
  const known = answers.get(key);
  if (known !== undefined) return known;
  if (answers.size >= MAX_KEPT) answers.clear();
  const answer = decide();
  answers.set(key, answer);
  return answer;
}

interface Known {
  program: Program | undefined;
  /** A path in which it is found. */
  example: string | undefined;
}

const patterns = new Map<string, Known>();
const MAX_PATTERNS = 200;

function known(source: string): Known {
  let entry = patterns.get(source);
  if (!entry) {
    if (patterns.size >= MAX_PATTERNS) patterns.clear();
    entry = { program: automaton(source), example: examplePaths(source, 1)[0] };
    patterns.set(source, entry);
  }
  return entry;
}

function found(source: string, path: string) {
  const compiled = compile(source);
  return compiled.ok ? compiled.pattern.test(path) : "no-match";
}

/** Undefined for what no finite automaton can say, and for what is too large. */
function automaton(source: string): Program | undefined {
  const parsed = parsePattern(source);
  if ("problems" in parsed || parsed.hasReferences || parsed.root.size > MAX_INSTRUCTIONS) return undefined;
  const program = buildProgram(parsed.root, parsed.groups.length, false);
  const simple = program.op.every(
    (op, pc) => op !== LOOK && op !== REFERENCE && !(op === ASSERT && isWord(program, pc)),
  );
  return simple ? program : undefined;
}

const isWord = (program: Program, pc: number) => ASSERTIONS[program.a[pc]!]!.endsWith("word");

/** Where an unanchored search is: at these instructions, or done. */
type State = readonly number[] | "found";

/** Follows both at once through all paths, looking for one that `b` matches and `a` does not. */
function includes(a: Program | undefined, b: Program): boolean {
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
      if (seen.size >= MAX_STATES) return false;
      seen.add(key);
      queue.push([afterA, afterB]);
    }
  }
  return true;
}

/** One character of each kind that the programs tell apart. */
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

/** All instructions that wait for a character or the end, reached without reading one. */
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
