/** Quick fixes for missing keys and invalid values. */
import { keyInfoAt } from "../../../core/config/model/schema-keys.ts";
import type { Path } from "../../../core/config/yaml/yaml-node.ts";
import { t } from "../../words.ts";
import type { DocumentModel } from "../document/document-model.ts";
import { insertKey, scalar } from "../document/edits.ts";
import type { DocumentDiagnostic } from "./diagnostics.ts";
import { freePort, type QuickFix, scalarAt } from "./quick-fix.ts";

export function missingKey(model: DocumentModel, { path }: DocumentDiagnostic): QuickFix[] {
  const key = String(path.at(-1));
  const parent = path.length > 1 ? model.tree.resolved(model.tree.node(path.slice(0, -1))) : model.tree.root;
  if (path.length === 0 || (parent === undefined && path.length === 1)) return [];
  if (parent?.kind !== "map" || parent.pairs.length === 0) return [];
  const edit = insertKey(
    model.text,
    parent,
    key,
    (parent.flow ? FLOW_VALUES[key] : VALUES[key]) ?? fittingValue(model, path) ?? example(path),
  );
  return [{ title: t('Add the key "{0}"', key), edits: [edit] }];
}

/** A value that fits this file: the schema's examples may be another service's or domain's in it. */
function fittingValue(model: DocumentModel, path: Path): string | undefined {
  const { services, domains } = model.outline;
  const [section, index] = path;
  const key = path.at(-1);
  if (key === "default_service" || key === "service") return services[0] && scalar(services[0].name.text);
  if (section === "domains" && key === "domain")
    return unused(
      ["example.com", "example.org", "example.net"],
      domains.map(({ domain }) => domain.text),
    );
  if (section !== "services" || path.length !== 3) return undefined;
  if (key === "local") return `http://localhost:${freePort(model, 3000)}`;
  if (key === "name") {
    const remote = String(scalarAt(model, ["services", index!, "remote"])?.value ?? "");
    return unused(
      [hostnameOf(remote)?.split(".")[0] || "service"],
      services.map(({ name }) => name.text),
    );
  }
  if (key !== "remote") return undefined;
  const label = services
    .find((service) => service.path[1] === index)
    ?.name.text.toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, "-")
    .replaceAll(/^-|-$/g, "");
  const remotes = services.map(({ remote }) => hostnameOf(remote?.text ?? ""));
  return `https://${unused([`${label || "service"}.example.com`], remotes)}`;
}

function hostnameOf(url: string): string | undefined {
  return URL.canParse(url) ? new URL(url).hostname : undefined;
}

/** The first that is not used, else the last with a number. */
function unused(names: readonly string[], used: readonly (string | undefined)[]): string {
  const free = names.find((name) => !used.includes(name));
  if (free !== undefined) return free;
  const [first, ...rest] = names.at(-1)!.split(".");
  let number = 2;
  const numbered = () => [`${first}-${number}`, ...rest].join(".");
  while (used.includes(numbered())) number++;
  return numbered();
}

/** What any other new key is given: the schema's first example. */
function example(path: Path): string {
  const [first] = keyInfoAt(path)?.examples ?? [];
  return typeof first === "string" ? scalar(first) : "";
}

const VALUES: Readonly<Record<string, string>> = {
  linkup: "\n  worker_url: https://linkup.example.com",
  services: "\n  - name: web\n    remote: https://web.example.com\n    local: http://localhost:3000",
  domains: "\n  - domain: example.com\n    default_service: web",
};
const FLOW_VALUES: Readonly<Record<string, string>> = {
  linkup: "{ worker_url: https://linkup.example.com }",
  services: "[{ name: web, remote: https://web.example.com, local: http://localhost:3000 }]",
  domains: "[{ domain: example.com, default_service: web }]",
};

export function wrongValue(model: DocumentModel, { path, start, end }: DocumentDiagnostic): QuickFix[] {
  const node = model.tree.resolved(model.tree.node(path));
  if (node?.kind !== "scalar") return [];
  const info = keyInfoAt(path);
  const text = model.text.slice(start, end);
  const value = node.value;
  const change = (to: string): QuickFix => ({
    title: t('Change to "{0}"', to),
    edits: [{ start, end, text: to }],
  });
  const key = path.at(-1);
  if (key === "remote" || key === "local" || key === "worker_url") {
    if (typeof value === "number" && key === "local") return [change(`http://localhost:${value}`)];
    if (typeof value !== "string") return [];
    const host = value.replace(/^[a-z]*:?\/+/i, "").replace(/^:(?=\d)/, "localhost:");
    if (/^\d+$/.test(host) && key === "local") return [change(`http://localhost:${host}`)];
    const near = key === "local" || /^(localhost|127\.)/.test(host);
    const url = `${near ? "http" : "https"}://${host}`;
    return host !== "" && URL.canParse(url) && !/\s/.test(host) ? [change(scalar(url, node.style))] : [];
  }
  if (info?.kind === "boolean") {
    const means = { yes: "true", on: "true", no: "false", off: "false", true: "true", false: "false" }[
      String(value).toLowerCase()
    ];
    return means ? [change(means)] : [];
  }
  if (info?.kind === "list" && value !== null && !/\n/.test(text)) return [change(`[${text}]`)];
  if (path.at(-2) === "statuses" && typeof value === "string" && /^[1-5]\d\d$/.test(value))
    return [change(value)];
  if (info?.kind === "text" && (typeof value === "number" || typeof value === "boolean"))
    return [change(JSON.stringify(text))];
  return [];
}
