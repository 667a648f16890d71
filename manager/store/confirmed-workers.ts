/** The Workers that the user has allowed to be sent a token, kept in the state folder. */

import { readFile } from "node:fs/promises";
import { join } from "node:path";
import * as z from "zod/mini";
import { isLoopback } from "../../core/session/host-name.ts";
import { text } from "../../core/text.ts";
import { writeAtomically } from "../../node/atomic-file.ts";
import { makeFolder } from "../../node/folder.ts";
import { Lock } from "../../node/lock.ts";
import { LinkupError } from "../model/problem.ts";

const fileSchema = z.object({ origins: z.array(z.string()) });

export class ConfirmedWorkers {
  readonly #home: string;
  readonly #file: string;
  readonly #env: NodeJS.ProcessEnv;
  readonly #lock: Lock;

  /** `env`: LINKUP_WORKER_HOST names a host that needs no confirmation, for CI. */
  constructor(home: string, env: NodeJS.ProcessEnv) {
    this.#home = home;
    this.#file = join(home, "confirmed-workers.json");
    this.#env = env;
    this.#lock = new Lock(`${this.#file}.lock`, unwritable);
  }

  /** True for a Worker on this machine too. */
  async has(workerUrl: string): Promise<boolean> {
    const { host, origin } = new URL(workerUrl);
    if (isLoopback(host)) return true;
    const named = this.#env.LINKUP_WORKER_HOST?.trim().toLowerCase();
    return named === host || named === origin || (await this.#read()).includes(origin);
  }

  /** From now on this Worker may be sent the user's token. */
  async add(workerUrl: string): Promise<void> {
    const { origin } = new URL(workerUrl);
    try {
      makeFolder(this.#home);
    } catch (error) {
      throw unwritable(error);
    }
    await this.#lock.hold(async () => {
      const origins = [...new Set([...(await this.#read()), origin])];
      await writeAtomically(this.#file, `${JSON.stringify({ origins }, null, 2)}\n`);
    });
  }

  /** A file that cannot be read confirms nothing: the user is asked again. */
  async #read(): Promise<string[]> {
    try {
      return fileSchema.parse(JSON.parse(await readFile(this.#file, "utf8"))).origins;
    } catch {
      return [];
    }
  }
}

function unwritable(cause: unknown): LinkupError {
  return new LinkupError(
    "state-unusable",
    text("The confirmed Workers cannot be saved: {0}", (cause as Error).message),
    [],
    { cause },
  );
}
