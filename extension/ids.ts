/** Ids that package.json and the code share; manifest.test.ts checks that they agree. */

/** Commands, as `linkup.<name>`. Those with a title in package.json are in the palette. */
export const COMMANDS = [
  "start",
  "startPrivate",
  "startIsolated",
  "stop",
  "restart",
  "cancelStart",
  "routeService",
  "routeAllLocal",
  "routeAllRemote",
  "routeAllAuto",
  "routeServiceTo",
  "routeToLocal",
  "routeToRemote",
  "toggleService",
  "openSession",
  "openUrl",
  "openService",
  "copyServiceUrl",
  "revealInConfig",
  "openTerminal",
  "runService",
  "runAndRouteService",
  "openConfig",
  "copyUrl",
  "showMenu",
  "createPreview",
  "createIsolated",
  "deleteSession",
  "shareSession",
  "makePrivate",
  "makePublic",
  "joinSession",
  "leaveSession",
  "listSessions",
  "showStatus",
  "doctor",
  "endOrphans",
  "installCloudflared",
  "deployWorker",
  "updateWorker",
  "destroyWorker",
  "installLocalDns",
  "uninstallLocalDns",
  "undoSystemChanges",
  "showLogs",
  "showRequests",
  "compareRequests",
  "openHar",
  "checkPropagation",
  "explainRequest",
  "testRoute",
  "createConfig",
  "setWorkerToken",
  "confirmWorker",
  "solve",
] as const;

/** Internal command of code lenses: `(session, override)`. */
export const SWITCH_OVERRIDE = "linkup.switchOverride";

export type Command = (typeof COMMANDS)[number];

export function commandId(command: Command): string {
  return `linkup.${command}`;
}

export function isCommand(name: string): name is Command {
  return (COMMANDS as readonly string[]).includes(name);
}

export const SESSIONS_VIEW = "linkup.sessions";
export const REQUESTS_VIEW = "linkup.requests";
/** The whole id is `linkup-dev.linkup.session`. */
export const STATUS_ITEM = "session";

export const SETTINGS_SECTION = "linkup";

/** Settings, as `linkup.<name>`, with their defaults. */
export interface Settings {
  cloudflaredPath: string;
  configPath: string;
  keepRunning: boolean;
  mcpServer: boolean;
  "terminal.environment": boolean;
  "terminal.command": boolean;
  codeLens: boolean;
  notifications: boolean;
  defaultTarget: "local" | "remote";
  "otlp.endpoint": string;
  /** Seconds. */
  "timeouts.start": number;
  /** Seconds. */
  "timeouts.toggle": number;
}

export const SETTING_DEFAULTS: Settings = {
  cloudflaredPath: "",
  configPath: "",
  keepRunning: false,
  mcpServer: false,
  "terminal.environment": true,
  "terminal.command": true,
  codeLens: true,
  notifications: true,
  defaultTarget: "remote",
  "otlp.endpoint": "",
  "timeouts.start": 120,
  "timeouts.toggle": 15,
};

export type Setting = keyof Settings;

export function settingId(setting: Setting): string {
  return `${SETTINGS_SECTION}.${setting}`;
}

/** Context keys for the conditions of menus and welcome views. */
export const CONTEXT_KEYS = {
  /** State of this workspace's first session: `none`, `invalid`, `stopped`, `starting`, `running`, `stopping` or `failed`. */
  state: "linkup.state",
  hasConfig: "linkup.hasConfig",
  /** Set while one of this workspace's sessions starts, runs or stops. */
  hasSession: "linkup.hasSession",
  /** Set while one of this workspace's sessions has a URL that answers. */
  isRunning: "linkup.isRunning",
  /** Set while a service of this workspace's sessions is local, and while one is remote. */
  hasLocal: "linkup.hasLocal",
  hasRemote: "linkup.hasRemote",
  /** Set while one of this workspace's sessions that others can open is private, and while one is not. */
  hasPrivate: "linkup.hasPrivate",
  hasPublic: "linkup.hasPublic",
  /** Set while this user has joined a colleague's session. */
  hasJoined: "linkup.hasJoined",
  /** Set while a file without errors has no session, or one that failed. */
  canStart: "linkup.canStart",
  /** Set while there is a session on this machine, of whatever workspace. */
  anySession: "linkup.anySession",
  /** Set while a Worker is older than this extension. */
  workerOutdated: "linkup.workerOutdated",
  /** Set while local DNS or another change by Linkup is installed in the system. */
  systemChanged: "linkup.systemChanged",
} as const;
