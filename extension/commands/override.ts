/** Switches overrides of a session on and off: by the checkboxes of the Sessions view, and by code lenses. */
import type { OverrideView, SessionView } from "../../manager/model/snapshot.ts";
import type { Linkup } from "../linkup.ts";
import { setting } from "../settings.ts";
import { waitFor } from "../waiting.ts";
import { t } from "../words.ts";
import { selectorOf } from "./choose.ts";

/** Resolves when the next request follows, or the user has cancelled. */
export async function switchOverride(
  linkup: Linkup,
  session: SessionView,
  override: OverrideView,
): Promise<void> {
  const on = !override.on;
  const title = on
    ? t("Switching on override {0}", override.name)
    : t("Switching off override {0}", override.name);
  const timeoutMs = setting("timeouts.toggle") * 1_000;
  await waitFor(title, async (signal) =>
    (await linkup.manager).setOverrides(selectorOf(session), [override.name], on, signal, timeoutMs),
  );
}
