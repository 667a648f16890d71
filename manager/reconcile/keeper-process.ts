/** The keeper process: one per home, while sessions need this machine. */
import { join } from "node:path";
import { logFile } from "../../node/log-files.ts";
import { isRunning } from "../../node/process-identity.ts";
import { MALLOC } from "../components/local-server/local-server.ts";
import { namedCloudflared } from "../components/tunnel/cloudflared-binary.ts";
import type { ProcessOptions } from "../model/manager-options.ts";
import { childEnv, endProcess, startDetached } from "../process/child.ts";
import type { Store } from "../store/store.ts";

/** It does little, and seldom: no threads to collect or to compile beside it. */
const V8_OPTIONS = ["--v8-pool-size=0", "--max-semi-space-size=1"];

export class KeeperProcess {
  readonly #options: ProcessOptions;
  readonly #store: Store;

  constructor(options: ProcessOptions, store: Store) {
    this.#options = options;
    this.#store = store;
  }

  /** Starts it when it does not run. Only in a transaction. */
  async ensure(): Promise<void> {
    const { keeper } = await this.#store.read();
    if (keeper && (await isRunning(keeper))) return;
    const { home, dist, node, env, log } = this.#options;
    const cloudflared = namedCloudflared(env);
    const named = cloudflared ? { CLOUDFLARED_PATH: cloudflared } : {};
    const { id } = await startDetached(
      node ?? process.execPath,
      [...V8_OPTIONS, join(dist, "cli.js"), "keep", "--home", home],
      {
        cwd: home,
        env: childEnv(env, { ...MALLOC, ...named, ELECTRON_RUN_AS_NODE: "1", LINKUP_HOME: home }),
        output: logFile(home, "keeper"),
      },
      (id) =>
        this.#store.change((state) => {
          state.keeper = id;
        }),
    );
    log(`Started the keeper (pid ${id.pid}).`);
  }

  /** Ends the keeper, unless this process is it: then it exits once nothing is left. */
  async stop(): Promise<void> {
    const { keeper } = await this.#store.read();
    if (!keeper) return;
    const itself = keeper.pid === process.pid;
    if (!itself) await endProcess(keeper);
    await this.#store.change((state) => {
      state.keeper = null;
      if (itself) state.exiting_keeper = keeper;
    });
  }
}
