/** The services, domains and overrides of a file, with their nodes: also of a file with errors, as far as they can be read. */
import type { MapNode, Path, ScalarNode, YamlNode } from "../../../core/config/yaml/yaml-node.ts";
import type { YamlTree } from "../../../core/config/yaml/yaml-tree.ts";

/** A text in the file. The node is where it is written, which for an alias is elsewhere. */
export interface TextOccurrence {
  text: string;
  node: ScalarNode;
}

export interface ServiceItem {
  path: Path;
  node: MapNode;
  name: TextOccurrence;
  local: TextOccurrence | undefined;
  remote: TextOccurrence | undefined;
  /** Further ones, by name. */
  targets: { name: TextOccurrence; url: string }[];
  /** Where it is in a new session. */
  target: TextOccurrence | undefined;
  rewrites: { node: MapNode; source: TextOccurrence; target: string }[];
}

export interface RouteItem {
  path: Path;
  node: MapNode;
  pattern: TextOccurrence;
  service: TextOccurrence | undefined;
}

export interface DomainItem {
  path: Path;
  node: MapNode;
  domain: TextOccurrence;
  defaultService: TextOccurrence | undefined;
  routes: RouteItem[];
}

export interface OverrideItem {
  path: Path;
  node: MapNode;
  name: TextOccurrence;
  service: TextOccurrence | undefined;
  target: TextOccurrence | undefined;
  /** Of a response. */
  file: TextOccurrence | undefined;
}

export interface Outline {
  services: ServiceItem[];
  domains: DomainItem[];
  overrides: OverrideItem[];
}

export function outlineOf(tree: YamlTree): Outline {
  const text = (map: MapNode, key: string): TextOccurrence | undefined => {
    const node = tree.resolved(tree.pair(map, key)?.value);
    return node?.kind === "scalar" && typeof node.value === "string" && node.value !== ""
      ? { text: node.value, node }
      : undefined;
  };
  /** The maps in the list that the pair of this key holds, with their place in it. */
  const maps = (parent: YamlNode | undefined, key: string): [MapNode, number][] => {
    const map = tree.resolved(parent);
    const list = map?.kind === "map" ? tree.resolved(tree.pair(map, key)?.value) : undefined;
    if (list?.kind !== "seq") return [];
    return list.items.flatMap((item, i) => {
      const node = tree.resolved(item);
      return node?.kind === "map" ? [[node, i] as [MapNode, number]] : [];
    });
  };

  const services = maps(tree.root, "services").flatMap(([node, i]): ServiceItem[] => {
    const name = text(node, "name");
    if (!name) return [];
    const rewrites = maps(node, "rewrites").flatMap(([rewrite]) => {
      const source = text(rewrite, "source");
      return source ? [{ node: rewrite, source, target: text(rewrite, "target")?.text ?? "" }] : [];
    });
    const targets = tree.resolved(tree.pair(node, "targets")?.value);
    const named = targets?.kind === "map" ? targets.pairs : [];
    return [
      {
        path: ["services", i],
        node,
        name,
        local: text(node, "local"),
        remote: text(node, "remote"),
        targets: named.flatMap(({ key, value }) => {
          const url = tree.resolved(value);
          return url?.kind === "scalar"
            ? [{ name: { text: String(key.value), node: key }, url: String(url.value ?? "") }]
            : [];
        }),
        target: text(node, "target"),
        rewrites,
      },
    ];
  });
  const domains = maps(tree.root, "domains").flatMap(([node, i]): DomainItem[] => {
    const domain = text(node, "domain");
    if (!domain) return [];
    const path = ["domains", i];
    const routes = maps(node, "routes").flatMap(([route, r]): RouteItem[] => {
      const pattern = text(route, "path");
      return pattern
        ? [{ path: [...path, "routes", r], node: route, pattern, service: text(route, "service") }]
        : [];
    });
    return [{ path, node, domain, defaultService: text(node, "default_service"), routes }];
  });
  const overrides = maps(tree.root, "overrides").flatMap(([node, i]): OverrideItem[] => {
    const name = text(node, "name");
    if (!name) return [];
    const respond = tree.resolved(tree.pair(node, "respond")?.value);
    return [
      {
        path: ["overrides", i],
        node,
        name,
        service: text(node, "service"),
        target: text(node, "target"),
        file: respond?.kind === "map" ? text(respond, "file") : undefined,
      },
    ];
  });
  return { services, domains, overrides };
}

/** The places of names, each once. */
export interface Names {
  definitions: TextOccurrence[];
  references: TextOccurrence[];
}

/** Every place that names a service. */
export function serviceNames({ services, domains, overrides }: Outline): Names {
  const once = eachOnce();
  const definitions = services.flatMap(({ name }) => once(name));
  const references = [
    ...domains.flatMap(({ defaultService, routes }) => [
      ...once(defaultService),
      ...routes.flatMap(({ service }) => once(service)),
    ]),
    ...overrides.flatMap(({ service }) => once(service)),
  ];
  return { definitions, references };
}

/** Every place that names a further copy. Several services may have one of the same name: it means the same environment. */
export function targetNames({ services, overrides }: Outline): Names {
  const once = eachOnce();
  const definitions = services.flatMap(({ targets }) => targets.flatMap(({ name }) => once(name)));
  const known = new Set(definitions.map(({ text }) => text));
  const references = [...services, ...overrides]
    .flatMap(({ target }) => once(target))
    .filter(({ text }) => known.has(text));
  return { definitions, references };
}

function eachOnce(): (written: TextOccurrence | undefined) => TextOccurrence[] {
  const seen = new Set<ScalarNode>();
  return (written) => {
    if (!written || seen.has(written.node)) return [];
    seen.add(written.node);
    return [written];
  };
}
