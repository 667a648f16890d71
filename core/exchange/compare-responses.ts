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
const MAX_DEPTH = 100;

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
  if (here && there) return jsonDifferences(here.json, there.json, ignore.map(placeTest));
  const [text, other] = [bodyText(local), bodyText(remote)];
  if (text === other) return [];
  return [{ where: "body", path: "", local: sizeText(local), remote: sizeText(remote) }];
}

function jsonDifferences(local: unknown, remote: unknown, ignored: PlaceTest[]): Difference[] {
  // Wrapped, because a body may be a bare value, or an array where the other is an object.
  return microdiff({ body: remote }, { body: local })
    .map((difference) => ({
      where: "body" as const,
      path: placeOf(difference.path.slice(1)),
      local: difference.type === "REMOVE" ? null : shortened(difference.value),
      remote: difference.type === "CREATE" ? null : shortened(difference.oldValue),
    }))
    .filter(({ path }) => !ignored.some((test) => test(path)))
    .sort((one, other) => one.path.localeCompare(other.path, "en", { numeric: true }))
    .slice(0, MAX_DIFFERENCES);
}

function placeOf(steps: (string | number)[]): string {
  return steps
    .map((step) => (typeof step === "number" ? `[${step}]` : `.${step}`))
    .join("")
    .replace(/^\./, "");
}

type PlaceTest = (path: string) => boolean;

/**
 * `items.*.id` and `items[*].id` are the same. What is below an ignored place is ignored as well. The steps are walked once:
 * a regular expression with several `**` would try each way to share a deep place among them.
 */
function placeTest(place: string): PlaceTest {
  const pattern = stepsOf(place.replace(/^\$\.?/, ""));
  /** Where in the pattern one may be after a step: `**` also stands for none. */
  const reached = (indices: Iterable<number>): Set<number> => {
    const all = new Set(indices);
    for (const index of all) if (pattern[index] === "**") all.add(index + 1);
    return all;
  };
  return (path) => {
    let at = reached([0]);
    for (const step of stepsOf(path)) {
      if (at.has(pattern.length)) return true;
      const next: number[] = [];
      for (const index of at) {
        const wanted = pattern[index];
        if (wanted === "**") next.push(index);
        else if (wanted === "*" || wanted === step) next.push(index + 1);
      }
      at = reached(next);
    }
    return at.has(pattern.length);
  };
}

function stepsOf(place: string): string[] {
  return place.replaceAll("[", ".").replaceAll("]", "").split(".").filter(Boolean);
}

function jsonOf({ body, headers }: ReplayResponse): { json: unknown } | undefined {
  const type = headers.find(([name]) => name.toLowerCase() === "content-type")?.[1] ?? "";
  if (!/\bjson\b/i.test(type) || body?.text === undefined || body.cut || isDeep(body.text)) return undefined;
  try {
    return { json: JSON.parse(body.text) };
  } catch {
    return undefined;
  }
}

/** JSON that is nested deeper than it can be walked: then it is compared as text. Brackets in strings count as well. */
export function isDeep(json: string): boolean {
  let depth = 0;
  for (let at = 0; at < json.length; at++) {
    const character = json.charCodeAt(at);
    if (character === 0x5b || character === 0x7b) depth++;
    else if (character === 0x5d || character === 0x7d) depth--;
    if (depth > MAX_DEPTH) return true;
  }
  return false;
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
