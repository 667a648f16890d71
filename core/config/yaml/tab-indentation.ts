/** Tolerates tabs as indentation, which YAML forbids but editors insert. */
import { text } from "../../text.ts";
import { YAML_MESSAGES } from "./yaml-messages.ts";
import { withOffsets } from "./yaml-node.ts";
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

const WIDTHS = [2, 4, 8];
/** Characters from the beginning by which a file's width is chosen: parsing all of a large one for each takes seconds. */
const SAMPLE = 20_000;

const spacesOf = (width: number) => (run: string) => run.replaceAll("\t", " ".repeat(width));

/** Parses the text as if each tab were a number of spaces: the first width without syntax errors. */
function withoutTabs(source: string, tabs: RegExpExecArray[]): ParsedYaml {
  // Whole lines.
  const end = source.length > SAMPLE ? source.lastIndexOf("\n", SAMPLE) + 1 : source.length;
  const sample = source.slice(0, end || source.length);
  const fits = (width: number) =>
    readYaml(sample.replace(TAB_INDENTATION, spacesOf(width))).diagnostics.length === 0;
  const spaces = spacesOf(WIDTHS.find(fits) ?? WIDTHS[0]!);
  const { root, diagnostics } = readYaml(source.replace(TAB_INDENTATION, spaces));
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
    root: root && withOffsets(root, to),
    diagnostics: [...own, ...diagnostics.map((diagnostic) => movedDiagnostic(diagnostic, to))],
  };
}
