/** Code lenses above each service: its target, its health, and a link that switches it; and above each override. */
import { addressOf, placeOf, type SessionView } from "../../../manager/model/snapshot.ts";
import { healthReason, healthWord, placeWord } from "../../labels.ts";
import { t } from "../../words.ts";
import type { DocumentModel, Span } from "../document/document-model.ts";
import type { EditorFacts } from "../document/editor-facts.ts";
import type { Outline } from "../document/outline.ts";

interface Lens extends Span {
  title: string;
  tooltip: string;
  /** Routes the service there, or asks where to, when clicked; undefined where there is nothing to click. */
  route?: { service: string; target: "local" | "remote" | "other" };
  /** Switches this override on or off when clicked. */
  override?: string;
}

/** Empty without a session of this file. */
export function lenses({ outline }: DocumentModel, { session }: EditorFacts): Lens[] {
  if (!session) return [];
  return [...serviceLenses(outline, session), ...overrideLenses(outline, session)];
}

function overrideLenses({ overrides }: Outline, { state, overrides: views = [] }: SessionView): Lens[] {
  return overrides.flatMap(({ name }): Lens[] => {
    const view = views.find((view) => view.name === name.text);
    if (!view) return [];
    const { start, end } = name.node;
    const title = view.on ? `$(circle-filled)\u00a0${t("on")}` : `$(circle-outline)\u00a0${t("off")}`;
    const shown = { start, end, title, tooltip: [view.when, `→ ${view.does}`].filter(Boolean).join(" ") };
    if (state !== "running") return [shown];
    const tooltip = view.on
      ? t("Switch off the override {0}", view.name)
      : t("Switch on the override {0}", view.name);
    return [
      shown,
      { start, end, title: view.on ? t("switch off") : t("switch on"), tooltip, override: view.name },
    ];
  });
}

function serviceLenses(outline: Outline, session: SessionView): Lens[] {
  return outline.services.flatMap(({ name }): Lens[] => {
    const view = session.services.find((view) => view.name === name.text);
    if (!view) return [];
    const { start, end } = name.node;
    // As in the Sessions view: nothing is known of, and nothing switches, a session that does not run.
    const runs = session.state === "running";
    const health = runs ? view.health : "unknown";
    const place = placeOf(view);
    const icon =
      runs && view.changing
        ? "$(loading~spin)"
        : health === "unhealthy"
          ? "$(warning)"
          : place === "local"
            ? "$(home)"
            : place === "remote"
              ? "$(cloud)"
              : "$(link-external)";
    const latency =
      health === "healthy" && view.latencyMs !== undefined ? `, ${Math.round(view.latencyMs)} ms` : "";
    // Lenses trim a plain space after an icon.
    const state = `${icon}\u00a0${placeWord(view)} · ${healthWord(health)}${latency}`;
    const location = addressOf(view);
    const target = place === "local" ? "remote" : "local";
    const title = target === "local" ? t("route local") : t("route remote");
    const shown = {
      start,
      end,
      title: state,
      tooltip: [location, healthReason(view)].filter(Boolean).join("\n"),
    };
    if (!runs || session.kind === "preview") return [shown];
    return [
      shown,
      {
        start,
        end,
        title,
        tooltip: t("Sends requests for {0} to {1}", name.text, target === "local" ? view.local : view.remote),
        route: { service: name.text, target },
      },
      {
        start,
        end,
        title: t("route to…"),
        tooltip: t("Auto, another URL, another session's copy"),
        route: { service: name.text, target: "other" },
      },
    ];
  });
}
