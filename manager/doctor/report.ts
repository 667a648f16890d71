/** The report of `linkup health`, for the terminal, the editor and JSON. */
import { formatText, type Text } from "../../core/text.ts";
import type { Action, ProblemCode } from "../model/problem.ts";
import { reportedSnapshot, type Snapshot } from "../model/snapshot.ts";

export type CheckId =
  | "state"
  | "config"
  | "local-server"
  | "keeper"
  | "local-dns"
  | "certificates"
  | "cloudflared"
  | "tunnel"
  | "worker"
  | "service"
  | "address"
  | "port"
  | "env-files"
  | "propagation"
  | "orphans";

/** `warning`: it works, with a caveat. */
export type CheckState = "ok" | "warning" | "broken";

export interface DoctorCheck {
  id: CheckId;
  /** Which one of several: a session's name, a service, a URL. */
  subject: string | undefined;
  state: CheckState;
  /** The finding, in a sentence of English. */
  found: string;
  /** The same for a translation. */
  text: Text;
  /** The kind of problem, for those that have one. */
  code: ProblemCode | undefined;
  /** What helps. */
  fixes: readonly Action[];
}

export interface HealthReport {
  /** Version of this structure. */
  schema: 1;
  /** Milliseconds since the epoch. */
  at: number;
  /** True when nothing is broken. */
  healthy: boolean;
  versions: { linkup: string; node: string; platform: string };
  home: string;
  /** As the existing Linkup's `health --json` has them, for its scripts. */
  linkup: StateFolder;
  background_services: BackgroundServices;
  local_dns: { is_installed: boolean; resolvers: readonly string[] };
  checks: readonly DoctorCheck[];
  snapshot: Snapshot;
}

export interface StateFolder {
  version: string;
  config_location: string;
  config_exists: boolean;
  /** The names of its files. */
  config_content: readonly string[];
}

export type BackgroundService = "NotInstalled" | "Stopped" | { Running: number };

/** With the pid of those that run; of several cloudflareds the first one's. */
export interface BackgroundServices {
  linkup_server: BackgroundService;
  cloudflared: BackgroundService;
  dns_server: BackgroundService;
  possible_orphan_processes: readonly { cmd: string; pid: number }[];
}

type CheckDetails = Partial<Pick<DoctorCheck, "subject" | "code" | "fixes">>;

/** For programs, as docs/user/health.schema.json describes it: without what only the editor needs. */
export function reportedHealth(report: HealthReport): Omit<HealthReport, "checks"> & {
  checks: Omit<DoctorCheck, "text">[];
} {
  return {
    ...report,
    checks: report.checks.map(({ text, ...check }) => check),
    snapshot: reportedSnapshot(report.snapshot),
  };
}

export function ok(id: CheckId, found: Text, more: CheckDetails = {}): DoctorCheck {
  return check("ok", id, found, more);
}

export function warning(id: CheckId, found: Text, more: CheckDetails = {}): DoctorCheck {
  return check("warning", id, found, more);
}

export function broken(id: CheckId, found: Text, more: CheckDetails = {}): DoctorCheck {
  return check("broken", id, found, more);
}

function check(
  state: CheckState,
  id: CheckId,
  text: Text,
  { subject, code, fixes = [] }: CheckDetails,
): DoctorCheck {
  return { id, subject, state, found: formatText(text), text, code, fixes };
}
