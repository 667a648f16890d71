/** The commands and their options. What a command does is loaded when it is run: help and completion stay fast. */
import { Command, Option } from "commander";
import { version } from "./context.ts";
import { EXIT, UsageError } from "./exit-codes.ts";

const CONFIG = [
  "-c, --config <file>",
  "linkup.yaml to use (default: LINKUP_CONFIG, else the nearest one upwards)",
] as const;
const SESSION = [
  "-s, --session <name>",
  "the session that is meant (default: that of the nearest linkup.yaml)",
] as const;
const JSON_OUT = ["--json", "print JSON"] as const;

/** `json`: failures are told as JSON. */
export function program(json: boolean): Command {
  const linkup = new Command("linkup")
    .description("Work on one or two services of a large web system as if you ran all of it.")
    .version(version)
    .option(...CONFIG)
    // Programs are told by the failure's JSON.
    .configureOutput(json ? { writeErr: () => {} } : {})
    .showHelpAfterError("(linkup --help tells what there is)")
    .exitOverride(({ exitCode, message }) => {
      if (exitCode === 0) process.exit(EXIT.ok);
      if (json) throw new UsageError(message.replace(/^error: /, ""));
      process.exit(EXIT.usage);
    })
    .addHelpText("after", "\nExit codes and environment: docs/user/cli.md")
    // It may stand anywhere: before the command, and behind one that has no such option of its own.
    .hook("preAction", (_linkup, command) => {
      const { config } = linkup.opts();
      if (config !== undefined && command.getOptionValue("config") === undefined)
        command.setOptionValue("config", config);
      if (config !== undefined) process.env.LINKUP_CONFIG = config;
    });

  life(linkup);
  looking(linkup);
  sessions(linkup);
  infra(linkup);
  upkeep(linkup);
  return linkup;
}

function life(linkup: Command): void {
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
    .option(...JSON_OUT)
    .action(async (options) => (await import("./commands/stop.ts")).stop(options));

  linkup
    .command("route")
    .description("send requests for services to this machine, or to the deployed copies")
    .argument("<target>", "local or remote")
    .argument("[service...]", "services of linkup.yaml")
    .option("--all", "all services")
    .option(...SESSION)
    .option(...CONFIG)
    .option(...JSON_OUT)
    .addHelpText("after", "\nExamples:\n  linkup route local web api\n  linkup route remote --all")
    .action(async (target, services, options) =>
      (await import("./commands/route.ts")).route(target, services, options),
    );

  // The original's spellings.
  for (const target of ["local", "remote"]) {
    linkup
      .command(target, { hidden: true })
      .argument("[service...]")
      .option("--all")
      .option(...SESSION)
      .option(...CONFIG)
      .option(...JSON_OUT)
      .action(async (services, options) =>
        (await import("./commands/route.ts")).route(target, services, options),
      );
  }
}

function looking(linkup: Command): void {
  linkup
    .command("status")
    .description("show the sessions, where their services run, and how they are")
    .option(...SESSION)
    .option(...JSON_OUT)
    .option("-w, --watch", "go on showing every change, until Ctrl-C")
    .action(async (options) => (await import("./commands/status.ts")).status(options));

  linkup
    .command("health")
    .alias("doctor")
    .description("look at everything that sessions depend on: what is broken, why, and what helps")
    .option(...CONFIG)
    .option("--end-orphans", "end processes of Linkup that nobody needs")
    .option(...JSON_OUT)
    .action(async (options) => (await import("./commands/health.ts")).health(options));

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
    .addHelpText(
      "after",
      '\nExample:\n  linkup explain https://api.example.com/users -H "tracestate: linkup-session=slim-gecko"',
    )
    .action(async (url, options) => (await import("./commands/explain.ts")).explain(url, options));

  linkup
    .command("requests")
    .description("show the requests that came to this machine, or one of them")
    .argument("[id]", "one of them: where it went and why, its headers and timings")
    .option("-f, --follow", "go on showing them as they come, until Ctrl-C")
    .option("-s, --session <name>", "only those of this session")
    .option("--service <name>", "only those that this service got")
    .option("--failed", "only those with status 400 and more, or that broke off")
    .option("-n, --limit <number>", "the newest so many (default: 30)")
    .option("--curl", "with an id: the curl command that repeats it, secrets left out")
    .option(...JSON_OUT)
    .addHelpText("after", "\nExamples:\n  linkup requests --follow --failed\n  linkup requests 12 --curl")
    .action(async (id, options) => (await import("./commands/requests.ts")).requests(id, options));

  linkup
    .command("logs")
    .description("print what the processes wrote")
    .argument("[component]", "local-server, tunnel, local-dns or keeper (default: all)")
    .option("-f, --follow", "go on printing, until Ctrl-C")
    .option(...JSON_OUT)
    .action(async (component, options) => (await import("./commands/logs.ts")).logs(component, options));
}

