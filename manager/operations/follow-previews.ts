/** Following the requests of previews, which exist at the Worker only. */
import { WATCH_CAPABILITY } from "../../core/api/edge-report-api.ts";
import { isDesired } from "../model/records.ts";
import type { SessionRecord } from "../model/state.ts";
import type { ControlLoop } from "../reconcile/control-loop.ts";
import { Watcher } from "../reconcile/watcher.ts";

/** The preview with this name, or those of these linkup.yaml files. */
export type PreviewSelector = { name: string } | { configPaths: readonly string[] };

/**
 * Has the local server follow the requests of the selected previews that run; it is started for that if no session needs it.
 * False without a preview whose Worker has a request log.
 */
export async function followPreviews(
  loop: Pick<ControlLoop, "store" | "reconcile">,
  selector: PreviewSelector,
): Promise<boolean> {
  const isMeant = (record: SessionRecord) =>
    record.kind === "preview" &&
    isDesired(record) &&
    ("name" in selector
      ? record.name === selector.name
      : record.config_path !== null && selector.configPaths.includes(record.config_path)) &&
    record.worker?.capabilities.includes(WATCH_CAPABILITY) === true;
  const meant = (await loop.store.read()).sessions.filter(isMeant);
  if (meant.some(({ followed_here }) => !followed_here))
    await loop.reconcile(({ sessions }) => {
      for (const record of sessions) if (isMeant(record)) record.followed_here = true;
    });
  return meant.length > 0;
}

/** Changes of the state file tell of new previews; this is for a system that cannot watch files. */
const LOOK_MS = 60_000;
const RETRY_MS = 1_000;
/** How long it has to fail to be told: what is over sooner is of no interest. */
const LASTING_MS = 3_000;

/**
 * Follows the selected previews for as long as this process wants to, those that are made later as well. `tell` gets a failure
 * that lasts, once. Rejects when they cannot be followed at first.
 */
export async function keepFollowingPreviews(
  loop: Pick<ControlLoop, "options" | "store" | "reconcile" | "watcher">,
  selector: PreviewSelector,
  tell: (error: Error) => void,
): Promise<{ dispose(): void }> {
  const follow = async () => {
    if (await followPreviews(loop, selector)) loop.watcher.start();
  };
  await follow();
  let failing: { since: number; told: boolean } | undefined;
  const round = async () => {
    try {
      await follow();
      failing = undefined;
      return LOOK_MS;
    } catch (error) {
      failing ??= { since: performance.now(), told: false };
      if (!failing.told && performance.now() - failing.since >= LASTING_MS) {
        failing.told = true;
        tell(error as Error);
      }
      return RETRY_MS;
    }
  };
  const watcher = new Watcher(loop.options.home, round, loop.options.log);
  watcher.start();
  return { dispose: () => void watcher.stop() };
}
