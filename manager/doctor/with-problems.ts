/** One text for one trouble: what the tree and the notifications call a problem, Doctor says in the same words. */
import { type Problem, type ProblemCode, textOf } from "../model/problem.ts";
import { type CheckId, type DoctorCheck, warning } from "./report.ts";

/** Of problems that may be found by no check of their own. */
const CHECK_OF: Partial<Record<ProblemCode, CheckId>> = {
  "config-missing": "config",
  "config-invalid": "config",
  "token-missing": "worker",
  "token-refused": "worker",
  "worker-unconfirmed": "worker",
  "worker-insecure": "worker",
  "worker-unreachable": "worker",
  "worker-failed": "worker",
  "session-left": "worker",
  "local-server-failed": "local-server",
  "port-taken": "port",
  "cloudflared-missing": "cloudflared",
  "tunnel-failed": "tunnel",
  "tunnel-refused": "tunnel",
  "local-dns-failed": "local-dns",
  "no-local-dns": "local-dns",
  "local-dns-idle": "local-dns",
  "hosts-file-outdated": "local-dns",
  "certificates-untrusted": "certificates",
  "certificates-ending": "certificates",
  "env-file-unwritable": "env-files",
  "env-file-refused": "env-files",
};

/** The checks with the words and actions of the problems that they have found, and a check for each problem that none has. */
export function withProblems(checks: readonly DoctorCheck[], problems: readonly Problem[]): DoctorCheck[] {
  const all = [...checks];
  const messages = new Set(problems.map(({ message }) => message));
  const isSaid = ({ state, found }: DoctorCheck) => state !== "ok" && messages.has(found);
  for (const problem of new Map(problems.map((each) => [each.message, each])).values()) {
    const { code, message, actions } = problem;
    if (all.some((check) => isSaid(check) && check.found === message)) continue;
    const same = all.filter((check) => check.code === code && check.state !== "ok" && !isSaid(check));
    const found = same.find(({ subject = "" }) => message.includes(subject)) ?? same[0];
    const said = { found: message, text: textOf(problem), fixes: actions };
    if (found) all[all.indexOf(found)] = { ...found, ...said };
    else all.push(warning(CHECK_OF[code] ?? "state", said.text, { code, fixes: actions }));
  }
  return all;
}
