/** Tolerates tabs as indentation, which YAML forbids but editors insert. */
import { text } from "../../text.ts";
import { YAML_MESSAGES } from "./yaml-messages.ts";
import { moved } from "./yaml-node.ts";
import {
  movedDiagnostic,
  type ParsedYaml,
  readYaml,
  type YamlDiagnostic,
  yamlDiagnostic,
} from "./yaml-reader.ts";

/** White space with a tab in it at the start of a line that has text. */
const TAB_INDENTATION = /^ *\t[ \t]*(?=\S)/gm;

/** Parses a text as YAML; if that fails and it is indented by tabs, as if they were spaces. */
export function readYamlWithTabs(source: string): ParsedYaml {
  const found = readYaml(source);
  const tabs = found.diagnostics.length > 0 && [...source.matchAll(TAB_INDENTATION)];
  return tabs && tabs.length > 0 ? withoutTabs(source, tabs) : found;
}

/** Parses the text as if each tab were a number of spaces: the first width without syntax errors. */
function withoutTabs(source: string, tabs: RegExpExecArray[]): ParsedYaml {
  const tries = [2, 4, 8].map((width) => {
    const spaces = (run: string) => run.replaceAll("\t", " ".repeat(width));
    const expanded = source.replace(TAB_INDENTATION, spaces);
    return { spaces, ...readYaml(expanded) };
  });
  const { spaces, root, diagnostics } =
    tries.find(({ diagnostics }) => diagnostics.length === 0) ?? tries[0]!;
  /** For each run of white space: its end in the expanded text, its end in the source, and the spaces added before it. */
  let added = 0;
  const runs = tabs.map(({ 0: run, index }) => {
    const before = added;
    added += spaces(run).length - run.length;
    const sourceEnd = index + run.length;
    return { end: sourceEnd + added, sourceEnd, before };
  });
  const to = (offset: number) => {
    let [low, high] = [0, runs.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (runs[middle]!.end <= offset) low = middle + 1;
      else high = middle;
    }
    const run = runs[low];
    return run ? Math.min(offset - run.before, run.sourceEnd) : offset - added;
  };
  const own = tabs.map(({ 0: run, index }): YamlDiagnostic => {
    const [start, end] = [index, index + run.length];
    return yamlDiagnostic("tab-indent", text(YAML_MESSAGES.tabIndentation), start, end, {
      suggestion: spaces(run),
    });
  });
  return {
    root: root && moved(root, to),
    diagnostics: [...own, ...diagnostics.map((diagnostic) => movedDiagnostic(diagnostic, to))],
  };
}
