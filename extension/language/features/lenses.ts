/** Code lenses above each service: its target, its health, and a link that switches it. */
import { healthWord, targetWord } from "../../labels.ts";
import { t } from "../../words.ts";
import type { DocumentModel, Span } from "../document/document-model.ts";
import type { EditorFacts } from "../document/editor-facts.ts";

interface Lens extends Span {
  title: string;
  tooltip: string;
  /** Routes the service there when clicked; undefined where there is nothing to click. */
  route?: { service: string; target: "local" | "remote" };
}

/** Empty without a session of this file. */
export function lenses({ outline }: DocumentModel, { session }: EditorFacts): Lens[] {
  if (!session) return [];
  return outline.services.flatMap(({ name }): Lens[] => {
    const view = session.services.find((view) => view.name === name.text);
    if (!view) return [];
    const { start, end } = name.node;
    const icon = view.changing
      ? "$(loading~spin)"
      : view.health === "unhealthy"
        ? "$(warning)"
        : view.target === "local"
          ? "$(home)"
          : "$(cloud)";
    const latency =
      view.health === "healthy" && view.latencyMs !== undefined ? `, ${Math.round(view.latencyMs)} ms` : "";
    // Lenses trim a plain space after an icon.
    const state = `${icon}\u00a0${targetWord(view.target)} · ${healthWord(view.health)}${latency}`;
    const location = view.target === "local" ? view.local : view.remote;
    const target = view.target === "local" ? "remote" : "local";
    const title = target === "local" ? t("route local") : t("route remote");
    return [
      { start, end, title: state, tooltip: [location, view.reason].filter(Boolean).join("\n") },
      {
        start,
        end,
        title,
        tooltip: t(
          "Sends the requests of {0} to {1}",
          name.text,
          target === "local" ? view.local : view.remote,
        ),
        route: { service: name.text, target },
      },
    ];
  });
}
