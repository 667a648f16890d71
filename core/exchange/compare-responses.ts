/** Compares what two copies of a service answered to the same request. */
import microdiff from "microdiff";
import type { ReplayResponse } from "../api/request-log-api.ts";

/** What is the same in both is not listed; null: missing on that side. */
export interface Difference {
  where: "status" | "header" | "body";
  /** The header's name, or the place in a JSON body: `items[2].id`; empty for the status and for other bodies. */
  path: string;
  local: string | null;
  remote: string | null;
}

/** Headers whose difference is seen by clients. Dates, servers and lengths differ always. */
const COMPARED_HEADERS: ReadonlySet<string> = new Set([
  "access-control-allow-credentials",
  "access-control-allow-headers",
  "access-control-allow-methods",
  "access-control-allow-origin",
  "cache-control",
  "content-disposition",
  "content-language",
  "content-type",
  "location",
  "set-cookie",
  "www-authenticate",
]);
/** Differences of one body, and characters of a value, that are listed. */
const MAX_DIFFERENCES = 50;
const MAX_VALUE = 200;

/**
 * `ignore`: places of JSON bodies (`updatedAt`, `items.*.id`, `**.requestId`: `*` stands for one step, `**` for any number),
 * and headers (`header:etag`), which may differ.
 */
export function compareResponses(
  local: ReplayResponse,
  remote: ReplayResponse,
  ignore: readonly string[] = [],
): Difference[] {
  const differences: Difference[] = [];
  if (local.status !== remote.status)
    differences.push({
      where: "status",
      path: "",
      local: String(local.status),
      remote: String(remote.status),
    });
  return [
    ...differences,
    ...headerDifferences(local, remote, ignore),
    ...bodyDifferences(local, remote, ignore),
  ];
}

function headerDifferences(
  local: ReplayResponse,
  remote: ReplayResponse,
  ignore: readonly string[],
): Difference[] {
  const ignored = new Set(
    ignore.filter((path) => path.startsWith("header:")).map((path) => path.slice(7).toLowerCase()),
  );
  return [...COMPARED_HEADERS].flatMap((name) => {
    if (ignored.has(name)) return [];
    const [here, there] = [headerOf(local, name), headerOf(remote, name)];
    return here === there ? [] : [{ where: "header", path: name, local: here, remote: there }];
  });
}

/** All lines, sorted, without the copy's own address. */
function headerOf({ headers, url }: ReplayResponse, name: string): string | null {
  const values = headers.filter(([header]) => header.toLowerCase() === name).map(([, value]) => value);
  if (values.length === 0) return null;
  const origin = URL.canParse(url) ? new URL(url).origin : url;
  return values.sort().join("\n").replaceAll(origin, "");
}

function bodyDifferences(
  local: ReplayResponse,
  remote: ReplayResponse,
  ignore: readonly string[],
): Difference[] {
  const [here, there] = [jsonOf(local), jsonOf(remote)];
  if (here && there) return jsonDifferences(here.json, there.json, ignore.map(placePattern));
  const [text, other] = [bodyText(local), bodyText(remote)];
  if (text === other) return [];
  return [{ where: "body", path: "", local: sizeText(local), remote: sizeText(remote) }];
}

function jsonDifferences(local: unknown, remote: unknown, ignored: RegExp[]): Difference[] {
  // Wrapped, because a body may be a bare value, or an array where the other is an object.
  return microdiff({ body: remote }, { body: local })
    .map((difference) => ({
      where: "body" as const,
      path: placeOf(difference.path.slice(1)),
      local: difference.type === "REMOVE" ? null : shortened(difference.value),
      remote: difference.type === "CREATE" ? null : shortened(difference.oldValue),
    }))
    .filter(({ path }) => !ignored.some((pattern) => pattern.test(path)))
    .sort((one, other) => one.path.localeCompare(other.path, "en", { numeric: true }))
    .slice(0, MAX_DIFFERENCES);
}

function placeOf(steps: (string | number)[]): string {
  return steps
    .map((step) => (typeof step === "number" ? `[${step}]` : `.${step}`))
    .join("")
    .replace(/^\./, "");
}

/** `items.*.id` and `items[*].id` are the same. What is below an ignored place is ignored as well. */
function placePattern(place: string): RegExp {
  const steps = place
    .replace(/^\$\.?/, "")
    .replaceAll("[", ".")
    .replaceAll("]", "")
    .split(".")
    .filter(Boolean);
  const step = (word: string) =>
    word === "*"
      ? String.raw`(?:\.[^.[\]]+|\[\d+\])`
      : String.raw`(?:\.${escaped(word)}|\[${escaped(word)}\])`;
  const pattern = steps.map((word) => (word === "**" ? String.raw`(?:\.[^.[\]]+|\[\d+\])*` : step(word)));
  // As if each place began with a dot.
  return {
    test: (path: string) => new RegExp(`^${pattern.join("")}(?:[.[]|$)`).test(dotted(path)),
  } as RegExp;
}

function dotted(path: string): string {
  return path.startsWith("[") ? path : `.${path}`;
}

function escaped(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|]/g, "\\$&");
}

function jsonOf({ body, headers }: ReplayResponse): { json: unknown } | undefined {
  const type = headers.find(([name]) => name.toLowerCase() === "content-type")?.[1] ?? "";
  if (!/\bjson\b/i.test(type) || body?.text === undefined || body.cut) return undefined;
  try {
    return { json: JSON.parse(body.text) };
  } catch {
    return undefined;
  }
}

function bodyText({ body }: ReplayResponse): string {
  return body === null ? "" : (body.text ?? body.base64 ?? "");
}

function sizeText(response: ReplayResponse): string | null {
  const { body } = response;
  if (body === null) return null;
  return body.text === undefined
    ? `${Math.floor((body.base64!.length * 3) / 4)} bytes`
    : shortened(body.text);
}

function shortened(value: unknown): string {
  const text = typeof value === "string" ? value : (JSON.stringify(value) ?? "");
  return text.length <= MAX_VALUE ? text : `${text.slice(0, MAX_VALUE)}…`;
}
