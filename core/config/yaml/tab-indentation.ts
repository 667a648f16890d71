/** Tabs as indentation, which YAML forbids and editors make. */
import { moved } from "./yaml-node.ts";
import { movedDiagnostic, type ParsedYaml, readYaml, type YamlDiagnostic } from "./yaml-reader.ts";

/** Reads a text as YAML; where that fails and there are tabs, as if these were spaces. */
export function readYamlWithTabs(text: string): ParsedYaml {
  const found = readYaml(text);
  const tabs = found.diagnostics.length > 0 && [...text.matchAll(/^[ \t]*\t[ \t]*(?=\S)/gm)];
  return tabs && tabs.length > 0 ? withoutTabs(text, tabs) : found;
}

/** Reads the text as if its tabs were spaces: as many for each as make sense of it. */
function withoutTabs(text: string, tabs: RegExpExecArray[]): ParsedYaml {
  const tries = [2, 4, 8].map((width) => {
    const spaces = (run: string) => run.replaceAll("\t", " ".repeat(width));
    const expanded = text.replace(/^[ \t]*\t[ \t]*(?=\S)/gm, spaces);
    return { spaces, ...readYaml(expanded) };
  });
  const {
    spaces,
    root,
    diagnostics: problems,
  } = tries.find(({ diagnostics: problems }) => problems.length === 0) ?? tries[0]!;
  const to = (offset: number) => {
    let added = 0;
    for (const { 0: run, index } of tabs) {
      const more = spaces(run).length - run.length;
      if (offset < index + added + run.length + more) return Math.min(offset - added, index + run.length);
      added += more;
    }
    return offset - added;
  };
  const own = tabs.map(({ 0: run, index }): YamlDiagnostic => {
    const message = "YAML allows no tabs as indentation. Use spaces.";
    const [start, end] = [index, index + run.length];
    return { code: "tab-indent", severity: "error", message, start, end, suggestion: spaces(run) };
  });
  return {
    root: root && moved(root, to),
    diagnostics: [...own, ...problems.map((problem) => movedDiagnostic(problem, to))],
  };
}
