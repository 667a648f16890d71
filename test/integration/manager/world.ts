/** A machine of its own for a test: a home, the built bundles, a Worker on workerd, services that say who they are. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import {
  chmodSync,
  chownSync,
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { createServer, request, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { startWorker } from "../../../scripts/embedded-worker.mjs";
import { dist } from "../../support/bundles.ts";
import { collectOutput, processesWith } from "../../support/processes.ts";
import { Edge } from "../cloudflared/edge.ts";
import { OriginalTunnelWorker } from "../cloudflared/original-worker.ts";
import { REAL_CLOUDFLARED } from "../cloudflared/real-cloudflared.ts";
import { Internet } from "../worker/internet.ts";

export { dist };

export const TOKEN = "token-of-the-tests";

/** A request that takes longer gets no answer at all. */
const ASK_MS = 3_000;

/** What a program's environment needs so that `npm run coverage` sees what it ran. */
export const measured: NodeJS.ProcessEnv = process.env.NODE_V8_COVERAGE
  ? { NODE_V8_COVERAGE: process.env.NODE_V8_COVERAGE }
  : {};

const folders: string[] = [];
process.once("exit", () => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

/** A folder that goes with the tests. */
export function temporaryFolder(prefix: string): string {
  const folder = mkdtempSync(join(tmpdir(), prefix));
  folders.push(folder);
  return folder;
}

/** How the processes of a home are known in what `ps` shows. */
const PROGRAMS = {
  "local-server": /\/local-server\.js/,
  "local-dns": /\/local-dns\.js/,
  keeper: /\/cli\.js keep /,
  cloudflared: / --config \S+\/tunnels\/\S+\.yml/,
};

export interface Finished {
  code: number | null;
  stdout: string;
  stderr: string;
}

interface Answer {
  status: number;
  body: string;
}

type Worker = Awaited<ReturnType<typeof startWorker>>;

export class World {
  readonly folder = temporaryFolder("linkup-world-");
  readonly home = join(this.folder, "home");
  readonly configPath = join(this.folder, "linkup.yaml");
  readonly env: NodeJS.ProcessEnv = {
    PATH: process.env.PATH,
    HOME: this.folder,
    LINKUP_HOME: this.home,
    LINKUP_WORKER_TOKEN: TOKEN,
    ...measured,
  };
  /** Whom `linkup` runs as, where it is not us. */
  user: { uid: number; gid: number } | undefined;
  #node = process.execPath;
  dist = "";
  worker: Worker | undefined;
  edge: Edge | undefined;
  original: OriginalTunnelWorker | undefined;
  internet: Internet | undefined;
  workerPort = 0;
  readonly #services = new Map<string, Server>();
  readonly #children = new Set<ChildProcess>();
  readonly #locations = new Map<string, string>();

  /**
   * `direct`: our Worker on this machine. `deployed`: our Worker with stand-ins for Cloudflare's API, its edge and the rest
   * of the Internet (`internet.hosts`, where the services' deployed copies are), and the real cloudflared or one for it.
   * `cloudflare`: the same edge and cloudflared, with a Worker of the original.
   */
  static async create(tunnel: "direct" | "cloudflare" | "deployed" = "direct"): Promise<World> {
    const world = new World();
    world.dist = await dist();
    for (const copy of ["remote", "local"]) {
      for (const service of ["web", "api"]) await world.#serve(`${copy} ${service}`);
    }
    await world.#serve("spare web");
    if (tunnel === "direct") await world.startWorker();
    else if (tunnel === "deployed") await world.#startDeployed();
    else await world.#startOriginal();
    world.writeConfig();
    return world;
  }

  /** Again on the port it had, when it had one; its sessions are kept. */
  async startWorker(): Promise<void> {
    const persist = join(this.folder, "worker");
    mkdirSync(persist, { recursive: true });
    this.worker = this.internet
      ? await this.internet.startWorker({ WORKER_TOKEN: TOKEN }, persist, this.workerPort)
      : await startWorker({ token: TOKEN, port: this.workerPort, persist });
    this.workerPort = Number(new URL(this.worker.url).port);
  }

  async stopWorker(): Promise<void> {
    await this.worker?.stop();
    this.worker = undefined;
  }

  async #startOriginal(): Promise<void> {
    this.edge = await Edge.start();
    this.original = await OriginalTunnelWorker.start(this.edge, TOKEN);
    this.workerPort = this.original.port;
    this.#installCloudflared(this.edge);
  }

  async #startDeployed(): Promise<void> {
    this.edge = await Edge.start();
    this.internet = await new Internet(this.edge).start();
    for (const service of ["web", "api"]) {
      const host = `${service}.example.org`;
      this.internet.hosts.set(host, (_request, response) => response.end(`remote ${service}`));
      this.#locations.set(`remote ${service}`, `http://${host}`);
    }
    await this.startWorker();
    this.#installCloudflared(this.edge);
  }

  /** cloudflared or its stand-in on the PATH, and how it gets to the edge. */
  #installCloudflared(edge: Edge): void {
    Object.assign(this.env, edge.environment);
    if (REAL_CLOUDFLARED) {
      // The edge speaks no QUIC.
      Object.assign(this.env, { CLOUDFLARED_PATH: REAL_CLOUDFLARED, TUNNEL_TRANSPORT_PROTOCOL: "http2" });
      return;
    }
    const bin = join(this.folder, "bin");
    mkdirSync(bin);
    const script = join(import.meta.dirname, "../cloudflared/stand-in.mjs");
    writeFileSync(join(bin, "cloudflared"), `#!/bin/sh\nexec "${process.execPath}" "${script}" "$@"\n`, {
      mode: 0o755,
    });
    this.env.PATH = `${bin}:${this.env.PATH}`;
    this.env.CLOUDFLARED_FAULTS = join(this.folder, "faults.json");
    this.setFaults({});
  }

  /** What goes wrong with cloudflared from now on; test/integration/cloudflared/stand-in.mjs tells what can. */
  setFaults(faults: Record<string, unknown>): void {
    writeFileSync(this.env.CLOUDFLARED_FAULTS!, JSON.stringify(faults));
  }

  /** A linkup.yaml of two services, `web` and `api`; returns its path. */
  writeConfig(path = this.configPath, { domain = "shop.localhost", more = "" } = {}): string {
    const at = (copy: string) => this.#locations.get(copy)!;
    writeFileSync(
      path,
      `linkup:
  worker_url: http://127.0.0.1:${this.workerPort}
services:
  - name: web
    remote: ${at("remote web")}
    local: ${at("local web").replace("127.0.0.1", "localhost")}
  - name: api
    remote: ${at("remote api")}
    local: ${at("local api")}
domains:
  - domain: ${domain}
    default_service: web
    routes:
      - path: ^/api/
        service: api
${more}`,
    );
    return path;
  }

  async #serve(name: string): Promise<void> {
    // On `localhost`, so that local copies answer at whatever address that name has here.
    const server = createServer((_request, response) => response.end(name));
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    this.#services.set(name, server);
    this.#locations.set(name, `http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  }

  /** Of a copy, as `remote web`. */
  location(copy: string): string {
    return this.#locations.get(copy)!;
  }

  async stopService(copy: string): Promise<void> {
    const server = this.#services.get(copy)!;
    this.#services.delete(copy);
    server.closeAllConnections();
    server.close();
    await once(server, "close");
  }

  /** From now on `linkup` runs as a user who is nobody in particular. Only root can do that. */
  becomeNobody(): void {
    this.user = { uid: 65534, gid: 65534 };
    chmodSync(this.folder, 0o755);
    cpSync(this.dist, join(this.folder, "dist"), { recursive: true });
    this.dist = join(this.folder, "dist");
    // The run's own temporary folder, never the system's.
    const around = dirname(this.folder);
    if ((statSync(around).mode & 0o777) === 0o700) chmodSync(around, 0o711);
    mkdirSync(this.home, { mode: 0o700 });
    chownSync(this.home, this.user.uid, this.user.gid);
    // The checkout may lie where only its owner gets.
    this.#node = join(this.folder, "node");
    copyFileSync(process.execPath, this.#node);
    chmodSync(this.#node, 0o755);
  }

  /** Runs `linkup` to its end. */
  async linkup(...args: string[]): Promise<Finished> {
    const { child, output } = this.spawnLinkup(...args);
    await once(child, "close");
    return { code: child.exitCode, ...output };
  }

  /** `linkup … --json`, parsed; fails the test when it fails. */
  async json<T = unknown>(...args: string[]): Promise<T> {
    const { code, stdout, stderr } = await this.linkup(...args, "--json");
    if (code !== 0) throw new Error(`linkup ${args.join(" ")} ended with ${code}:\n${stderr}`);
    return JSON.parse(stdout) as T;
  }

  spawnLinkup(...args: string[]) {
    const child = spawn(this.#node, [join(this.dist, "cli.js"), ...args], {
      cwd: this.folder,
      env: this.env,
      stdio: ["ignore", "pipe", "pipe"],
      ...this.user,
    });
    this.#children.add(child);
    child.once("close", () => this.#children.delete(child));
    return { child, output: collectOutput(child) };
  }

  /** A request to this port with this host, as a browser sends it. */
  async ask(
    host: string,
    path = "/",
    port = this.workerPort,
    more: Record<string, string> = {},
    method = "GET",
  ): Promise<Answer> {
    const { promise, resolve, reject } = Promise.withResolvers<Answer>();
    request(
      {
        host: "127.0.0.1",
        port,
        path,
        method,
        agent: false,
        headers: { host: `${host}:${port}`, ...more },
        signal: AbortSignal.timeout(ASK_MS),
      },
      (response) => {
        let body = "";
        response.setEncoding("utf8").on("data", (chunk: string) => {
          body += chunk;
        });
        response.on("error", reject);
        response.on("end", () => resolve({ status: response.statusCode!, body }));
      },
    )
      .on("error", reject)
      .end();
    return promise;
  }

  /** Which copy answers for this session: `remote web`. */
  async served(session: string, path = "/"): Promise<string> {
    try {
      const { status, body } = await this.ask(`${session}.shop.localhost`, path);
      return status === 200 ? body : `${status} ${body.split("\n", 1)[0]}`;
    } catch (error) {
      return (error as Error).message;
    }
  }

  /** The processes that belong to this home, as command lines by pid. */
  processes(): Map<number, string> {
    return processesWith(`LINKUP_HOME=${this.home}`);
  }

  pidsOf(program: keyof typeof PROGRAMS): number[] {
    const found = [...this.processes()].filter(([, command]) => PROGRAMS[program].test(command));
    return found.map(([pid]) => pid);
  }

  logs(): string {
    const folder = join(this.home, "logs");
    if (!existsSync(folder)) return "";
    return readdirSync(folder)
      .map((name) => `--- ${name}\n${readFileSync(join(folder, name), "utf8")}`)
      .join("\n");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const child of this.#children) child.kill("SIGKILL");
    if (existsSync(this.home)) await this.linkup("stop", "--all");
    for (const pid of this.processes().keys()) process.kill(pid, "SIGKILL");
    await this.stopWorker();
    await this.original?.stop();
    await this.internet?.stop();
    await this.edge?.stop();
    for (const name of [...this.#services.keys()]) await this.stopService(name);
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** Waits until this holds; says what was there instead when it does not come. */
export async function until<T>(
  what: string,
  probe: () => T | undefined | false | Promise<T | undefined | false>,
  timeoutMs = 30_000,
): Promise<T> {
  const end = performance.now() + timeoutMs;
  for (;;) {
    const value = await probe();
    if (value !== undefined && value !== false) return value;
    if (performance.now() > end) throw new Error(`It never came: ${what}`);
    await delay(25);
  }
}
