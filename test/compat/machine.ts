/** A laptop with our command line, whose Worker is one of the original. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Finished, measured, temporaryFolder } from "../integration/manager/world.ts";
import { dist } from "../support/bundles.ts";
import { reservedPort } from "../support/ports.ts";
import { collectOutput, processesWith } from "../support/processes.ts";
import { OriginalWorker } from "./original-worker.ts";
import { ask, type EchoedResponse, type EchoService, startEchoService } from "./services.ts";

export const TOKEN = "token-of-the-original";
export const DOMAIN = "example.com";

export interface Started {
  session_name: string;
  kind: string;
  urls: string[];
  services: { name: string; target: string; location: string }[];
}

export interface Status {
  sessions: {
    name: string;
    state: string;
    services: { name: string; target: string; changing: boolean }[];
  }[];
  components: { id: string; state: string; pid?: number; detail: string }[];
  problems: { code: string; message: string }[];
}

export class CompatMachine {
  readonly folder = temporaryFolder("linkup-compat-");
  readonly home = join(this.folder, "home");
  readonly configPath = join(this.folder, "linkup.yaml");
  readonly worker: OriginalWorker;
  readonly env: NodeJS.ProcessEnv;
  readonly #dist: string;
  readonly #services: EchoService[];
  readonly #children = new Set<ChildProcess>();

  private constructor(worker: OriginalWorker, services: EchoService[], dist: string) {
    this.worker = worker;
    this.#services = services;
    this.#dist = dist;
    const bin = join(this.folder, "bin");
    mkdirSync(bin);
    const cloudflared = join(import.meta.dirname, "cloudflared.mjs");
    writeFileSync(join(bin, "cloudflared"), `#!/bin/sh\nexec "${process.execPath}" "${cloudflared}" "$@"\n`, {
      mode: 0o755,
    });
    this.env = {
      PATH: `${bin}:${process.env.PATH}`,
      HOME: this.folder,
      LINKUP_HOME: this.home,
      LINKUP_WORKER_TOKEN: TOKEN,
      ...measured,
    };
    this.writeConfig();
  }

  static async create(): Promise<CompatMachine> {
    const names = ["remote web", "remote api", "local web", "local api"];
    const services = await Promise.all(names.map(startEchoService));
    const ports = new Map<string, number>();
    const free = await Promise.all(Array.from({ length: 5 }, reservedPort));
    const portOf = (session: string) => {
      if (!ports.has(session)) ports.set(session, free[ports.size]!);
      return ports.get(session)!;
    };
    return new CompatMachine(await OriginalWorker.start({ token: TOKEN, portOf }), services, await dist());
  }

  writeConfig({ path = this.configPath, more = "" } = {}): string {
    const [remoteWeb, remoteApi, localWeb, localApi] = this.#services.map(({ url }) => url);
    writeFileSync(
      path,
      `linkup:
  worker_url: ${this.worker.url}
services:
  - name: web
    remote: ${remoteWeb}
    local: ${localWeb!.replace("127.0.0.1", "localhost")}
    rewrites:
      - source: /foo/(.*)
        target: /bar/$1
  - name: api
    remote: ${remoteApi}
    local: ${localApi}
domains:
  - domain: ${DOMAIN}
    default_service: web
    routes:
      - path: /api/.*
        service: api
${more}`,
    );
    return path;
  }

  spawnLinkup(...args: string[]) {
    const child = spawn(process.execPath, [join(this.#dist, "cli.js"), ...args], {
      cwd: this.folder,
      env: this.env,
      stdio: ["ignore", "pipe", "pipe"],
    });
    this.#children.add(child);
    child.once("close", () => this.#children.delete(child));
    return { child, output: collectOutput(child) };
  }

  async linkup(...args: string[]): Promise<Finished> {
    const { child, output } = this.spawnLinkup(...args);
    await once(child, "close");
    return { code: child.exitCode, ...output };
  }

  async json<T>(...args: string[]): Promise<T> {
    const { code, stdout, stderr } = await this.linkup(...args, "--json");
    if (code !== 0) throw new Error(`linkup ${args.join(" ")} ended with ${code}:\n${stderr}`);
    return JSON.parse(stdout) as T;
  }

  start = (...args: string[]) => this.json<Started>("start", "--detach", ...args);
  status = () => this.json<Status>("status");

  get(session: string, path = "/", headers: Record<string, string> = {}): Promise<EchoedResponse> {
    return ask(this.worker.url, path, { host: `${session}.${DOMAIN}`, ...headers });
  }

  /** Which copy answers for this session: `remote web`; the status where none does. */
  async served(session: string, path = "/"): Promise<string> {
    const answer = await this.get(session, path);
    return answer.status === 200 ? answer.asked().service : String(answer.status);
  }

  /** The command lines of the processes that belong to this home. */
  processes(): string[] {
    return [...processesWith(`LINKUP_HOME=${this.home}`).values()].filter(Boolean);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const child of this.#children) child.kill("SIGKILL");
    await this.linkup("stop", "--all");
    for (const pid of processesWith(`LINKUP_HOME=${this.home}`).keys()) process.kill(pid, "SIGKILL");
    await this.worker.stop();
    for (const service of this.#services) await service.stop();
    rmSync(this.folder, { recursive: true, force: true });
  }
}
