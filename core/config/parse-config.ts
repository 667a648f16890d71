/** Parses and checks linkup.yaml. */

import type { FixedResponse, InjectedFault } from "../session/override-action.ts";
import type { Rewrite, Route, SessionAccess } from "../session/session-document.ts";
import { text } from "../text.ts";
import { checkMeaning } from "./checks/check-meaning.ts";
import { checkShape } from "./checks/check-shape.ts";
import { numbersAsText } from "./checks/numbers-as-text.ts";
import { type ConfigDiagnostic, DiagnosticCollector } from "./model/config-diagnostic.ts";
import { CONFIG_MESSAGES } from "./model/config-messages.ts";
import type { Config } from "./model/config-model.ts";
import type { ConfigOverride } from "./model/overrides-of.ts";
import { Positions } from "./yaml/positions.ts";
import { YamlTree } from "./yaml/yaml-tree.ts";

export interface ParsedConfig {
  /** Undefined when there is at least one error. */
  readonly config: Config | undefined;
  /** In the order of the file; at most a few hundred. */
  diagnostics: ConfigDiagnostic[];
  /** The places of values in the text. */
  positions: Positions;
}

/**
 * Parses and checks linkup.yaml. Never throws: everything wrong with the text is in `diagnostics`.
 * With the result for the text before an edit, only what the edit changed is parsed again.
 */
export function parseConfig(source: string, previous?: ParsedConfig): ParsedConfig {
  const tree = new YamlTree(source, previous?.positions.tree);
  const positions = new Positions(tree);
  const collector = new DiagnosticCollector(positions);

  for (const { code, severity, text: message, start, end, suggestion, related } of tree.diagnostics)
    collector[severity](code, [], message, {
      range: positions.range(start, end),
      suggestion,
      ...(related
        ? { related: { text: related.text, range: positions.range(related.start, related.end) } }
        : {}),
    });

  const value = tree.value();
  if (value !== null && value !== undefined) {
    numbersAsText(value, tree);
    checkShape(collector, value);
    checkMeaning(collector, value);
  } else if (!collector.hasErrors) {
    collector.error("missing-key", [], text(CONFIG_MESSAGES.emptyFile));
  }

  let config: Config | undefined;
  return {
    // Created on demand: an editor never asks for it.
    get config() {
      if (!collector.hasErrors) config ??= configFrom(value as CheckedFile);
      return config;
    },
    diagnostics: collector.list,
    positions,
  };
}

/** A file without errors: optional keys may still be null. */
interface CheckedFile {
  linkup: {
    worker_url: string;
    worker_token?: string | null;
    access?: SessionAccess | { mode: SessionAccess; open?: string[] | null } | null;
    cache_routes?: string[] | null;
    session_cookie?: boolean | null;
    baggage?: boolean | null;
  };
  services: {
    name: string;
    remote: string;
    local: string;
    targets?: Record<string, string> | null;
    target?: string | null;
    directory?: string | null;
    run?: string | null;
    rewrites?: Rewrite[] | null;
    health?: { path?: string | null; statuses?: number[] | null } | null;
    preserve_host?: boolean | null;
    fallthrough?: boolean | null;
  }[];
  domains: { domain: string; default_service: string; routes?: Route[] | null }[];
  defaults?: { target?: string | null } | null;
  overrides?: CheckedOverride[] | null;
  compare?: { ignore?: string[] | null } | null;
}

type Nullable<T> = { [K in keyof T]?: T[K] | null };

interface CheckedOverride extends Nullable<Omit<ConfigOverride, "name" | "when" | "respond" | "fault">> {
  name: string;
  when?: {
    path?: string | null;
    method?: string | null;
    header?: Record<string, string> | null;
  } | null;
  respond?: Nullable<FixedResponse> | null;
  fault?: Nullable<InjectedFault> | null;
}

function configFrom(file: CheckedFile): Config {
  const { worker_url, worker_token, cache_routes, session_cookie, baggage, access } = file.linkup;
  return {
    linkup: {
      worker_url,
      ...present({ worker_token, session_cookie, baggage, ...accessFrom(access) }),
      cache_routes: cache_routes ?? [],
    },
    services: file.services.map(
      ({
        name,
        remote,
        local,
        targets,
        target,
        directory,
        run,
        rewrites,
        health,
        preserve_host,
        fallthrough,
      }) => ({
        name,
        remote,
        local,
        ...present({ targets, target, directory, run, preserve_host, fallthrough }),
        rewrites: (rewrites ?? []).map(({ source, target }) => ({ source, target })),
        health: present({ path: rooted(health?.path), statuses: health?.statuses }),
      }),
    ),
    domains: file.domains.map(({ domain, default_service, routes }) => ({
      domain,
      default_service,
      routes: (routes ?? []).map(({ path, service }) => ({ path, service })),
    })),
    ...(file.defaults?.target ? { defaults: { target: file.defaults.target } } : {}),
    ...(file.overrides?.length ? { overrides: file.overrides.map(overrideFrom) } : {}),
    ...(file.compare?.ignore ? { compare: { ignore: [...file.compare.ignore] } } : {}),
  };
}

function overrideFrom({ name, when, respond, fault, ...rest }: CheckedOverride): ConfigOverride {
  const methods = when?.method?.split(",");
  return {
    name,
    ...present(rest),
    when: present({
      path: when?.path,
      methods: methods?.map((each) => each.trim().toUpperCase()),
      headers: when?.header,
    }),
    ...(respond ? { respond: present(respond) } : {}),
    ...(fault ? { fault: present(fault) } : {}),
  };
}

function accessFrom(access: CheckedFile["linkup"]["access"]) {
  if (typeof access !== "object" || access === null) return { access };
  return { access: access.mode, access_open: access.open };
}

/** `healthz` means `/healthz`. */
function rooted(path: string | null | undefined): string | null | undefined {
  return typeof path === "string" && !path.startsWith("/") ? `/${path}` : path;
}

/** The members that are neither null nor undefined. */
function present<T extends object>(members: T): { [K in keyof T]?: NonNullable<T[K]> } {
  return Object.fromEntries(
    Object.entries(members).filter(([, value]) => value !== null && value !== undefined),
  ) as {
    [K in keyof T]?: NonNullable<T[K]>;
  };
}
