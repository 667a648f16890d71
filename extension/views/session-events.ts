/** What happened between two snapshots, as lines for the log: no matter who did it: this window, another one or a terminal. Pure. */
import { fallbackText } from "../../agent-tools/fallback-text.ts";
import { sessionOfTarget } from "../../core/config/model/target.ts";
import { english } from "../../core/text.ts";
import {
  addressOf,
  type ComponentId,
  type ComponentView,
  type SessionView,
  type Snapshot,
} from "../../manager/model/snapshot.ts";

export interface SessionEvent {
  level: "info" | "warn" | "error";
  /** In English, as everything in the log. */
  text: string;
  /** Set for what belongs into a component's log too. */
  component?: ComponentId;
}

export function eventsBetween(before: Snapshot, after: Snapshot): SessionEvent[] {
  return [
    ...pairs(before.sessions, after.sessions, keyOf).flatMap(([old, now]) => sessionEvents(old, now)),
    ...pairs(before.components, after.components, componentKey).flatMap(([old, now]) =>
      componentEvents(old, now),
    ),
    ...pairs(before.problems, after.problems, ({ code, message }) => `${code} ${message}`).flatMap(
      ([old, now]): SessionEvent[] =>
        old && !now
          ? [{ level: "info", text: `No longer a problem: ${old.title}` }]
          : now && !old
            ? [{ level: "error", text: `${now.title}: ${now.message}` }]
            : [],
    ),
  ];
}

function sessionEvents(old: SessionView | undefined, now: SessionView | undefined): SessionEvent[] {
  if (!now) return old ? [{ level: "info", text: `Ended session ${titleOf(old)}` }] : [];
  const title = titleOf(now);
  const where = now.urls.length > 0 ? ` at ${now.urls.join(", ")}` : "";
  const events: SessionEvent[] = [];
  const say = (text: string, level: SessionEvent["level"] = "info") => events.push({ level, text });
  if (!old && now.state === "running") say(`Adopted session ${title}, which was running${where}`);
  else if (now.state !== old?.state) {
    if (now.state === "starting") say(`Starting session ${title}`);
    if (now.state === "running") say(`Session ${title} is running${where}`);
    if (now.state === "stopping") say(`Stopping session ${title}`);
    if (now.state === "failed") say(`Session ${title} failed`, "error");
  }
  if (old?.access && now.access && old.access !== now.access) say(`Session ${title} is ${now.access} now`);
  for (const service of now.services) {
    const was = old?.services.find(({ name }) => name === service.name);
    if (!was) continue;
    const { name, target, now } = service;
    if (was.target !== target)
      say(`Routed ${name} of ${title} to ${target}${byText(service)}, ${addressOf(service)}`);
    else if (was.now !== now)
      say(
        `${name} of ${title} goes to ${now === "local" ? "local" : "remote"} by itself, ${addressOf(service)}`,
      );
    else if (was.fallback !== service.fallback) say(...fallbackEvent(title, service));
    else if (was.health !== "unhealthy" && service.health === "unhealthy")
      say(`Service ${name} of ${title} is unhealthy: ${service.reason ?? addressOf(service)}`, "warn");
    else if (was.health === "unhealthy" && service.health === "healthy")
      say(`Service ${name} of ${title} is healthy again`);
  }
  for (const { name, on, does } of now.overrides ?? []) {
    const was = old?.overrides?.find((override) => override.name === name);
    if (was && was.on !== on) say(`Override ${name} of ${title} is ${on ? `on: ${does}` : "off"}`);
  }
  return events;
}

/** A service of another session is not there any more, or is again. */
function fallbackEvent(
  title: string,
  { name, target, fallback }: SessionView["services"][number],
): [string, SessionEvent["level"]] {
  const session = sessionOfTarget(target) ?? "";
  return fallback === undefined
    ? [`${name} of ${title} goes to the copy of ${session} again`, "info"]
    : [`${name} of ${title} goes to its remote copy: ${fallbackText(fallback, session, english)}`, "warn"];
}

/** Who did it by an invite. */
function byText({ routedBy }: SessionView["services"][number]): string {
  return routedBy === undefined ? "" : ` by ${routedBy}`;
}

function componentEvents(old: ComponentView | undefined, now: ComponentView | undefined): SessionEvent[] {
  const view = now ?? old!;
  const state = now?.state ?? "stopped";
  const before = old?.state ?? "stopped";
  // A process that was replaced without a moment in between.
  if (state === before && (now?.pid === old?.pid || state !== "ready")) return [];
  const detail = view.detail && state !== "stopped" ? `: ${view.detail}` : "";
  const level = state === "failed" ? "error" : "info";
  return [{ level, text: `${NAMES[view.id]} ${state}${detail}`, component: view.id }];
}

const NAMES: Record<ComponentId, string> = {
  "local-server": "Local server",
  tunnel: "Tunnel",
  "local-dns": "Local DNS",
  worker: "Worker",
};

/** A session may get its name later. */
function keyOf({ configPath, secondary, name }: SessionView): string {
  return configPath !== undefined && !secondary ? configPath : `${configPath ?? ""} ${name ?? ""}`;
}

/** Several sessions may have a tunnel or a Worker each: their order stays. */
function componentKey({ id }: ComponentView, index: number, all: readonly ComponentView[]): string {
  return `${id} ${all.slice(0, index).filter((other) => other.id === id).length}`;
}

function titleOf({ name, kind, configPath }: SessionView): string {
  return `${name ?? configPath ?? "without a name yet"} (${kind})`;
}

/** The old and the new of each key. */
function pairs<T>(
  before: readonly T[],
  after: readonly T[],
  key: (item: T, index: number, all: readonly T[]) => string,
): [T | undefined, T | undefined][] {
  const old = new Map(before.map((item, index) => [key(item, index, before), item]));
  const now = new Map(after.map((item, index) => [key(item, index, after), item]));
  return [...new Set([...old.keys(), ...now.keys()])].map((each) => [old.get(each), now.get(each)]);
}
