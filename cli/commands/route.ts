/** `linkup route` */
import { text } from "node:stream/consumers";
import { parseInvite } from "../../core/access/invite-text.ts";
import { isTargetName, targetKind } from "../../core/config/model/target.ts";
import { readConfig } from "../../manager/files/config-file.ts";
import type { Manager } from "../../manager/manager.ts";
import { needConfig, newManager, selectSession } from "../context.ts";
import { UsageError } from "../exit-codes.ts";
import { printResult } from "../print/output.ts";
import { spin } from "../print/spinner.ts";
import { sessionText } from "../print/status.ts";

interface Options {
  all?: boolean;
  session?: string;
  config?: string;
  json?: boolean;
  invite?: boolean;
}

export async function route(target: string, services: string[], options: Options): Promise<void> {
  if (targetKind(target) === "named" && !isTargetName(target))
    throw new UsageError(
      `The target must be local, remote, auto, a URL, a name of linkup.yaml or session:NAME, not "${target}".`,
    );
  const all = options.all ?? false;
  if (all === services.length > 0)
    throw new UsageError(all ? "Name services or use --all, not both." : "Name services, or use --all.");
  const manager = newManager({ keep: false });
  if (options.invite) return await routeElsewhere(manager, target, services, options);
  const selector = await selectSession(manager, options);
  const session = await spin("Routing", manager.route(selector, all ? "all" : services, target));
  printResult(options.json, session, () => sessionText(session));
}

/** Somebody else's session, by an invite: it is in LINKUP_INVITE or comes on standard input, so that no list of processes has it. */
async function routeElsewhere(
  manager: Manager,
  target: string,
  services: readonly string[],
  { session, all, config, json }: Options,
): Promise<void> {
  if (target !== "local" && target !== "remote")
    throw new UsageError("An invite lets you route to local and remote only.");
  if (all) throw new UsageError("Name the services: --all is for sessions of this machine.");
  const given = process.env.LINKUP_INVITE || (process.stdin.isTTY ? "" : (await text(process.stdin)).trim());
  if (!given)
    throw new UsageError("Give the invite, a token or a link, in LINKUP_INVITE, or on standard input.");
  const invite = parseInvite(given);
  if (!invite) throw new UsageError("LINKUP_INVITE is neither the token of an invite nor its link.");
  const name = session ?? invite.session;
  if (name === undefined) throw new UsageError("Name the session that you are invited to with --session.");
  const workerUrl = (await readConfig(needConfig(config))).linkup.worker_url;
  const routed = services.map((name): [string, "local" | "remote"] => [name, target]);
  const change = { services: Object.fromEntries(routed) };
  const invited = { workerUrl, session: name, invite: invite.token };
  await spin("Asking the owner's machine", manager.routeElsewhere(invited, change));
  printResult(json, change.services, () => `Routed ${services.join(", ")} of ${name} to ${target}.\n`);
}
