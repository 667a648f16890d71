/** The commands and their options. What a command does is loaded when it is run: help and completion stay fast. */
import { Command, Option } from "commander";
import { version } from "./context.ts";
import { EXIT } from "./exit-codes.ts";

const CONFIG = [
  "-c, --config <file>",
  "linkup.yaml to use (default: LINKUP_CONFIG, else the nearest one upwards)",
] as const;
const SESSION = [
  "-s, --session <name>",
  "the session that is meant (default: that of the nearest linkup.yaml)",
] as const;
const JSON_OUT = ["--json", "print JSON"] as const;

export function program(): Command {
  const linkup = new Command("linkup")
    .description("Work on one or two services of a large web system as if you ran all of it.")
    .version(version)
    .showHelpAfterError("(linkup --help tells what there is)")
    .exitOverride(({ exitCode }) => process.exit(exitCode === 0 ? EXIT.ok : EXIT.usage));

  linkup
    .command("start")
    .description("start the session of this linkup.yaml, or adopt the one that runs")
    .option(...CONFIG)
    .option("--isolated", "serve it on this machine only, without the Worker")
    .option("-n, --name <name>", "the session's name (default: the one it had, or a new one)")
    .option("-d, --detach", "return when it runs; it goes on until linkup stop")
    .option(...JSON_OUT)
    .action(async (options) => (await import("./commands/start.ts")).start(options));

  linkup
    .command("stop")
    .description("stop a session and what only it needs")
    .option(...SESSION)
    .option(...CONFIG)
    .option("--all", "stop all sessions of this machine")
    .action(async (options) => (await import("./commands/stop.ts")).stop(options));

  linkup
    .command("status")
    .description("show the sessions, where their services run, and how they are")
    .option(...SESSION)
    .option(...JSON_OUT)
    .option("-w, --watch", "go on showing every change, until Ctrl-C")
    .action(async (options) => (await import("./commands/status.ts")).status(options));

  linkup
    .command("route")
    .description("send requests for services to this machine, or to the deployed copies")
    .argument("<target>", "local or remote")
    .argument("[service...]", "services of linkup.yaml")
    .option("--all", "all services")
    .option(...SESSION)
    .option(...CONFIG)
    .option(...JSON_OUT)
    .action(async (target, services, options) =>
      (await import("./commands/route.ts")).route(target, services, options),
    );

  linkup
    .command("explain")
    .description("tell where a request would go, and why")
    .argument("<url>")
    .addOption(
      new Option("-H, --header <header>", "a header of the request, `name: value`")
        .argParser((header: string, before: string[]) => [...before, header])
        .default([], ""),
    )
    .option(...SESSION)
    .option(...CONFIG)
    .option(...JSON_OUT)
    .action(async (url, options) => (await import("./commands/explain.ts")).explain(url, options));

  const sessions = linkup.command("sessions").description("list sessions");
  for (const command of [sessions.command("list").alias("ls"), linkup.command("ls", { hidden: true })]) {
    command
      .description("list the sessions of this machine")
      .option(...JSON_OUT)
      .action(async (options) => (await import("./commands/sessions.ts")).list(options));
  }

  linkup.command("keep", { hidden: true }).action(async () => (await import("./commands/keep.ts")).keep());
  return linkup;
}
