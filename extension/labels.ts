/** Translated labels for states, targets and components. */
import type { Target } from "../core/config/model/config-model.ts";
import { sessionOfTarget, targetKind } from "../core/config/model/target.ts";
import type { SessionAccess, SessionKind } from "../core/session/session-document.ts";
import { type Problem, textOf } from "../manager/model/problem.ts";
import type {
  ComponentId,
  ComponentState,
  ComponentView,
  Health,
  ServiceView,
  SessionState,
} from "../manager/model/snapshot.ts";
import { t, translated } from "./words.ts";

export const PLACE_ICONS = { local: "home", remote: "cloud", other: "link-external" } as const;

/** Of a target that linkup.yaml names, the name. */
export function targetWord(target: Target): string {
  switch (targetKind(target)) {
    case "local":
      return t("local");
    case "remote":
      return t("remote");
    case "auto":
      return t("auto");
    case "url":
      return t("elsewhere");
    case "session":
      return t("copy of {0}", sessionOfTarget(target)!);
    case "named":
      return target;
  }
}

/** Where a service is: its target, and what that means now. */
export function placeWord({
  target,
  now,
  fallback,
}: Pick<ServiceView, "target" | "now" | "fallback">): string {
  if (fallback !== undefined) return t("remote, not {0}", targetWord(target));
  if (target !== "auto" || now === undefined) return targetWord(target);
  if (now === "restarting") return t("auto: remote, restarting…");
  return now === "local" ? t("auto: local") : t("auto: remote");
}

export function healthWord(health: Health): string {
  return { healthy: t("healthy"), unhealthy: t("unhealthy"), unknown: t("health unknown") }[health];
}

export function kindWord(kind: SessionKind): string {
  return { tunneled: t("tunneled"), isolated: t("isolated"), preview: t("preview") }[kind];
}

export function accessWord(access: SessionAccess): string {
  return {
    public: t("public"),
    unguessable: t("public, with a name that cannot be guessed"),
    private: t("private"),
  }[access];
}

export function stateWord(state: SessionState): string {
  return {
    starting: t("starting…"),
    running: t("running"),
    stopping: t("stopping…"),
    failed: t("failed"),
  }[state];
}

export function componentState(state: ComponentState): string {
  return { stopped: t("stopped"), starting: t("starting…"), ready: t("ready"), failed: t("failed") }[state];
}

export function componentName(id: ComponentId): string {
  return {
    "local-server": t("Local server"),
    tunnel: t("Tunnel"),
    "local-dns": t("Local DNS"),
    worker: t("Worker"),
  }[id];
}

export function problemMessage(problem: Problem): string {
  return translated(textOf(problem));
}

/** Why a service is unhealthy; undefined when it is not. */
export function healthReason({ reason, reasonText }: ServiceView): string | undefined {
  return reasonText ? translated(reasonText) : reason;
}

export function componentDetail({ detail, detailText }: ComponentView): string {
  return detailText ? translated(detailText) : detail;
}

/** `since`, `now`: milliseconds since the epoch. */
export function uptime(since: number, now: number): string {
  const minutes = Math.floor((now - since) / 60_000);
  if (minutes < 1) return t("up for less than a minute");
  return minutes < 120 ? t("up for {0} min", minutes) : t("up for {0} h", Math.floor(minutes / 60));
}
