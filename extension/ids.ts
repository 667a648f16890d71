/** The names that package.json and the code must agree on; a test holds them together. */

/** Commands, as `linkup.<name>`. Those with a title in package.json are in the palette. */
export const COMMANDS = [
  "start",
  "startIsolated",
  "stop",
  "restart",
  "cancelStart",
  "routeService",
  "routeAllLocal",
  "routeAllRemote",
  "routeToLocal",
  "routeToRemote",
  "toggleService",
  "openSession",
  "openUrl",
  "openService",
  "openConfig",
  "copyUrl",
  "showMenu",
  "createPreview",
  "createIsolated",
  "deleteSession",
  "listSessions",
  "showStatus",
  "doctor",
  "endOrphans",
  "installCloudflared",
  "updateWorker",
  "installLocalDns",
  "uninstallLocalDns",
  "undoSystemChanges",
  "showLogs",
  "explainRequest",
  "testRoute",
  "createConfig",
  "setWorkerToken",
  "solve",
] as const;

export type Command = (typeof COMMANDS)[number];

export function commandId(command: Command): string {
  return `linkup.${command}`;
}

export function isCommand(name: string): name is Command {
  return (COMMANDS as readonly string[]).includes(name);
}

export const SESSIONS_VIEW = "linkup.sessions";
/** The whole id is `linkup-dev.linkup.session`. */
export const STATUS_ITEM = "session";

/** Settings, as `linkup.<name>`. */
export type Setting =
  | "cloudflaredPath"
  | "configPath"
  | "keepRunning"
  | "mcpServer"
  | "terminal.environment"
  | "terminal.command";

/** What menus and welcome views ask about. */
export const CONTEXT_KEYS = {
  /** `none`, `invalid`, `stopped`, `starting`, `running`, `stopping` or `failed`: of this workspace's first session. */
  state: "linkup.state",
  hasConfig: "linkup.hasConfig",
  /** One of this workspace's sessions runs, starts or stops. */
  hasSession: "linkup.hasSession",
  /** A service of this workspace's sessions is local. */
  hasLocal: "linkup.hasLocal",
} as const;
