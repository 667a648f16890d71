// A client of the real yaml-language-server, over stdio: what other editors, and VS Code with the YAML extension, show.
import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";

const SERVER = join(
  import.meta.dirname,
  "..",
  "..",
  "..",
  "node_modules",
  "yaml-language-server",
  "bin",
  "yaml-language-server",
);

export interface Report {
  message: string;
  /** 1 is an error, 2 a warning. */
  severity: number;
  range: { start: { line: number; character: number }; end: { line: number; character: number } };
}

interface Message {
  id?: number;
  method?: string;
  params?: unknown;
  result?: unknown;
}

export class LanguageServer {
  readonly #child: ChildProcessWithoutNullStreams;
  /** Rejects when the server ends. */
  readonly #ended: Promise<never>;
  readonly #settings: unknown;
  readonly #reports = new Map<string, (reports: Report[]) => void>();
  readonly #answers = new Map<number, (result: unknown) => void>();
  #input = Buffer.alloc(0);
  #errors = "";
  #count = 0;

  /** @param schema the schema's address, for all files */
  static async start(schema: string): Promise<LanguageServer> {
    const server = new LanguageServer(schema);
    await server.#request("initialize", {
      processId: process.pid,
      rootUri: null,
      capabilities: { workspace: { configuration: true } },
    });
    server.#send({ method: "initialized", params: {} });
    return server;
  }

  private constructor(schema: string) {
    this.#settings = {
      validate: true,
      hover: true,
      completion: true,
      schemaStore: { enable: false },
      schemas: { [schema]: ["*.yaml"] },
    };
    this.#child = spawn(process.execPath, [SERVER, "--stdio"]);
    this.#ended = once(this.#child, "exit").then(() => {
      throw new Error(`The server has ended: ${this.#errors}`);
    });
    this.#ended.catch(() => {});
    this.#child.stdout.on("data", (data: Buffer) => this.#read(data));
    this.#child.stderr.on("data", (data: Buffer) => {
      this.#errors += data.toString();
    });
  }

  /** What the server finds in the text. */
  async documentDiagnostics(text: string): Promise<Report[]> {
    const uri = `file:///test/file-${++this.#count}.yaml`;
    const reported = new Promise<Report[]>((done) => this.#reports.set(uri, done));
    this.#send({
      method: "textDocument/didOpen",
      params: { textDocument: { uri, languageId: "yaml", version: 1, text } },
    });
    return await Promise.race([reported, this.#ended]);
  }

  /** The hover's text at a place of a text that was given to `documentDiagnostics` last. */
  async hover(line: number, character: number): Promise<string> {
    const uri = `file:///test/file-${this.#count}.yaml`;
    const found = await this.#request("textDocument/hover", {
      textDocument: { uri },
      position: { line, character },
    });
    return (found as { contents?: { value: string } } | null)?.contents?.value ?? "";
  }

  async stop(): Promise<void> {
    const ended = once(this.#child, "exit");
    this.#child.kill();
    await ended;
  }

  #request(method: string, params: unknown): Promise<unknown> {
    const id = 1000 + this.#answers.size;
    const answer = new Promise<unknown>((done) => this.#answers.set(id, done));
    this.#send({ id, method, params });
    return answer;
  }

  #send(message: Message): void {
    const body = Buffer.from(JSON.stringify({ jsonrpc: "2.0", ...message }));
    this.#child.stdin.write(`Content-Length: ${body.length}\r\n\r\n`);
    this.#child.stdin.write(body);
  }

  #read(data: Buffer): void {
    this.#input = Buffer.concat([this.#input, data]);
    for (;;) {
      const head = this.#input.indexOf("\r\n\r\n");
      if (head === -1) return;
      const length = Number(/Content-Length: (\d+)/i.exec(this.#input.toString("latin1", 0, head))![1]);
      const end = head + 4 + length;
      if (this.#input.length < end) return;
      const message = JSON.parse(this.#input.toString("utf8", head + 4, end)) as Message;
      this.#input = this.#input.subarray(end);
      this.#handle(message);
    }
  }

  #handle({ id, method, params, result }: Message): void {
    if (method === "workspace/configuration") {
      const { items } = params as { items: { section: string }[] };
      this.#send({ id: id!, result: items.map(({ section }) => (section === "yaml" ? this.#settings : {})) });
    } else if (method === "textDocument/publishDiagnostics") {
      const { uri, diagnostics } = params as { uri: string; diagnostics: Report[] };
      this.#reports.get(uri)?.(diagnostics);
    } else if (method !== undefined && id !== undefined) this.#send({ id, result: null });
    else if (id !== undefined) this.#answers.get(id)?.(result);
  }
}
