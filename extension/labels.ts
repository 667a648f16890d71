/** Translated labels for states, targets and components. */
import type { Target } from "../core/config/model/config-model.ts";
import type { SessionKind } from "../core/session/session-document.ts";
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

export function targetWord(target: Target): string {
  return target === "local" ? t("local") : t("remote");
}

export function healthWord(health: Health): string {
  return { healthy: t("healthy"), unhealthy: t("unhealthy"), unknown: t("health unknown") }[health];
}

export function kindWord(kind: SessionKind): string {
  return { tunneled: t("tunneled"), isolated: t("isolated"), preview: t("preview") }[kind];
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
