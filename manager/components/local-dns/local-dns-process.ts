/** Supervises the local DNS process, which runs while local DNS is installed. */

import { join } from "node:path";
import { LOCAL_DNS_PROBE_NAME } from "../../../core/api/control-api.ts";
import { type Text, text } from "../../../core/text.ts";
import { isOlder } from "../../../core/version-order.ts";
import { logFile } from "../../../node/log-files.ts";
import { isRunning } from "../../../node/process-identity.ts";
import type { ProcessOptions } from "../../model/manager-options.ts";
import { problem } from "../../model/problem.ts";
import type { LocalDnsState } from "../../model/state.ts";
import { failed, isDue, markHealthy, markStarted, notStarted } from "../../model/supervision.ts";
import { childEnv, endProcess, lastLines, startDetached } from "../../process/child.ts";
import type { Store } from "../../store/store.ts";
import { journalFile } from "./journal.ts";
import { dnsAddress } from "./name-plan.ts";

const QUERY_MS = 1_000;
/** Start-up takes 100 ms on an idle machine. */
const START_MS = 15_000;
const { address, port } = dnsAddress(process.platform);
const LISTENING = `${address}:${port}`;

export class LocalDns {
  readonly logPath: string;
  readonly #options: ProcessOptions;
  readonly #store: Store;

  constructor(options: ProcessOptions, store: Store) {
    this.#options = options;
    this.#store = store;
    this.logPath = logFile(options.home, "local-dns");
  }

  /**
   * Starts, watches or replaces the process, and never waits for it. `host`: a name that it must resolve, if any;
   * `domains`: those it is installed for. Only in a transaction.
   */
  async ensure(host: string | undefined, domains: readonly string[]): Promise<void> {
    const before = (await this.#store.read()).local_dns;
    if (before.process && isOlder(before.version ?? "0", this.#options.version)) await this.stop();
    else if (before.process && !(await isRunning(before.process)))
      await this.#fail(text("The process ended unexpectedly."), domains);
    else if (before.process && (await answers(host ?? LOCAL_DNS_PROBE_NAME)))
      await this.#change((before) => ({ ...markHealthy(before, Date.now()), ready: true }));
    else if (before.process && Date.now() - before.started > START_MS) {
      await endProcess(before.process);
      await this.#fail(text("It does not answer DNS queries on {0}.", LISTENING), domains);
    }
    const now = (await this.#store.read()).local_dns;
    if (!now.process && isDue(now, Date.now())) await this.#start();
  }

  async stop(): Promise<void> {
    const { process, problem } = (await this.#store.read()).local_dns;
    if (!process && !problem) return;
    if (process) await endProcess(process);
    await this.#change(() => ({ ...notStarted(), ready: false }));
  }

  async #start(): Promise<void> {
    const { home, dist, node, env, log, version } = this.#options;
    const { id } = await startDetached(
      node ?? process.execPath,
      [join(dist, "local-dns.js"), "--home", home, "--listen", LISTENING, "--while", journalFile(home)],
      {
        cwd: home,
        env: childEnv(env, { ELECTRON_RUN_AS_NODE: "1", LINKUP_HOME: home }),
        output: this.logPath,
      },
      async (id) => {
        await this.#change((before) => ({ ...markStarted(before, id, Date.now()), ready: false, version }));
        await this.#store.flush();
      },
    );
    log(`Started local DNS (pid ${id.pid}).`);
  }

  async #fail(reason: Text, domains: readonly string[]): Promise<void> {
    const why = text(
      "{0} Names under {1} do not resolve on this machine until it runs again.",
      reason,
      domains.join(", "),
    );
    const lines = await lastLines(this.logPath);
    const found = problem("local-dns-failed", lines ? text("{0} Its last lines:\n{1}", why, lines) : why, [
      { command: "showLogs", title: "Show Logs", terminal: "linkup logs local-dns" },
    ]);
    this.#options.log(`Local DNS: ${found.message}`);
    await this.#change((before) => ({ ...failed(before, found, Date.now()), ready: false }));
  }

  async #change(next: (before: LocalDnsState) => LocalDnsState): Promise<void> {
    await this.#store.change((state) => {
      state.local_dns = next(state.local_dns);
    });
  }
}

/** True when local DNS resolves the host to this machine. */
export async function answers(host: string): Promise<boolean> {
  // Loaded lazily: most machines have no local DNS.
  const { Resolver } = process.getBuiltinModule("node:dns/promises");
  const resolver = new Resolver({ timeout: QUERY_MS, tries: 1 });
  resolver.setServers([LISTENING]);
  try {
    return (await resolver.resolve4(host)).includes("127.0.0.1");
  } catch {
    // No answer or no such name: not ready.
    return false;
  }
}
