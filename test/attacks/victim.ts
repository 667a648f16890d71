/** A victim: a home with something to lose, and a clone of a hostile repository in it. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { type Finished, temporaryFolder } from "../integration/manager/world.ts";
import { dist } from "../support/bundles.ts";

/** A command that takes longer hangs, on slow machines too. */
export const LIMIT_MS = 60_000;

export class Victim {
  readonly home = temporaryFolder("linkup-victim-");
  /** The hostile clone. */
  readonly clone = join(this.home, "work", "clone");
  readonly linkupHome = join(this.home, "linkup-home");
  readonly env: NodeJS.ProcessEnv = {
    PATH: process.env.PATH,
    HOME: this.home,
    LINKUP_HOME: this.linkupHome,
  };
  readonly #dist: string;
  readonly #running = new Set<ChildProcess>();

  private constructor(dist: string) {
    this.#dist = dist;
    mkdirSync(join(this.clone, ".git"), { recursive: true });
    this.put(".bashrc", "alias ll='ls -l'\n");
    this.put(".ssh/id_rsa", "-----BEGIN OPENSSH PRIVATE KEY-----\n");
  }

  static async create(): Promise<Victim> {
    return new Victim(await dist());
  }

  /** Writes a file of the home. */
  put(path: string, content: string): void {
    const file = join(this.home, path);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, content);
  }

  /** A file of the home. */
  read(path: string): string {
    return readFileSync(join(this.home, path), "utf8");
  }

  /** The clone's linkup.yaml: a service on this machine, `service` are more keys of it, `linkup` more of the Worker's part. */
  config({
    service = "",
    linkup = "",
    workerUrl = "http://127.0.0.1:9",
    domain = "shop.localhost",
  }: {
    service?: string;
    linkup?: string;
    workerUrl?: string;
    domain?: string;
  } = {}): void {
    writeFileSync(
      join(this.clone, "linkup.yaml"),
      `linkup:
  worker_url: ${workerUrl}
${linkup && `  ${linkup}\n`}services:
  - name: web
    remote: http://127.0.0.1:9
    local: http://127.0.0.1:9
${service && `    ${service}\n`}domains:
  - domain: ${domain}
    default_service: web
`,
    );
  }

  /** Runs a command in the clone. Rejects when it hangs. */
  async linkup(...args: string[]): Promise<Finished & { ms: number }> {
    const started = performance.now();
    const child = this.spawn(...args);
    const output = { stdout: "", stderr: "" };
    child.stdout!.on("data", (chunk) => {
      output.stdout += chunk;
    });
    child.stderr!.on("data", (chunk) => {
      output.stderr += chunk;
    });
    const limit = setTimeout(() => child.kill("SIGKILL"), LIMIT_MS);
    await once(child, "close");
    clearTimeout(limit);
    if (child.signalCode === "SIGKILL") throw new Error(`linkup ${args.join(" ")} hung:\n${output.stderr}`);
    return { code: child.exitCode, ...output, ms: performance.now() - started };
  }

  spawn(...args: string[]): ChildProcess {
    const child = spawn(process.execPath, [join(this.#dist, "cli.js"), ...args], {
      cwd: this.clone,
      env: this.env,
      stdio: ["ignore", "pipe", "pipe"],
    });
    this.#running.add(child);
    child.once("close", () => this.#running.delete(child));
    return child;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const child of this.#running) child.kill("SIGKILL");
    await this.linkup("stop", "--all");
  }
}
