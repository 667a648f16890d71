/** Names and tokens that YAML reads as numbers: `worker_token: 0123`. They are meant as they are written. */
import type { Path, YamlNode } from "../yaml/yaml-node.ts";

/** What this needs of the parsed text. */
interface Source {
  text: string;
  node(path: Path): YamlNode | undefined;
  resolved(node: YamlNode | undefined): YamlNode | undefined;
}

/** Replaces the numbers at the places of names and tokens by their text. */
export function numbersAsText(value: unknown, source: Source): void {
  const replace = (parent: unknown, path: Path, key: string) => {
    const number = memberOf(parent, key);
    if (typeof number !== "number" && typeof number !== "bigint") return;
    const node = source.resolved(source.node([...path, key]));
    if (node) (parent as Record<string, unknown>)[key] = source.text.slice(node.start, node.end);
  };
  replace(memberOf(value, "linkup"), ["linkup"], "worker_token");
  for (const [i, service] of listAt(value, "services")) replace(service, ["services", i], "name");
  for (const [i, domain] of listAt(value, "domains")) {
    replace(domain, ["domains", i], "default_service");
    for (const [r, route] of listAt(domain, "routes")) replace(route, ["domains", i, "routes", r], "service");
  }
}

function listAt(parent: unknown, key: string): Iterable<[number, unknown]> {
  const list = memberOf(parent, key);
  return Array.isArray(list) ? list.entries() : [];
}

function memberOf(parent: unknown, key: string): unknown {
  if (typeof parent !== "object" || parent === null || !Object.hasOwn(parent, key)) return undefined;
  return (parent as Record<string, unknown>)[key];
}
