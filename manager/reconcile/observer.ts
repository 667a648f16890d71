/** Observes the desired state and what runs, and publishes snapshots. */

import { text } from "../../core/text.ts";
import { localDnsProblems } from "../components/local-dns/local-dns-problems.ts";
import { type ControlClient, STATUS_TIMEOUT_MS } from "../components/local-server/control-client.ts";
import { LinkupError, type Problem } from "../model/problem.ts";
import type { SessionView, Snapshot } from "../model/snapshot.ts";
import { emptyState } from "../model/state.ts";
import type { Store } from "../store/store.ts";
import { askDirectly, HealthBook, type SendProbe } from "./service-health.ts";
import { type Observations, probesOf, sessionView, snapshotOf } from "./snapshot-of.ts";

const HEALTH_MS = 10_000;
/** Limits the wait for health probes after a start or a toggle. */
const PATIENCE_MS = 300;

export class Observer {
  snapshot: Snapshot = { sessions: [], components: [], problems: [] };
  readonly #store: Store;
  readonly #control: ControlClient;
  readonly #version: string;
  readonly #health = new HealthBook();
  readonly #listeners = new Set<(snapshot: Snapshot) => void>();
  /** Problems known to this process only, by subject. */
  readonly #problems = new Map<string, Problem>();
  #localDns: readonly Problem[] = [];
  #seen: Pick<Observations, "state" | "server"> = { state: emptyState(), server: undefined };
  #probedAt = Number.NEGATIVE_INFINITY;
  /** Counts the looks; the number of the one that is shown. */
  #looks = 0;
  #shown = 0;

  constructor(store: Store, control: ControlClient, version: string) {
    this.#version = version;
    this.#store = store;
    this.#control = control;
  }

  get seen(): Pick<Observations, "state" | "server"> {
    return this.#seen;
  }

  onDidChange(listener: (snapshot: Snapshot) => void): { dispose(): void } {
    this.#listeners.add(listener);
    return { dispose: () => void this.#listeners.delete(listener) };
  }

  /** Null clears the problem. */
  tell(about: string, problem: Problem | null): void {
    if (problem) this.#problems.set(about, problem);
    else this.#problems.delete(about);
    this.#present();
  }

  /** Shows the desired state at once, with what ran at the last look. */
  async showState(): Promise<void> {
    const look = ++this.#looks;
    this.#show(look, { ...this.#seen, state: await this.#store.read() });
  }

  /** Shows the desired state and what runs, with the health last known. */
  async look(): Promise<void> {
    const look = ++this.#looks;
    const state = await this.#store.read();
    const server = await this.#control.status(STATUS_TIMEOUT_MS).catch(() => undefined);
    this.#localDns = await localDnsProblems(this.#store.home, state);
    this.#show(look, { state, server });
  }

  /** A look that took longer than a later one must not take back what that one showed. */
  #show(look: number, seen: Pick<Observations, "state" | "server">): void {
    if (look < this.#shown) return;
    this.#shown = look;
    this.#seen = seen;
    this.#present();
  }

  /** Probes the services: now, or when the interval is over or a copy was never probed. */
  async probe(when: "now" | "due", patienceMs?: number): Promise<void> {
    const probes = probesOf(this.#seen.state, this.#seen.server);
    const fresh = performance.now() - this.#probedAt < HEALTH_MS;
    if (when === "due" && fresh && probes.every((probed) => this.#health.knows(probed))) return;
    this.#probedAt = performance.now();
    await this.#health.refresh(probes, this.#ask(), patienceMs);
    this.#present();
  }

  /** Looks at everything now. `patienceMs`: how long to wait for health probes. */
  async refresh(patienceMs?: number): Promise<Snapshot> {
    await this.look();
    await this.probe("now", patienceMs);
    return this.snapshot;
  }

  /** As the proxy reaches services, with its own connections. */
  #ask(): SendProbe {
    if (!this.#seen.server) return askDirectly;
    return (probe) => this.#control.probe(probe).catch(() => askDirectly(probe));
  }

  /** Refreshes and returns one session. */
  async session(id: string): Promise<SessionView> {
    await this.look();
    await this.probe("now", PATIENCE_MS);
    const { state, server } = this.#seen;
    const record = state.sessions.find((record) => record.id === id);
    if (!record) throw new LinkupError("session-stopped", text("The session was stopped in the meantime."));
    return sessionView(record, server, this.#health);
  }

  #present(): void {
    const problems = [...this.#problems.values(), ...this.#localDns];
    const next = snapshotOf({ ...this.#seen, health: this.#health, version: this.#version, problems });
    if (JSON.stringify(next) === JSON.stringify(this.snapshot)) return;
    this.snapshot = next;
    for (const listener of this.#listeners) listener(next);
  }
}
