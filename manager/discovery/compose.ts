/** Services of a Docker Compose file with a published port that may serve HTTP. Pure. */
import { posix } from "node:path";
import { parse } from "yaml";
import { CERTAINTY, type ServiceProposal } from "./found-service.ts";
import { asPort, expand } from "./port.ts";

/** Container ports of programs that do not serve HTTP: mail, databases, queues, caches, debuggers. */
export const NOT_HTTP: ReadonlySet<number> = new Set([
  22, 25, 53, 1025, 1433, 1521, 2181, 3306, 4222, 5432, 5672, 6379, 9042, 9092, 9229, 9230, 9231, 11211,
  24678, 27017,
]);

export function fromCompose(
  text: string,
  directory: string,
  env: Readonly<Record<string, string>>,
): ServiceProposal[] {
  return Object.entries(servicesOf(text)).flatMap(([name, service]) => {
    const ports = asList(service?.ports).flatMap((port) => published(port, env) ?? []);
    const [first] = ports.filter(({ inside }) => !NOT_HTTP.has(inside));
    if (!first) return [];
    const folder = buildFolder(service, directory);
    return [{ name, port: first.outside, certainty: CERTAINTY.stated, directory: folder }];
  });
}

type Service = { ports?: unknown; build?: unknown } | null;

function servicesOf(text: string): Record<string, Service> {
  try {
    // Compose files share parts by `<<`.
    const services = (parse(text, { merge: true }) as { services?: unknown } | null)?.services;
    return typeof services === "object" && services ? (services as Record<string, Service>) : {};
  } catch {
    // Invalid YAML, perhaps half written: no services.
    return {};
  }
}

/** Parses `[HOST:]8000:80[/tcp]`, a range or a map; undefined when it is not published at a fixed port. */
function published(
  port: unknown,
  env: Readonly<Record<string, string>>,
): { outside: number; inside: number } | undefined {
  const long = typeof port === "object" && port !== null ? (port as Record<string, unknown>) : undefined;
  const written = long ? `${long.published ?? ""}:${long.target ?? ""}` : String(port);
  const [, from, target] = /(?:^|:)(\d+)(?:-\d+)?:(\d+)(?:-\d+)?(?:\/tcp)?$/.exec(expand(written, env)) ?? [];
  const [outside, inside] = [asPort(from), asPort(target)];
  return outside && inside && long?.protocol !== "udp" ? { outside, inside } : undefined;
}

/** The folder of its sources, when it is built from this workspace: the context, or where its Dockerfile lies. */
function buildFolder(service: Service, directory: string): string | undefined {
  const build = service?.build;
  const long =
    typeof build === "object" && build ? (build as { context?: unknown; dockerfile?: unknown }) : {};
  const context = typeof build === "object" && build ? (long.context ?? ".") : build;
  if (typeof context !== "string" || /^[\w+.-]+:|^[/~$]/.test(context)) return undefined;
  const dockerfile = typeof long.dockerfile === "string" ? posix.dirname(long.dockerfile) : ".";
  const folder = posix
    .join(directory, context, dockerfile.startsWith("/") ? "." : dockerfile)
    .replace(/\/$/, "");
  return folder.startsWith("..") ? undefined : folder === "." ? "" : folder;
}

function asList(value: unknown): unknown[] {
  return Array.isArray(value) ? value : [];
}
