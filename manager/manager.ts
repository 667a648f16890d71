/** The life of sessions on this machine: what the extension and the command line talk to. */
import type { Target } from "../core/config/config.ts";
import type { Explanation } from "../core/control.ts";
import type { SessionView, Snapshot } from "./snapshot.ts";

export interface ManagerOptions {
  /** The folder that holds all state, absolute. */
  home: string;
  /** The folder with `local-server.js` and `cli.js`. */
  dist: string;
  /** What runs them, with `ELECTRON_RUN_AS_NODE=1`; default `process.execPath`. */
  node?: string;
  /** Ours; a local server of another version is replaced. */
  version: string;
  env: NodeJS.ProcessEnv;
  /** Who needs the sessions: a window, whose lease is renewed, or a terminal that left (`keep`). */
  user: { id: string; keep: boolean };
  /** The editor's secret storage, asked first; then LINKUP_WORKER_TOKEN, then the file. */
  token?(workerUrl: string): Promise<string | undefined>;
  log(line: string): void;
}

export type Selector = { configPath: string } | { name: string };

export interface StartRequest {
  configPath: string;
  /** Default: tunneled. */
  kind?: "tunneled" | "isolated";
  /** The name to ask for; default: the one this file had, or a fresh one. */
  name?: string;
}

export class Manager {
  readonly #options: ManagerOptions;

  constructor(options: ManagerOptions) {
    this.#options = options;
  }

  get snapshot(): Snapshot {
    return { sessions: [], components: [], problems: [] };
  }

  /** Called with each new snapshot. */
  onDidChange(_listener: (snapshot: Snapshot) => void): { dispose(): void } {
    return { dispose() {} };
  }

  /** Keeps the sessions as they are wanted until `dispose`: for windows and terminals that stay. */
  watch(): void {}

  /** Starts the session of this file, or adopts the one that runs. Rejects with a LinkupError. */
  start(_request: StartRequest, _signal?: AbortSignal): Promise<SessionView> {
    throw new Error(`${this.#options.version} cannot start yet`);
  }

  async stop(_selector: Selector | "all"): Promise<void> {}

  /** Resolves when the local server and the Worker both follow; else nothing has changed and it rejects. */
  route(_selector: Selector, _services: readonly string[] | "all", _target: Target): Promise<SessionView> {
    throw new Error("cannot route yet");
  }

  /** Where a request would go, and why. */
  explain(_selector: Selector, _url: string, _headers: Record<string, string>): Promise<Explanation> {
    throw new Error("cannot explain yet");
  }

  /** The saved file's changes reach the running session; an invalid file changes nothing and becomes a problem. */
  async configChanged(_configPath: string): Promise<void> {}

  async refresh(): Promise<Snapshot> {
    return this.snapshot;
  }

  /** Stops watching and gives up a window's lease; what runs goes on for as long as others need it. */
  async dispose(): Promise<void> {}
}
