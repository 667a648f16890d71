/** The Worker's token, and whether it may be sent to the Worker that a linkup.yaml names. */

import type { Config } from "../../core/config/model/config-model.ts";
import { isLoopback } from "../../core/session/host-name.ts";
import { text } from "../../core/text.ts";
import type { ManagerOptions } from "../model/manager-options.ts";
import { LinkupError } from "../model/problem.ts";
import type { ConfirmedWorkers } from "../store/confirmed-workers.ts";

/**
 * From the editor's secret storage, else LINKUP_WORKER_TOKEN, else the file (with `${env:LINKUP_…}` expanded). Rejects
 * with a LinkupError without a token, or when the file may not have it: a cloned linkup.yaml names any Worker it likes,
 * so a token that is not the file's own goes only to a confirmed one, and no token in clear text over a network.
 */
export async function workerToken(
  config: Config,
  { env, token: stored }: Pick<ManagerOptions, "env" | "token">,
  confirmed: ConfirmedWorkers,
): Promise<string> {
  const { worker_url, worker_token = "" } = config.linkup;
  assertPrivate(worker_url);
  const given = (await stored?.(worker_url)) || env.LINKUP_WORKER_TOKEN;
  const { expandEnv } = await import("../../core/config/expand-env.ts");
  const { text: expanded, missing, forbidden, usesEnv } = expandEnv(worker_token, env);
  // As secrets and files are pasted into variables: with the end of their line.
  const token = (given || expanded)?.trim();
  if (!token) throw missingToken(worker_url, missing, forbidden);
  if ((given || usesEnv) && !(await confirmed.has(worker_url))) throw unconfirmed(worker_url);
  return token;
}

/** The Worker whose host the user has to confirm before its token is sent there; undefined when there is nothing to ask. */
export async function workerToConfirm(
  config: Config,
  options: Pick<ManagerOptions, "env" | "token">,
  confirmed: ConfirmedWorkers,
): Promise<string | undefined> {
  try {
    await workerToken(config, options, confirmed);
  } catch (error) {
    if (error instanceof LinkupError && error.problem.code === "worker-unconfirmed")
      return new URL(config.linkup.worker_url).origin;
    // Anything else is told when it stands in the way.
    if (!(error instanceof LinkupError)) throw error;
  }
  return undefined;
}

/** Throws the LinkupError of a Worker that was not confirmed. */
export function unconfirmed(workerUrl: string): LinkupError {
  const { host, origin } = new URL(workerUrl);
  return new LinkupError(
    "worker-unconfirmed",
    text(
      "Your token has never been sent to {0}, the Worker that linkup.yaml names. Confirm that this Worker may receive it: with --worker-host {1}, or LINKUP_WORKER_HOST={2} in CI.",
      origin,
      host,
      host,
    ),
    [{ command: "confirmWorker", title: "Confirm Worker…", terminal: `linkup start --worker-host ${host}` }],
  );
}

function assertPrivate(workerUrl: string): void {
  const { protocol, host, origin } = new URL(workerUrl);
  if (protocol === "https:" || isLoopback(host)) return;
  throw new LinkupError(
    "worker-insecure",
    text(
      "The Worker at {0} would get the token in clear text. Use https in linkup.worker_url; http is for a Worker on this machine only.",
      origin,
    ),
    [{ command: "openConfig", title: "Open linkup.yaml" }],
  );
}

function missingToken(workerUrl: string, missing: string[], forbidden: string[]): LinkupError {
  const names = (variables: string[]) => variables.map((name) => `\${env:${name}}`).join(" and ");
  const why =
    forbidden.length > 0
      ? text(
          "linkup.worker_token names {0}: only variables whose names start with LINKUP_ are read",
          names(forbidden),
        )
      : missing.length > 0
        ? text("linkup.worker_token names {0}, which is not set", names(missing))
        : text(
            "there is none in the editor's secret storage, in LINKUP_WORKER_TOKEN or in linkup.worker_token",
          );
  return new LinkupError("token-missing", text("The Worker at {0} needs a token, and {1}.", workerUrl, why), [
    { command: "setWorkerToken", title: "Set Worker Token…", terminal: "export LINKUP_WORKER_TOKEN=…" },
  ]);
}
