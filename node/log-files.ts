/** Where the processes of a state home write their logs. */
import { join } from "node:path";

/** Logs beyond this size are rotated to `.1`. */
export const MAX_LOG_BYTES = 5 * 1024 * 1024;

export type LoggedComponent = "local-server" | "tunnel" | "local-dns" | "keeper";

/** What a log's file name says. */
export interface LogName {
  component: LoggedComponent;
  /** Of a tunnel's. */
  session?: string;
}

export const LOGGED_COMPONENTS: readonly LoggedComponent[] = [
  "local-server",
  "tunnel",
  "local-dns",
  "keeper",
];

export function logFolder(home: string): string {
  return join(home, "logs");
}

export function logFile(home: string, component: Exclude<LoggedComponent, "tunnel">): string {
  return join(logFolder(home), `${component}.log`);
}

/** The log of the cloudflared that serves this session. */
export function tunnelLogFile(home: string, session: string): string {
  return join(logFolder(home), `cloudflared-${session}.log`);
}

/** Undefined for files that are not Linkup's logs. */
export function logNameOf(file: string): LogName | undefined {
  const [, session] = /^cloudflared-(.*)\.log$/.exec(file) ?? [];
  if (session !== undefined) return { component: "tunnel", session };
  const component = LOGGED_COMPONENTS.find((component) => `${component}.log` === file);
  return component === undefined || component === "tunnel" ? undefined : { component };
}
