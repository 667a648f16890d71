/** The folders that a monorepo names as its packages: by package.json (npm, Yarn, Bun) and pnpm-workspace.yaml. Pure. */
import { parse } from "yaml";

/** Whether a folder, relative to the workspace with `/`, is a package, or may have one below it. */
export type IsWorkspace = (folder: string) => boolean;

export function workspacesOf(
  packageJson: string | undefined,
  pnpmWorkspace: string | undefined,
): IsWorkspace {
  const globs = [...listIn(packageJson, "workspaces"), ...listIn(pnpmWorkspace, "packages")];
  const patterns = globs
    .filter((glob) => !glob.startsWith("!"))
    .map((glob) => glob.replace(/^\.\//, "").split("/").filter(Boolean));
  return (folder) => {
    const parts = folder.split("/");
    return patterns.some((pattern) => leadsTo(pattern, parts));
  };
}

/** True when the folder fits the pattern, or the beginning of it. */
function leadsTo(pattern: readonly string[], parts: readonly string[]): boolean {
  for (const [i, part] of parts.entries()) {
    if (pattern[i] === "**") return true;
    if (pattern[i] === undefined || !fits(pattern[i], part)) return false;
  }
  return true;
}

function fits(pattern: string, part: string): boolean {
  const [before = "", ...rest] = pattern.split("*");
  if (rest.length === 0) return pattern === part;
  return part.startsWith(before) && part.endsWith(rest.at(-1)!) && !part.startsWith(".");
}

/** `text` is JSON or YAML, with a list of globs under the key, or under `packages` of it. */
function listIn(text: string | undefined, key: string): string[] {
  let value: unknown;
  try {
    value = (parse(text ?? "") as Record<string, unknown> | null)?.[key];
  } catch {
    return [];
  }
  const list = Array.isArray(value) ? value : (value as { packages?: unknown } | null | undefined)?.packages;
  return Array.isArray(list) ? list.filter((glob) => typeof glob === "string") : [];
}
