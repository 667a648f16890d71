/** Errors as values with a code, a title, a message and actions. One table lists them all. */

import { formatText, type Text } from "../../core/text.ts";

export type ProblemCode = keyof typeof TITLES;

const TITLES = {
  "config-exists": "linkup.yaml already exists",
  "config-unwritable": "linkup.yaml could not be created",
  "config-missing": "No linkup.yaml",
  "config-invalid": "linkup.yaml has errors",
  "token-missing": "No worker token",
  "token-refused": "The Worker refused the token",
  "worker-unconfirmed": "The Worker is not confirmed",
  "worker-insecure": "The Worker's address is not secure",
  "worker-unreachable": "The Worker cannot be reached",
  "worker-failed": "The Worker answered with an error",
  "local-server-failed": "The local server is not running",
  "port-taken": "The session has moved to another port",
  "cloudflared-missing": "cloudflared is not installed",
  "cloudflared-not-installed": "cloudflared was not downloaded",
  "tunnel-failed": "The tunnel is down",
  "tunnel-refused": "Cloudflare refuses the tunnel",
  "location-invalid": "Invalid service URL",
  "name-fixed": "The session already has a name",
  "name-invalid": "Invalid session name",
  "name-taken": "The session name is taken",
  "local-dns-failed": "Local DNS is not running",
  "no-local-dns": "Browsers cannot resolve the session's host names",
  "domain-refused": "The domain cannot be used",
  "local-dns-needless": "Local DNS is not needed",
  "local-dns-idle": "Host names of your domains are not resolved",
  "hosts-file-outdated": "The hosts file is out of date",
  "certificates-untrusted": "The certificates are not trusted",
  "certificates-ending": "The certificates expire soon",
  "env-file-unwritable": "An env file could not be changed",
  "env-file-refused": "An env file was refused",
  "service-unhealthy": "A service does not answer",
  "start-timeout": "The session did not start in time",
  "session-unknown": "No such session",
  "session-stopped": "The session was stopped",
  "service-unknown": "No such service",
  "target-unknown": "No such target",
  "request-unknown": "No such request",
  "replay-failed": "Could not send the request again",
  "toggle-failed": "Could not switch the service",
  "override-unknown": "No such override",
  "override-failed": "Could not switch the override",
  "overrides-unsupported": "The Worker does not know overrides",
  "access-failed": "Could not change the session's access",
  "access-unsupported": "The Worker cannot keep sessions private",
  "invite-unknown": "No such invite",
  "share-failed": "The session cannot be shared",
  "run-failed": "The service did not start",
  "state-unusable": "The state directory cannot be used",
  "socket-untrusted": "The local server's socket may be another user's",
  "state-locked": "Another Linkup process holds a lock",
  "state-set-aside": "The saved state could not be read",
  "journal-set-aside": "The list of changed env files could not be read",
  "session-left": "A session could not be deleted on the Worker",
} as const;

/** Something a user can do about a problem: a button in VS Code, a line in the terminal. */
export interface Action {
  /** A command of the extension, without `linkup.`: `setWorkerToken`. */
  command: string;
  title: string;
  /** The same in a terminal: `linkup start`. */
  terminal?: string;
}

/** The action for an outdated Worker. */
export const updateWorker: Action = {
  command: "updateWorker",
  title: "Update Worker…",
  terminal: "linkup infra deploy --zone ZONE",
};

export interface Problem {
  code: ProblemCode;
  title: string;
  /** What happened and where, in a sentence or two of English. */
  message: string;
  /** The same for a translation; missing from what older versions wrote. Titles are looked up as they are. */
  text?: Text;
  actions: readonly Action[];
  /** The linkup.yaml whose session it is about; undefined for what concerns this machine. */
  configPath?: string;
}

/** A `message` that is a string comes from other software and has no translation. */
export function problem(code: ProblemCode, message: Text | string, actions: readonly Action[] = []): Problem {
  const said = typeof message === "string" ? verbatim(message) : message;
  return { code, title: TITLES[code], message: formatText(said), text: said, actions };
}

/** A text from other software, shown untranslated. */
export function verbatim(words: string): Text {
  return { template: "{0}", args: [words] };
}

/** A problem's message as part of another text. */
export function textOf({ text: said, message }: Problem): Text {
  return said ?? verbatim(message);
}

/** For programs: without what only the editor needs. */
export function reportedProblem({
  text,
  configPath,
  ...problem
}: Problem): Omit<Problem, "text" | "configPath"> {
  return problem;
}

/** A problem that makes an operation fail. */
export class LinkupError extends Error {
  readonly problem: Problem;

  constructor(
    code: ProblemCode,
    message: Text | string,
    actions: readonly Action[] = [],
    options?: ErrorOptions,
  ) {
    const found = problem(code, message, actions);
    super(found.message, options);
    this.name = "LinkupError";
    this.problem = found;
  }
}

/** The problem of a LinkupError; for any other error, one with this code and its message. */
export function problemOf(error: unknown, code: ProblemCode): Problem {
  if (error instanceof LinkupError) return error.problem;
  return problem(code, error instanceof Error ? error.message : String(error));
}
