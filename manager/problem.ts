/** Errors as values: what happened, where, and what helps. One table holds them all. */

export type ProblemCode = keyof typeof TITLES;

const TITLES = {
  "config-missing": "No linkup.yaml",
  "config-invalid": "linkup.yaml has errors",
  "token-missing": "No worker token",
  "token-refused": "The Worker refused the token",
  "worker-unreachable": "The Worker cannot be reached",
  "worker-failed": "The Worker answered with an error",
  "local-server-failed": "The local server did not start",
  "service-unhealthy": "A service does not answer",
  "session-unknown": "No such session",
  "service-unknown": "No such service",
  "state-unusable": "The state directory cannot be used",
} as const;

/** Something a user can do about a problem: a button in VS Code, a line in the terminal. */
export interface Action {
  /** A command of the extension, without `linkup.`: `setWorkerToken`. */
  command: string;
  title: string;
  /** The same in a terminal: `linkup start`. */
  terminal?: string;
}

export interface Problem {
  code: ProblemCode;
  title: string;
  /** What happened and where, in a sentence or two. */
  message: string;
  actions: readonly Action[];
}

/** A problem that ends what was asked for. */
export class LinkupError extends Error {
  readonly problem: Problem;

  constructor(code: ProblemCode, message: string, actions: readonly Action[] = [], options?: ErrorOptions) {
    super(message, options);
    this.name = "LinkupError";
    this.problem = { code, title: TITLES[code], message, actions };
  }
}
