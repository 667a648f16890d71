/** Diagnostics of a file: core's, and those that depend on this machine. */
import { DIAGNOSTIC_CODES } from "../../../core/config/model/config-diagnostic.ts";
import type { Path } from "../../../core/config/yaml/yaml-node.ts";
import { t, translated } from "../../words.ts";
import type { DocumentModel, Span } from "../document/document-model.ts";
import { type EditorFacts, localPort } from "../document/editor-facts.ts";

export const CODES = [...DIAGNOSTIC_CODES, "nothing-listens", "token-in-file", "missing-file"] as const;
export type Code = (typeof CODES)[number];

export interface DocumentDiagnostic extends Span {
  code: Code;
  /** The way to what is wrong; empty for what is wrong with the text as YAML. */
  path: Path;
  severity: "error" | "warning" | "hint";
  message: string;
  related?: Span & { message: string };
  /** Replacement for the range. */
  suggestion?: string;
}

/** In the order of the text. */
export function documentDiagnostics(model: DocumentModel, facts: EditorFacts): DocumentDiagnostic[] {
  const fromCore = model.parsed.diagnostics.map(
    ({ code, severity, text, path, range, related, suggestion }): DocumentDiagnostic => {
      const finding: DocumentDiagnostic = {
        code,
        severity,
        message: translated(text),
        path,
        start: range.start.offset,
        end: range.end.offset,
      };
      if (suggestion !== undefined) finding.suggestion = suggestion;
      if (related) {
        const { start, end } = related.range;
        finding.related = { message: translated(related.text), start: start.offset, end: end.offset };
      }
      return finding;
    },
  );
  const live = [...silentPorts(model, facts), ...token(model, facts), ...missingFiles(model, facts)];
  const all = withSessions(model, facts, fromCore);
  return live.length === 0 ? all : [...all, ...live].sort((a, b) => a.start - b.start);
}

/** The page that explains the code; `#code` is its heading. */
export const PROBLEMS_PAGE = "docs/user/problems.md";

function silentPorts({ outline }: DocumentModel, { listening }: EditorFacts): DocumentDiagnostic[] {
  if (!listening) return [];
  return outline.services.flatMap(({ name, local, path }): DocumentDiagnostic[] => {
    const port = local && localPort(local.text);
    if (port === undefined || listening.has(port)) return [];
    const message = t(
      "Nothing is listening on port {0}: {1} is not running on this machine.",
      String(port),
      name.text,
    );
    return [
      {
        code: "nothing-listens",
        severity: "hint",
        message,
        path: [...path, "local"],
        start: local!.node.start,
        end: local!.node.end,
      },
    ];
  });
}

function missingFiles({ outline }: DocumentModel, facts: EditorFacts): DocumentDiagnostic[] {
  return outline.overrides.flatMap(({ path, file }): DocumentDiagnostic[] => {
    if (!file || !facts.missingFiles.has(file.text)) return [];
    const message = t(
      "There is no file {0} beside linkup.yaml: requests that the override matches get 502.",
      file.text,
    );
    const { start, end } = file.node;
    return [
      {
        code: "missing-file",
        severity: "warning",
        message,
        path: [...path, "respond", "file"],
        start,
        end,
      },
    ];
  });
}

function token({ tree }: DocumentModel, { tracked }: EditorFacts): DocumentDiagnostic[] {
  const node = tree.resolved(tree.node(["linkup", "worker_token"]));
  if (!tracked || node?.kind !== "scalar" || typeof node.value !== "string") return [];
  if (/^\s*(\$\{env:[^}]*\}\s*)*$/.test(node.value)) return [];
  const message = t(
    "This file is under version control, and so is the token in it: anyone who can read the file can use your Worker.",
  );
  const { start, end } = node;
  return [
    { code: "token-in-file", severity: "warning", message, path: ["linkup", "worker_token"], start, end },
  ];
}

/** The hint about a domain that is a session's address becomes a warning once that session exists. */
function withSessions(
  { text }: DocumentModel,
  { sessionNames }: EditorFacts,
  found: DocumentDiagnostic[],
): DocumentDiagnostic[] {
  if (sessionNames.length === 0) return found;
  return found.map((finding) => {
    if (finding.code !== "session-domain" || finding.severity !== "hint") return finding;
    const label = text.slice(finding.start, finding.end).replace(/^['"]/, "").split(".")[0]!;
    if (!sessionNames.includes(label)) return finding;
    const message = t("The session {0} has this address: requests to this domain reach it instead.", label);
    return { ...finding, severity: "warning", message };
  });
}
