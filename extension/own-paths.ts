/** One linkup.yaml by two paths: a folder that was opened through a link, and a terminal that knows where it leads. */
import { realpathSync } from "node:fs";
import type { Snapshot } from "../manager/model/snapshot.ts";

/** The snapshot with the paths by which this window has its files. */
export function withOwnPaths(snapshot: Snapshot, files: readonly { path: string }[]): Snapshot {
  const own = (path: string | undefined) => {
    if (path === undefined || files.some((file) => file.path === path)) return path;
    return files.find((file) => realPath(file.path) === realPath(path))?.path ?? path;
  };
  const { sessions, problems } = snapshot;
  if ([...sessions, ...problems].every(({ configPath }) => own(configPath) === configPath)) return snapshot;
  const renamed = <T extends { configPath?: string | undefined }>(one: T): T =>
    one.configPath === undefined ? one : { ...one, configPath: own(one.configPath) };
  return { ...snapshot, sessions: sessions.map(renamed), problems: problems.map(renamed) };
}

const realPaths = new Map<string, string>();

/** Remembered: it is asked with each change that is shown. */
function realPath(path: string): string {
  const known = realPaths.get(path);
  if (known !== undefined) return known;
  try {
    const real = realpathSync(path);
    realPaths.set(path, real);
    return real;
  } catch {
    return path;
  }
}
