// The example system around a VS Code under test: a Worker on workerd, the remote and the local copies of its
// services, and a workspace folder whose linkup.yaml has their real addresses.
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, mkdtemp, readFile, realpath, rm, writeFile } from "node:fs/promises";
import { request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { type EmbeddedWorker, startWorker } from "../../scripts/embedded-worker.mjs";
import { node, root } from "./install.ts";
import { Workbench, type WorkbenchOptions } from "./workbench.ts";

export const TOKEN = "test-token";
const SERVICES = ["web", "api", "auth"] as const;
type Service = (typeof SERVICES)[number];
type Ports = Record<Service, number>;

interface Answer {
  status: number;
  /** `local api`: which copy of which service answered. */
  by: string;
  body: string;
}

export class Shop {
  /** The workspace folder, with its linkup.yaml. */
  readonly folder: string;
  readonly worker: EmbeddedWorker;
  readonly remote: Ports;
  readonly local: Ports;
  readonly #root: string;
  readonly #copies: ChildProcess[];

  private constructor(folder: string, worker: EmbeddedWorker, copies: Copies[]) {
    this.#root = folder;
    this.folder = join(folder, "shop");
    this.worker = worker;
    this.remote = copies[0]!.ports;
    this.local = copies[1]!.ports;
    this.#copies = copies.map(({ child }) => child);
  }

  /**
   * On free ports; `example` takes those of the example's own linkup.yaml, for pictures. `lose`: what `api` does not pass on,
   * as `start.mjs --lose` has it.
   */
  static async start(
    ports: "free" | "example" = "free",
    lose?: "tracestate" | "member" | "all",
  ): Promise<Shop> {
    const folder = await realpath(await mkdtemp(join(tmpdir(), "linkup-shop-")));
    const example = ports === "example";
    const worker = await startWorker({ token: TOKEN, port: example ? 8787 : 0 });
    const workerPort = new URL(worker.url).port;
    const copies = await Promise.all([
      startCopies("remote", workerPort, example ? "4101,4102,4103" : "0,0,0", lose),
      startCopies("local", workerPort, example ? "3101,3102,3103" : "0,0,0", lose),
    ]);
    const shop = new Shop(folder, worker, copies);
    await mkdir(shop.folder);
    await writeFile(shop.configPath, await shop.config());
    return shop;
  }

  get configPath(): string {
    return join(this.folder, "linkup.yaml");
  }

  get workerPort(): number {
    return Number(new URL(this.worker.url).port);
  }

  /** The example's linkup.yaml with the addresses of this system. */
  async config(): Promise<string> {
    const example = await readFile(join(root, "examples", "shop", "linkup.yaml"), "utf8");
    const ports: Record<string, number> = { 8787: this.workerPort };
    for (const [index, service] of SERVICES.entries()) {
      ports[4101 + index] = this.remote[service];
      ports[3101 + index] = this.local[service];
    }
    return example.replace(/:(\d{4})\b/g, (text, port: string) => (ports[port] ? `:${ports[port]}` : text));
  }

  /** The packaged extension in a new user's VS Code, with this workspace folder; the Sessions view is shown. */
  async open(options: WorkbenchOptions = {}): Promise<Workbench> {
    const window = await Workbench.start({
      vsix: join(root, "linkup.vsix"),
      folders: [this.folder],
      env: { LINKUP_WORKER_TOKEN: TOKEN },
      ...options,
    });
    await window.showView();
    return window;
  }

  /** One more workspace folder, with the same linkup.yaml. */
  async another(name: string): Promise<string> {
    const folder = join(this.#root, name);
    await mkdir(folder);
    await writeFile(join(folder, "linkup.yaml"), await this.config());
    return folder;
  }

  /** A request as a browser sends it, to the Worker unless another port is named: `ask("slim-gecko.shop.localhost", "/")`. */
  async ask(
    host: string,
    path: string,
    headers: Record<string, string> = {},
    port = this.workerPort,
  ): Promise<Answer> {
    const sent = request({
      host: "127.0.0.1",
      port,
      path,
      headers: { host: `${host}:${port}`, ...headers },
    });
    sent.end();
    const [response] = await once(sent, "response");
    let body = "";
    for await (const chunk of response) body += chunk;
    const { "x-copy": copy, "x-served-by": service } = response.headers;
    return { status: response.statusCode, by: copy ? `${copy} ${service}` : "", body };
  }

  /** Ends the local copies: the services on this machine are down. */
  async stopLocal(): Promise<void> {
    await end(this.#copies[1]!);
  }

  async stop(): Promise<void> {
    await Promise.all(this.#copies.map(end));
    await this.worker.stop();
    await rm(this.#root, { recursive: true, force: true });
  }
}

interface Copies {
  child: ChildProcess;
  ports: Ports;
}

/** Starts web, api and auth as one copy; resolves when all of them listen. */
async function startCopies(
  copy: "local" | "remote",
  workerPort: string,
  ports: string,
  lose?: string,
): Promise<Copies> {
  const script = join(root, "examples", "shop", "start.mjs");
  const argv = [script, "--copy", copy, "--ports", ports, "--worker-port", workerPort];
  if (lose !== undefined) argv.push("--lose", lose);
  const child = spawn(node, argv, { stdio: ["ignore", "pipe", "inherit"] });
  const kill = () => child.kill("SIGKILL");
  process.once("exit", kill);
  child.once("exit", () => process.off("exit", kill));
  const taken: Partial<Ports> = {};
  for await (const line of createInterface({ input: child.stdout! })) {
    const match = /^(\w+) \(\w+\) listening on http:\/\/.*:(\d+)$/.exec(line);
    if (match) taken[match[1] as Service] = Number(match[2]);
    if (line === "ready") return { child, ports: taken as Ports };
  }
  throw new Error(`The ${copy} copies of the example did not start.`);
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.kill("SIGTERM");
  await once(child, "exit");
}
