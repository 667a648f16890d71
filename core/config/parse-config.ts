/** linkup.yaml: parsing it with the position of every problem, and making routing of it. */
import type { Domain, Rewrite, Route } from "../session/session-document.ts";
import { checkMeaning } from "./checks/check-meaning.ts";
import { checkShape } from "./checks/check-shape.ts";
import { type ConfigDiagnostic, DiagnosticCollector } from "./model/config-diagnostic.ts";
import { Positions } from "./yaml/positions.ts";
import { YamlTree } from "./yaml/yaml-tree.ts";

export interface HealthCheck {
  /** Default `/`. */
  path?: string;
  /** The statuses that mean healthy; without them every one below 500. */
  statuses?: number[];
}

export interface ConfigService {
  name: string;
  remote: string;
  local: string;
  /** Relative to the config file. */
  directory?: string;
  rewrites: Rewrite[];
  health: HealthCheck;
  preserve_host?: boolean;
}

export interface Config {
  linkup: { worker_url: string; worker_token?: string; cache_routes: string[] };
  services: ConfigService[];
  domains: Domain[];
}

export interface ParsedConfig {
  /** Undefined when there is at least one error. */
  readonly config: Config | undefined;
  /** All of them, in the order of the file. */
  diagnostics: ConfigDiagnostic[];
  /** What stands where in the text. */
  positions: Positions;
}

/**
 * Parses and checks linkup.yaml. Never throws: everything that is wrong with the text is in `problems`.
 * With the result for the text before an edit, only what the edit touched is read again.
 */
export function parseConfig(text: string, previous?: ParsedConfig): ParsedConfig {
  const tree = new YamlTree(text, previous?.positions.tree);
  const positions = new Positions(tree);
  const problems = new DiagnosticCollector(positions);

  for (const { code, severity, message, start, end, suggestion, related } of tree.diagnostics)
    problems.error(code, [], message, {
      severity,
      range: positions.range(start, end),
      ...(suggestion === undefined ? {} : { suggestion }),
      ...(related
        ? { related: { message: related.message, range: positions.range(related.start, related.end) } }
        : {}),
    });

  const value = tree.value();
  if (value !== null && value !== undefined) {
    checkShape(problems, value);
    checkMeaning(problems, value);
  } else if (!tree.diagnostics.some(({ severity }) => severity === "error")) {
    problems.error("missing-key", [], "The file is empty. It needs the keys linkup, services and domains.");
  }

  const list = problems.list;
  const broken = list.some(({ severity }) => severity === "error");
  let config: Config | undefined;
  return {
    // Made when it is asked for, which an editor never does.
    get config() {
      if (!broken) config ??= fromChecked(value as CheckedFile);
      return config;
    },
    diagnostics: list,
    positions,
  };
}

/** A file without errors: optional keys may still be null. */
interface CheckedFile {
  linkup: { worker_url: string; worker_token?: string | null; cache_routes?: string[] | null };
  services: {
    name: string;
    remote: string;
    local: string;
    directory?: string | null;
    rewrites?: Rewrite[] | null;
    health?: { path?: string | null; statuses?: number[] | null } | null;
    preserve_host?: boolean | null;
  }[];
  domains: { domain: string; default_service: string; routes?: Route[] | null }[];
}

function fromChecked(file: CheckedFile): Config {
  const { worker_url, worker_token, cache_routes } = file.linkup;
  return {
    linkup: { worker_url, ...present({ worker_token }), cache_routes: cache_routes ?? [] },
    services: file.services.map(({ name, remote, local, directory, rewrites, health, preserve_host }) => ({
      name,
      remote,
      local,
      ...present({ directory, preserve_host }),
      rewrites: (rewrites ?? []).map(({ source, target }) => ({ source, target })),
      health: present({ path: health?.path, statuses: health?.statuses }),
    })),
    domains: file.domains.map(({ domain, default_service, routes }) => ({
      domain,
      default_service,
      routes: (routes ?? []).map(({ path, service }) => ({ path, service })),
    })),
  };
}

/** The members that are neither null nor undefined. */
function present<T extends object>(members: T): { [K in keyof T]?: NonNullable<T[K]> } {
  return Object.fromEntries(
    Object.entries(members).filter(([, value]) => value !== null && value !== undefined),
  ) as {
    [K in keyof T]?: NonNullable<T[K]>;
  };
}

export { routingOf, type Target } from "./model/config-model.ts";

/**
 * Replaces every `${env:NAME}` by that variable's value. The names of variables that are not set come back
 * as `missing`, and the text is then undefined.
 */
export function expandEnv(
  text: string,
  env: Record<string, string | undefined>,
): { text: string | undefined; missing: string[] } {
  const missing: string[] = [];
  const expanded = text.replace(/\$\{env:([^}]*)\}/g, (_, name: string) => {
    const value = env[name];
    if (value === undefined || value === "") missing.push(name);
    return value ?? "";
  });
  return { text: missing.length === 0 ? expanded : undefined, missing };
}
