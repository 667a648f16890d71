/** What a deployment changes in linkup.yaml: the Worker's URL, and a domain for each zone that has none. Pure. */
import type { ParsedConfig } from "../../core/config/parse-config.ts";

export interface TextChange {
  start: { line: number; column: number };
  end: { line: number; column: number };
  text: string;
}

export interface DeploymentChanges {
  changes: TextChange[];
  /** The domains that are added. */
  domains: string[];
}

/** `source`: the file's text, which `parsed` is of. */
export function deploymentChanges(
  source: string,
  { config, positions }: Pick<ParsedConfig, "config" | "positions">,
  workerUrl: string,
  zones: readonly string[],
): DeploymentChanges {
  const lines = source.split("\n");
  const changes: TextChange[] = [];
  const url = positions.value(["linkup", "worker_url"]);
  const written =
    url.start.line === url.end.line ? lines[url.start.line]!.slice(url.start.column, url.end.column) : "";
  if (/^\S+$/.test(written) && written.replace(/\/$/, "") !== workerUrl)
    changes.push({ ...url, text: workerUrl });

  const [first] = config?.domains ?? [];
  const missing = zones.filter(
    (zone) => !config?.domains.some(({ domain }) => domain === zone || domain.endsWith(`.${zone}`)),
  );
  const item = positions.value(["domains", 0]).start;
  // Only into a list of the usual form, one item below the other.
  const isBlock = first !== undefined && /^ *- $/.test(lines[item.line]?.slice(0, item.column) ?? "");
  const domains = isBlock ? missing : [];
  if (first && domains.length > 0) {
    const start = { line: item.line, column: item.column - "- ".length };
    const indent = " ".repeat(start.column);
    const text = domains
      .map((zone) => `- domain: ${zone}\n${indent}  default_service: ${first.default_service}\n${indent}`)
      .join("");
    changes.push({ start, end: start, text });
  }
  return { changes, domains };
}
