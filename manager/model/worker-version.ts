/** What the version of a Worker tells. */
import type { WorkerCapabilities } from "../../core/api/worker-api.ts";

/** Capabilities of an original Worker, which has no call for them. */
export const ORIGINAL_WORKER: WorkerCapabilities = {
  version: "original",
  tunnel: "cloudflare",
  capabilities: [],
};

/** True for an original Worker, or one of an older major version (before 1.0: minor version) than ours. */
export function isOutdated({ version }: WorkerCapabilities, ours: string): boolean {
  if (version === ORIGINAL_WORKER.version) return true;
  const [[major = 0, minor = 0], [ourMajor = 0, ourMinor = 0]] = [version, ours].map((text) =>
    text.split(/[.+-]/, 2).map(Number),
  ) as [number[], number[]];
  return major < ourMajor || (major === 0 && ourMajor === 0 && minor < ourMinor);
}
