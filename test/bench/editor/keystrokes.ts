// How long the editor's features take on a linkup.yaml of 5,000 lines with 1,000 services, keystroke by keystroke.
// Prints the times. What counts is the time that the thread has worked:
// on a machine that is busy with other things, the time that has passed says more about those.

import { type DocumentModel, modelOf } from "../../../extension/language/document/document-model.ts";
import type { EditorFacts } from "../../../extension/language/document/editor-facts.ts";
import { completions } from "../../../extension/language/features/completion.ts";
import { documentDiagnostics } from "../../../extension/language/features/diagnostics.ts";
import { hover } from "../../../extension/language/features/hover.ts";
import { lenses } from "../../../extension/language/features/lenses.ts";
import { rename } from "../../../extension/language/features/navigation.ts";
import { folds, symbols } from "../../../extension/language/features/structure.ts";
import { percentile } from "../statistics.ts";
import { verdict } from "../verdict.ts";
import { largeConfig, largeFacts } from "./large-config.ts";

/** Milliseconds of work that 99 of 100 keystrokes stay within. */
const TARGETS: Readonly<Record<string, number>> = {
  "diagnostics after a keystroke": 50,
  "completion after a keystroke": 20,
};
const WARM_UP = 100;
const SERVICES = 1000;

/** What is typed where: the place is behind the last `at` before the share of the text. */
const STROKES: { what: string; at: string; typed: string }[] = [
  { what: "a service's name", at: "  - name: service", typed: "-x" },
  { what: "a port", at: "    local: http://localhost:", typed: "12" },
  { what: "a new key", at: "\n    remote: ", typed: "\n    hea" },
  { what: "a new service", at: "\n  - name: service-500", typed: "\n    directory: ./x" },
  { what: "a route's pattern", at: "      - path: ^/", typed: "(v[12]|a)/" },
  { what: "a route's service", at: "        service: ", typed: "servic" },
  { what: "an open quote", at: "    remote: ", typed: '"' },
  { what: "an open bracket", at: "      - path: ", typed: "[" },
  { what: "a line at the top", at: "linkup:", typed: "\n  # hello\n" },
];

const start = largeConfig(SERVICES);
const facts: EditorFacts = largeFacts(SERVICES);
/** Milliseconds that the thread has worked, and that have passed. */
interface Time {
  worked: number;
  passed: number;
}

const times = new Map<string, Time[]>();

function timed<T>(name: string, action: () => T): T {
  const [before, cpu] = [performance.now(), process.threadCpuUsage()];
  const result = action();
  const { user, system } = process.threadCpuUsage(cpu);
  const list = times.get(name) ?? [];
  list.push({ worked: (user + system) / 1000, passed: performance.now() - before });
  times.set(name, list);
  return result;
}

let model: DocumentModel = timed("opening the file", () => modelOf(start));
for (let round = 0; round < 12; round++) {
  if (round === 2) forgetWarmUp();
  for (const { at, typed } of STROKES) {
    const near = Math.floor((start.length * (round * 37 + 5)) / 450) % start.length;
    const place = Math.max(start.lastIndexOf(at, near), start.indexOf(at)) + at.length;
    // Typed character by character, then taken back.
    for (let length = 1; length <= typed.length; length++)
      stroke(start.slice(0, place) + typed.slice(0, length) + start.slice(place), place + length);
    stroke(start, place);
  }
}

/** A keystroke has led to this text, with the cursor there. */
function stroke(text: string, cursor: number): void {
  const before = model;
  model = timed("diagnostics after a keystroke", () => {
    const next = modelOf(text, before);
    documentDiagnostics(next, facts);
    return next;
  });
  timed("completion after a keystroke", () => completions(modelOf(text, before), facts, cursor));
  timed("completion alone", () => completions(model, facts, cursor));
  timed("hover", () => hover(model, facts, cursor - 1));
  timed("outline", () => symbols(model));
  timed("folding", () => folds(model));
  timed("lenses", () => lenses(model, facts));
  timed("rename", () => rename(model, start.indexOf("service-500"), "other"));
}

/** The engine has compiled by then what an editor that is open for a minute has compiled. */
function forgetWarmUp(): void {
  for (const [name, list] of times) if (list.length > WARM_UP) times.set(name, []);
}

const lines = start.split("\n").length - 1;
console.log(
  `linkup.yaml of ${lines} lines, ${SERVICES} services, ${Math.round(start.length / 1000)} kB; milliseconds\n`,
);
const row = (name: string, cells: string[]) =>
  console.log(name.padEnd(32) + cells.map((cell) => cell.padStart(8)).join(""));
row("", ["worked", "", "", "", "passed", "", "target"]);
row("", ["median", "95 %", "99 %", "most", "median", "99 %"]);
for (const [name, list] of times) {
  const share = (of: keyof Time, part: number) =>
    percentile(
      list.map((time) => time[of]),
      part,
    );
  const worked = [0.5, 0.95, 0.99, 1].map((part) => share("worked", part));
  const passed = [0.5, 0.99].map((part) => share("passed", part));
  const target = TARGETS[name];
  const judged = target === undefined ? [] : [String(target), verdict(share("worked", 0.99) <= target)];
  row(name, [...[...worked, ...passed].map((ms) => ms.toFixed(1)), ...judged]);
}
