/**
 * Where a session has one of its services, as text:
 *
 * | text | where |
 * |---|---|
 * | `local` | on this machine |
 * | `remote` | in its deployed copy |
 * | `auto` | local while something listens at its local address, remote otherwise |
 * | `https://…` | at this URL |
 * | `session:NAME` | where that other session has it |
 * | any other name | at the URL that linkup.yaml gives this name in the service's `targets` |
 */
export type Target = string;

export type TargetKind = "local" | "remote" | "auto" | "url" | "session" | "named";

const SESSION = "session:";

export function targetKind(target: Target): TargetKind {
  if (target === "local" || target === "remote" || target === "auto") return target;
  if (target.startsWith(SESSION)) return "session";
  return isUrlTarget(target) ? "url" : "named";
}

export function isUrlTarget(target: Target): boolean {
  return /^https?:\/\//i.test(target);
}

/** `bold-cat` of `session:bold-cat`; undefined for other targets. */
export function sessionOfTarget(target: Target): string | undefined {
  return target.startsWith(SESSION) ? target.slice(SESSION.length) : undefined;
}

/** The names that a linkup.yaml may give to targets: no other kind of target looks like one. */
export const TARGET_NAME = /^[A-Za-z0-9_][A-Za-z0-9_.-]{0,62}$/;
const TAKEN: ReadonlySet<string> = new Set(["local", "remote", "auto", "session"]);

export function isTargetName(name: string): boolean {
  return TARGET_NAME.test(name) && !TAKEN.has(name);
}

/** What there is to choose from for a service, in the order in which it is offered; URLs and sessions are beyond it. */
export function offeredTargets({ targets = {} }: { targets?: Record<string, string> | undefined }): Target[] {
  return ["local", "remote", "auto", ...Object.keys(targets)];
}
