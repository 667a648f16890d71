/** Responses as documents that cannot be changed: in memory, and never in a file. */
import * as vscode from "vscode";
import type { CapturedBody } from "../../core/api/request-log-api.ts";
import { isDeep } from "../../core/exchange/compare-responses.ts";

const SCHEME = "linkup-response";
/** Documents that VS Code may still show. */
const MAX_DOCUMENTS = 200;
/** What VS Code shows as pictures, two of them beside each other. */
const IMAGES: Readonly<Record<string, string>> = {
  "image/png": "png",
  "image/jpeg": "jpg",
  "image/gif": "gif",
  "image/webp": "webp",
  "image/avif": "avif",
  "image/bmp": "bmp",
};

export interface ShownResponse {
  status: number;
  url: string;
  headers: [string, string][];
  body: CapturedBody | null;
}

const contents = new Map<string, { bytes: Uint8Array; made: number }>();
let _registered: vscode.Disposable | undefined;
let count = 0;

/** Status, headers and body as text. `name`: what the tab says. */
export function responseDocument(name: string, response: ShownResponse): vscode.Uri {
  return documentOf(name, isJson(response) ? "json" : "txt", Buffer.from(responseText(response)));
}

/** The body of a response that is a whole image; else undefined. */
export function imageDocument(name: string, response: ShownResponse): vscode.Uri | undefined {
  const header = response.headers.find(([name]) => name.toLowerCase() === "content-type")?.[1] ?? "";
  const extension = IMAGES[header.replace(/[;\s].*$/s, "").toLowerCase()];
  const { base64, cut } = response.body ?? { cut: true };
  if (extension === undefined || base64 === undefined || cut) return undefined;
  return documentOf(name, extension, Buffer.from(base64, "base64"));
}

function documentOf(name: string, extension: string, bytes: Uint8Array): vscode.Uri {
  _registered ??= vscode.workspace.registerFileSystemProvider(SCHEME, new ResponseFiles(), {
    isReadonly: true,
  });
  // A path of a request may end in the extension.
  const bare = name.toLowerCase().endsWith(`.${extension}`) ? name.slice(0, -extension.length - 1) : name;
  const path = `/${++count}/${bare.replaceAll(/[^\w.-]+/g, "_").slice(0, 80)}.${extension}`;
  contents.set(path, { bytes, made: Date.now() });
  if (contents.size > MAX_DOCUMENTS) contents.delete(contents.keys().next().value!);
  return vscode.Uri.from({ scheme: SCHEME, path });
}

class ResponseFiles implements vscode.FileSystemProvider {
  readonly onDidChangeFile = new vscode.EventEmitter<vscode.FileChangeEvent[]>().event;

  stat(uri: vscode.Uri): vscode.FileStat {
    const { bytes, made } = this.#find(uri);
    return { type: vscode.FileType.File, ctime: made, mtime: made, size: bytes.length };
  }

  readFile(uri: vscode.Uri): Uint8Array {
    return this.#find(uri).bytes;
  }

  watch(): vscode.Disposable {
    return { dispose() {} };
  }

  readDirectory(): [string, vscode.FileType][] {
    return [];
  }

  createDirectory = refuse;
  writeFile = refuse;
  delete = refuse;
  rename = refuse;

  #find(uri: vscode.Uri) {
    const found = contents.get(uri.path);
    if (found) return found;
    throw vscode.FileSystemError.FileNotFound(uri);
  }
}

function refuse(): never {
  throw vscode.FileSystemError.NoPermissions();
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
  if (body?.text === undefined || body.cut || isDeep(body.text)) return false;
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
