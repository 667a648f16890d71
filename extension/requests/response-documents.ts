/** Responses as documents that cannot be changed: in memory, and never in a file. */
import * as vscode from "vscode";
import type { CapturedBody } from "../../core/api/request-log-api.ts";

const SCHEME = "linkup-response";
/** Documents that VS Code may still show. */
const MAX_DOCUMENTS = 200;

export interface ShownResponse {
  status: number;
  url: string;
  headers: [string, string][];
  body: CapturedBody | null;
}

const texts = new Map<string, string>();
let _registered: vscode.Disposable | undefined;
let count = 0;

/** `name`: what the tab says. */
export function responseDocument(name: string, response: ShownResponse): vscode.Uri {
  _registered ??= vscode.workspace.registerTextDocumentContentProvider(SCHEME, {
    provideTextDocumentContent: ({ path }) => texts.get(path) ?? "",
  });
  const extension = isJson(response) ? "json" : "txt";
  const path = `/${++count}/${name.replaceAll(/[^\w.-]+/g, "_").slice(0, 80)}.${extension}`;
  texts.set(path, responseText(response));
  if (texts.size > MAX_DOCUMENTS) texts.delete(texts.keys().next().value!);
  return vscode.Uri.from({ scheme: SCHEME, path });
}

/** Headers as comments before a body of JSON, whose keys are sorted: their order tells nothing. */
function responseText(response: ShownResponse): string {
  const { status, url, headers, body } = response;
  const mark = isJson(response) ? "// " : "";
  const head = [
    `${status}  ${url}`,
    ...headers.map(([name, value]) => `${name.toLowerCase()}: ${value}`).sort(),
  ];
  const text = isJson(response)
    ? JSON.stringify(sorted(JSON.parse(body!.text!)), null, 2)
    : (body?.text ?? body?.base64?.replace(/(.{76})/g, "$1\n") ?? "");
  return `${head.map((line) => mark + line.replace(/[\r\n]+/g, " ")).join("\n")}\n\n${text}\n`;
}

function isJson({ body }: ShownResponse): boolean {
  if (body?.text === undefined || body.cut) return false;
  try {
    JSON.parse(body.text);
    return true;
  } catch {
    return false;
  }
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== "object" || value === null) return value;
  const members = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(members.map(([key, member]) => [key, sorted(member)]));
}
