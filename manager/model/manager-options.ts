/** The manager's options and requests. */
import type { Target } from "../../core/config/model/config-model.ts";
import type { SessionAccess } from "../../core/session/session-document.ts";

/** Options for starting our processes. */
export interface ProcessOptions {
  /** The folder that holds all state, absolute. */
  home: string;
  /** The folder with `local-server.js` and `cli.js`. */
  dist: string;
  /** The Node or Electron binary that runs them, with `ELECTRON_RUN_AS_NODE=1`; default `process.execPath`. */
  node?: string;
  /** Our version; a local server of an older one is replaced. */
  version: string;
  env: NodeJS.ProcessEnv;
  log(line: string): void;
}

export interface ManagerOptions extends ProcessOptions {
  /**
   * Who needs the sessions: a window, whose lease is renewed, or a terminal that left (`keep`). `files`: the linkup.yaml files of
   * a window's workspace, absolute; those that it starts sessions of count without it.
   */
  user: { id: string; keep: boolean; files?(): readonly string[] };
  /** The editor's secret storage, asked first; then LINKUP_WORKER_TOKEN, then the file. */
  token?(workerUrl: string): Promise<string | undefined>;
}

export interface StartRequest {
  configPath: string;
  /** Default: tunneled. */
  kind?: "tunneled" | "isolated";
  /** The name to ask for; default: the one this file had, or a fresh one. */
  name?: string;
  /** Instead of what the file says. */
  access?: SessionAccess;
  /** Where the services of a file that is started for the first time are routed. Default: remote. */
  target?: Target;
}

/** A secondary session of the file. */
export interface CreateRequest {
  configPath: string;
  kind: "preview" | "isolated";
  /** Default: a preview's comes from its content, an isolated one's is random. */
  name?: string;
  /** Location overrides, by service name. */
  locations: Record<string, string>;
  /** Instead of what the file says. */
  access?: SessionAccess;
  /** A preview's life in seconds, counted from now; default: as long as it is used. */
  expiresIn?: number;
}

/** How many other windows of an editor, and other programs such as terminals, use a session. */
export interface OtherUsers {
  windows: number;
  terminals: number;
}
