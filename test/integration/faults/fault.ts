/** What a fault is, and how it is tried and told. */
import { Manager } from "../../../manager/manager.ts";
import type { Snapshot } from "../../../manager/model/snapshot.ts";
import { TOKEN, until, World } from "../manager/world.ts";

export interface Fault {
  name: string;
  /** Which Worker it is tried with. */
  tunnel: "direct" | "cloudflare";
  /** Makes the fault, waits until all is well again, and throws when something does not hold. */
  run(trial: Trial): Promise<void>;
}

/** A table's row. */
export interface FaultOutcome {
  fault: string;
  sees: string;
  /** Milliseconds until it served again (or was gone, where that is what should happen); undefined when it never failed. */
  back: number | undefined;
  failure: string | undefined;
}

/** One fault being tried on a machine of its own. */
export class Trial {
  readonly world: World;
  /** What the user was shown, in order. */
  readonly #seen: string[] = [];
  #back: number | undefined;
  #observing = true;
  readonly #observer: Promise<void>;

  constructor(world: World) {
    this.world = world;
    this.#observer = this.#observe();
  }

  /** Notes what a command printed, or what else the user sees. */
  sees(text: string): void {
    if (this.#seen.at(-1) !== text) this.#seen.push(text);
  }

  /** Measures how long it takes until this holds. */
  async untilBack(what: string, probe: () => unknown | Promise<unknown>, timeoutMs = 60_000): Promise<void> {
    const start = performance.now();
    await until(what, async () => Boolean(await probe()), timeoutMs);
    this.#back = Math.round(performance.now() - start);
  }

  /** The session is served by the local copy again. */
  untilServed(name: string, by = "local web"): Promise<void> {
    return this.untilBack(`${name} served by ${by}`, async () => (await this.world.served(name)) === by);
  }

  /** A running session whose `web` is on this machine; returns its name. */
  async session(): Promise<string> {
    const { session_name } = await this.world.json<{ session_name: string }>("start", "--detach");
    await this.world.json("route", "local", "web");
    check((await this.world.served(session_name)) === "local web", "the session serves before the fault");
    this.#seen.length = 0;
    return session_name;
  }

  /** Nothing doubled, and after a stop nothing left. */
  async leavesNothing(): Promise<void> {
    for (const program of ["local-server", "local-dns", "keeper", "cloudflared"] as const) {
      const pids = this.world.pidsOf(program);
      check(pids.length <= 1, `${program} runs ${pids.length} times`);
    }
    const { code, stderr } = await this.world.linkup("stop", "--all");
    check(code === 0, `linkup stop --all ended with ${code}: ${stderr}`);
    const left = [...this.world.processes().values()];
    check(left.length === 0, `left behind: ${left.join(", ")}`);
  }

  async end(): Promise<Pick<FaultOutcome, "sees" | "back">> {
    this.#observing = false;
    await this.#observer;
    return { sees: this.#seen.join("; ") || "nothing", back: this.#back };
  }

  async #observe(): Promise<void> {
    const { home, dist, env } = this.world;
    const eyes = new Manager({
      home,
      dist,
      version: "0.0.0",
      env,
      user: { id: "eyes", keep: false },
      log: () => {},
    });
    let before: string[] = [];
    while (this.#observing) {
      const now = described(await eyes.look().catch(() => undefined));
      for (const text of now) if (!before.includes(text)) this.sees(text);
      before = now;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
}

/** What is not as it should be, in the words of the tree and of `linkup status`. */
function described(snapshot: Snapshot | undefined): string[] {
  if (!snapshot) return [];
  return [
    ...snapshot.components
      .filter(({ state }) => state === "starting" || state === "failed")
      .map(({ id, state }) => `${id} ${state}`),
    ...snapshot.problems.map(({ title }) => `“${title}”`),
  ];
}

export function check(holds: boolean, what: string): asserts holds {
  if (!holds) throw new Error(what);
}

export async function tryFault(fault: Fault): Promise<FaultOutcome> {
  await using world = await World.create(fault.tunnel);
  const trial = new Trial(world);
  let failure: string | undefined;
  try {
    await fault.run(trial);
    await trial.leavesNothing();
  } catch (error) {
    failure = (error as Error).message;
    if (process.env.LINKUP_DEBUG) console.error(error, world.logs());
  }
  return { fault: fault.name, failure, ...(await trial.end()) };
}

export { TOKEN, until };