function sessions(linkup: Command): void {
  const commands = linkup.command("sessions").description("list, create and delete sessions");
  for (const command of [commands.command("list").alias("ls"), linkup.command("ls", { hidden: true })]) {
    command
      .description("list the sessions of this machine")
      .option(...JSON_OUT)
      .action(async (options) => (await import("./commands/sessions.ts")).list(options));
  }
  // `linkup preview` is the original's spelling.
  for (const command of [commands.command("create-preview"), linkup.command("preview", { hidden: true })]) {
    command
      .description("create a session on the Worker alone, whose services are where you say")
      .argument("[words...]", "[NAME] SERVICE=URL…")
      .option("-n, --name <name>", "its name (default: made from its content)")
      .option(...CONFIG)
      .option("--print-request", "print what the Worker would be sent, and send nothing")
      .option(...JSON_OUT)
      .addHelpText("after", "\nExample:\n  linkup sessions create-preview web=https://web-pr-12.example.com")
      .action(async (words, options) =>
        (await import("./commands/sessions.ts")).createPreview(words, options),
      );
  }
  commands
    .command("create-isolated")
    .description("create a session on this machine alone, secondary that of linkup.yaml")
    .argument("<words...>", "NAME SERVICE=URL…")
    .option(...CONFIG)
    .option(...JSON_OUT)
    .action(async (words, options) =>
      (await import("./commands/sessions.ts")).createIsolated(words, options),
    );
  commands
    .command("delete")
    .description("delete a session, here or on the Worker")
    .argument("<name>", "its name; * stands for anything: 'pr-*'")
    .option(...CONFIG)
    .option(...JSON_OUT)
    .action(async (name, options) => (await import("./commands/sessions.ts")).remove(name, options));
}

function infra(linkup: Command): void {
  const commands = linkup.command("infra").description("deploy, check and remove the Worker at Cloudflare");
  const many = (value: string, before: string[] = []) => [...before, value];
  for (const [name, description] of [
    ["plan", "show what a deployment would do, and change nothing"],
    ["deploy", "show the plan, ask, and create or update the Worker"],
    ["status", "check the deployed Worker, its DNS records, routes and certificates"],
    ["destroy", "show what would be removed, ask, and remove what Linkup made"],
  ] as const) {
    const command = commands
      .command(name)
      .description(description)
      .option("-z, --zone <name>", "a zone whose host names sessions use; may be given several times", many)
      .option("--tunnel-zone <name>", "the zone for the tunnels' host names (default: the first zone)")
      .option("--name <name>", "the Worker's name (default: linkup)")
      .option(...JSON_OUT)
      // The original's spellings.
      .addOption(new Option("--email <email>").hideHelp())
      .addOption(new Option("--api-key <key>").hideHelp())
      .addOption(new Option("--account-id <id>").hideHelp())
      .addOption(new Option("--zone-ids <ids...>").hideHelp())
      .action(async (options) => (await import("./commands/infra.ts"))[name](options));
    if (name === "deploy" || name === "destroy") command.option("-y, --yes", "do not ask");
    if (name === "deploy" || name === "plan")
      command.option("--allow-older", "deploy over a newer version of the Worker");
  }
}

function upkeep(linkup: Command): void {
  const localDns = linkup
    .command("local-dns")
    .description("let the names of sessions on this machine lead here");
  for (const [name, description] of [
    ["install", "show what would change on this machine, ask, and do it"],
    ["uninstall", "take everything back"],
  ] as const) {
    localDns
      .command(name)
      .description(description)
      .option(...CONFIG)
      .option("-y, --yes", "do not ask")
      .option("--dry-run", "only show the commands")
      .option(...JSON_OUT)
      .action(async (options) => (await import("./commands/local-dns.ts"))[name](options));
  }
  localDns
    .command("status")
    .description("tell whether it is installed, and for what")
    .option(...JSON_OUT)
    .action(async (options) => (await import("./commands/local-dns.ts")).status(options));

  linkup
    .command("cloudflared")
    .description("get the program that the tunnels of sessions need")
    .command("install")
    .description("show what would be downloaded, ask, and download it")
    .option("--release <version>", "another release than the one that Linkup pins")
    .option("--sha256 <checksum>", "the checksum of that release's asset for this machine")
    .option("-y, --yes", "do not ask")
    .option(...JSON_OUT)
    .action(async (options) => (await import("./commands/cloudflared.ts")).install(options));

  linkup
    .command("init")
    .description("create a linkup.yaml to start from")
    .argument("[file]", "where", "linkup.yaml")
    .option(...JSON_OUT)
    .action(async (file, options) => (await import("./commands/init.ts")).init(file, options));

  linkup
    .command("mcp")
    .description("serve coding agents: a Model Context Protocol server on standard input and output")
    .action(async () => (await import("./commands/mcp.ts")).mcp());

  linkup
    .command("completion")
    .description("print a completion script: source <(linkup completion bash)")
    .argument("<shell>", "bash, zsh or fish")
    .action(async (shell) => (await import("./commands/completion.ts")).completion(shell));

  linkup
    .command("uninstall")
    .description("stop everything and remove Linkup's state")
    .option("-y, --yes", "do not ask")
    .option(...JSON_OUT)
    .action(async (options) => (await import("./commands/uninstall.ts")).uninstall(options));

  linkup
    .command("complete", { hidden: true })
    .argument("[words...]")
    .action(async (words) => (await import("./commands/completion.ts")).complete(linkup, words));

  linkup
    .command("keep", { hidden: true })
    .requiredOption("--home <folder>")
    .action(async ({ home }) => (await import("./commands/keep.ts")).keep(home));
}
