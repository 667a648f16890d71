/** The exit codes of `linkup`, documented in docs/user/cli.md. */
import { LinkupError, type ProblemCode } from "../manager/model/problem.ts";

export const EXIT = {
  ok: 0,
  failed: 1,
  usage: 2,
  config: 3,
  worker: 4,
  noSuchThing: 5,
  unhealthy: 6,
  different: 7,
} as const;

const BY_CODE: Partial<Record<ProblemCode, number>> = {
  "config-exists": EXIT.config,
  "config-unwritable": EXIT.config,
  "config-missing": EXIT.config,
  "config-invalid": EXIT.config,
  "token-missing": EXIT.worker,
  "token-refused": EXIT.worker,
  "worker-unconfirmed": EXIT.worker,
  "worker-insecure": EXIT.worker,
  "worker-unreachable": EXIT.worker,
  "worker-failed": EXIT.worker,
  "session-unknown": EXIT.noSuchThing,
  "access-unsupported": EXIT.worker,
  "service-unknown": EXIT.noSuchThing,
  "invite-unknown": EXIT.noSuchThing,
  "location-invalid": EXIT.usage,
  "name-invalid": EXIT.usage,
};

/** A mistake on the command line that is found after the options were parsed. */
export class UsageError extends Error {}

export function exitCodeOf(error: unknown): number {
  if (error instanceof UsageError) return EXIT.usage;
  return (error instanceof LinkupError && BY_CODE[error.problem.code]) || EXIT.failed;
}
