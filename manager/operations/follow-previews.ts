/** Following the requests of previews, which exist at the Worker only. */
import { WATCH_CAPABILITY } from "../../core/api/edge-report-api.ts";
import { isDesired } from "../model/records.ts";
import type { SessionRecord } from "../model/state.ts";
import type { ControlLoop } from "../reconcile/control-loop.ts";

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
