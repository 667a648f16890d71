/** The status bar item as text: a pure function of the model. */

import { isLocalNow } from "../../manager/model/snapshot.ts";
import { stateWord } from "../labels.ts";
import { escaped } from "../markdown.ts";
import { ownSessions, sessionOf, type WindowModel, workspaceState } from "../window-model.ts";
import { t } from "../words.ts";

export interface StatusItem {
  text: string;
  /** Markdown; also what a screen reader says after the text. */
  tooltip: string;
  /** Set when the user has to act: the session failed. */
  alarming: boolean;
}

/** Undefined where there is nothing to show: no linkup.yaml and no session. */
export function statusItem(model: WindowModel): StatusItem | undefined {
  const state = workspaceState(model);
  const menu = t("Click for the menu.");
  if (state === "none") return undefined;
  if (state === "stopped") return calm("$(link) Linkup", t("Linkup: the session is stopped. {0}", menu));
  if (state === "invalid") return calm("$(warning) Linkup", t("Linkup: linkup.yaml has errors. {0}", menu));
  const sessions = ownSessions(model);
  const names = sessions.map(({ name }) => name).filter((name) => name !== undefined);
  const label = names.length > 0 ? names.join(", ") : "Linkup";
  if (state === "starting" || state === "stopping")
    return calm(`$(loading~spin) ${label}`, t("Linkup: the session is {0} {1}", stateWord(state), menu));
  if (state === "failed")
    return { text: `$(error) ${label}`, tooltip: t("Linkup: the session failed. {0}", menu), alarming: true };

  const newErrors = model.requests?.newErrors ?? 0;
  const services = sessions.flatMap(({ services }) => services);
  const local = services.filter(isLocalNow).map(({ name }) => escaped(name));
  const down = services.filter(({ health }) => health === "unhealthy").map(({ name }) => escaped(name));
  const broken = model.configs.some(({ path, errors }) => errors > 0 && sessionOf(model, path));
  const lines = [
    t("Linkup session {0}: {1}", label, sessions.flatMap(({ urls }) => urls).join(", ")),
    local.length > 0 ? t("Local: {0}", local.join(", ")) : t("All services are remote."),
    ...(down.length > 0 ? [t("Unhealthy: {0}", down.join(", "))] : []),
    ...(newErrors > 0
      ? [t("{0} requests have failed since you last opened the Requests view.", newErrors)]
      : []),
    ...(broken ? [t("linkup.yaml has errors; the session keeps its previous configuration.")] : []),
    menu,
  ];
  const count = local.length > 0 ? ` · ${t("{0} local", local.length)}` : "";
  const mark = down.length > 0 ? ` $(warning) ${down.length}` : broken ? " $(warning)" : "";
  const failed = newErrors > 0 ? ` $(error) ${newErrors}` : "";
  return calm(`$(link) ${label}${count}${mark}${failed}`, lines.join("\n\n"));
}

function calm(text: string, tooltip: string): StatusItem {
  return { text, tooltip, alarming: false };
}
