/** The commands and their options. Each command's module is loaded when it runs, so that help and completion are fast. */
import { Command, Option } from "commander";
import { EXIT, UsageError } from "./exit-codes.ts";
import { print, printNote } from "./print/output.ts";
import { version } from "./version.ts";

const CONFIG = [
  "-c, --config <file>",
  "linkup.yaml to use (default: LINKUP_CONFIG, else the nearest one upwards)",
] as const;
const SESSION = [
  "-s, --session <name>",
  "session to use (default: the session of the nearest linkup.yaml)",
] as const;
const WORKER_HOST = [
  "--worker-host <host>",
  "host of the Worker that may receive your token, if not yet confirmed (default: LINKUP_WORKER_HOST)",
] as const;
const access = () =>
  new Option(
    "--access <kind>",
    "who can open the session; with unguessable, everyone with its URL, and its name gets ten random characters",
  ).choices(["public", "unguessable", "private"]);
const PRIVATE = ["--private", "only those whom you invite can open it (kept for the next starts)"] as const;
const PUBLIC = ["--public", "everyone who knows its URL can open it"] as const;
const JSON_OUT = ["--json", "print JSON"] as const;

/** Adds a command of `linkup`. */
type AddCommand = (linkup: Command) => void;

/** By their first words, in the order of the help. */
const COMMANDS: Record<string, AddCommand> = {
  start,
  stop,
  route,
  override,
  share,
  // The original's spellings.
  local: (linkup) => routeTo(linkup, "local"),
  remote: (linkup) => routeTo(linkup, "remote"),
  status,
  health,
  explain,
  requests,
  replay,
  compare,
  "check-propagation": checkPropagation,
  logs,
  sessions,
  ls: (linkup) => listSessions(linkup.command("ls", { hidden: true })),
  preview: (linkup) => createPreview(linkup.command("preview", { hidden: true })),
  infra,
  "local-dns": localDns,
  cloudflared,
  init,
  mcp,
  completion,
  uninstall,
  complete,
  keep,
};

/** The command that these words name: nothing but `--config` may stand before it. */
function commandName(words: readonly string[]): string | undefined {
  const [word, ...rest] = words;
  if (word === "-c" || word === "--config") return commandName(rest.slice(1));
  return word?.startsWith("-c") || word?.startsWith("--config=") ? commandName(rest) : word;
}

/**
 * `json`: failures are printed as JSON. Has the one command that these words ask for, or all where they name none: to add
 * all takes longer than most commands.
 */
export function program(json: boolean, words: readonly string[]): Command {
  const linkup = new Command("linkup")
    .description("Work on one or two services of a large web system as if you ran all of it.")
    .version(version)
    .option(...CONFIG)
    // With --json the failure is printed as JSON instead.
    .configureOutput({ writeOut: print, writeErr: json ? () => {} : printNote })
    .showHelpAfterError("(run linkup --help for usage)")
    .exitOverride(({ exitCode, message }) => {
      if (exitCode === 0) process.exit(EXIT.ok);
      if (json) throw new UsageError(message.replace(/^error: /, ""));
      process.exit(EXIT.usage);
    })
    .addHelpText("after", "\nExit codes and environment: docs/user/cli.md")
    // --config may stand before the command, or after one that has no such option.
    .hook("preAction", (_linkup, command) => {
      const { config } = linkup.opts();
      if (config !== undefined && command.getOptionValue("config") === undefined)
        command.setOptionValue("config", config);
      if (config !== undefined) process.env.LINKUP_CONFIG = config;
      const workerHost: string | undefined = command.getOptionValue("workerHost");
      if (workerHost !== undefined) process.env.LINKUP_WORKER_HOST = workerHost;
    });

  const name = commandName(words);
  if (name !== undefined && Object.hasOwn(COMMANDS, name)) COMMANDS[name]!(linkup);
  else for (const add of Object.values(COMMANDS)) add(linkup);
  return linkup;
}

function start(linkup: Command): void {
  linkup
    .command("start")
    .description("start the session of this linkup.yaml, or adopt the running one")
    .option(...CONFIG)
    .option("--isolated", "serve the session on this machine only, without the Worker")
    .option("-n, --name <name>", "name of the session (default: its last name, or a free one)")
    .addOption(access())
    .option(...PRIVATE)
    .option(...PUBLIC)
    .option("-d, --detach", "return when the session is running; it runs until linkup stop")
    .option("-f, --foreground", "stay and stop the session at Ctrl-C (default on a terminal)")
    .option("-y, --yes", "do not ask before --isolated ends a public URL")
    .option(...WORKER_HOST)
    .option(...JSON_OUT)
    .action(async (options) => (await import("./commands/start.ts")).start(options));
}

function stop(linkup: Command): void {
  linkup
    .command("stop")
    .description("stop a session and the processes that only it needs")
    .option(...SESSION)
    .option(...CONFIG)
    .option("-a, --all", "stop all sessions of this machine")
    .option(...JSON_OUT)
    .action(async (options) => (await import("./commands/stop.ts")).stop(options));
}

function route(linkup: Command): void {
  linkup
    .command("route")
    .description("route services to this machine (local), to the deployed copies (remote), or elsewhere")
    .argument("<target>", "local, remote, auto, a URL, a target's name in linkup.yaml, or session:NAME")
    .argument("[service...]", "names of services in linkup.yaml")
    .option("-a, --all", "all services")
    .option(
      "--invite",
      "route a colleague's session with an invite, whose link or token is read from LINKUP_INVITE or standard input",
    )
    .option(...SESSION)
    .option(...CONFIG)
    .option(...JSON_OUT)
    .addHelpText(
      "after",
      "\nExamples:\n  linkup route local web api\n  linkup route remote -a\n  linkup route auto -a  (local while something listens there)\n  linkup route https://pr-12.example.com web\n  linkup route session:bold-cat api  (where that session has it)",
    )
    .action(async (target, services, options) =>
      (await import("./commands/route.ts")).route(target, services, options),
    );
}

function routeTo(linkup: Command, target: "local" | "remote"): void {
  linkup
    .command(target, { hidden: true })
    .argument("[service...]")
    .option("-a, --all")
    .option(...SESSION)
    .option(...CONFIG)
    .option(...JSON_OUT)
    .action(async (services, options) =>
      (await import("./commands/route.ts")).route(target, services, options),
    );
}

function override(linkup: Command): void {
  const commands = linkup
    .command("override")
    .description("list the overrides of linkup.yaml, and switch them on and off for a session");
  commands
    .command("list")
    .description("list the overrides and which of them are on")
    .option(...SESSION)
    .option(...CONFIG)
    .option(...JSON_OUT)
    .action(async (options) => (await import("./commands/override.ts")).listOverrides(options));
  for (const [word, what] of [
    ["on", "switch overrides on"],
    ["off", "switch overrides off"],
  ] as const)
    commands
      .command(word)
      .description(`${what}, from the next request on`)
      .argument("[name...]", "names of overrides in linkup.yaml")
      .option("-a, --all", "all overrides")
      .option(...SESSION)
      .option(...CONFIG)
      .option(...JSON_OUT)
      .action(async (names, options) =>
        (await import("./commands/override.ts")).switchOverrides(word === "on", names, options),
      );
}

function share(linkup: Command): void {
  const command = linkup
    .command("share")
    .description("create an invite link for a private session, and show it as a QR code")
    .option(...PRIVATE)
    .option(...PUBLIC)
    .option("--expires <time>", "how long the invite is valid: 12h, 2d, 2w (default: 2d)")
    .option("--for <name>", "name of the recipient, for the list of invites")
    .option("--uses <number>", "how often the link can be opened (default: any number)")
    .option("--token", "create a token for the header linkup-access instead of a link, for tests and CI")
    .option(
      "--targets <on|off>",
      "allow or forbid other sessions to route to this session's services (session:NAME)",
    )
    .option("--may-route", "create a token that also lets a colleague route the session's services")
    .option(...SESSION)
    .option(...CONFIG)
    .option(...JSON_OUT)
    .addHelpText("after", "\nExamples:\n  linkup share --expires 12h --for Ana\n  linkup share revoke 3f9c")
    .action(async (options) => (await import("./commands/share.ts")).share(options));
  command
    .command("list")
    .description("list the invites of a session")
    .option(...SESSION)
    .option(...CONFIG)
    .option(...JSON_OUT)
    // Commander gives `share` the options that both have.
    .action(async (_options, command: Command) =>
      (await import("./commands/share.ts")).list(command.optsWithGlobals()),
    );
  command
    .command("revoke")
    .description("revoke an invite: everyone who used it loses access")
    .argument("<id>", "id of the invite, as listed by linkup share list")
    .option(...SESSION)
    .option(...CONFIG)
    .option(...JSON_OUT)
    .action(async (id, _options, command: Command) =>
      (await import("./commands/share.ts")).revoke(id, command.optsWithGlobals()),
    );
}

function status(linkup: Command): void {
  linkup
    .command("status")
    .description("show sessions, service targets and health")
    .option(...SESSION)
    .option(...JSON_OUT)
    .option("-w, --watch", "keep printing changes until Ctrl-C")
    .action(async (options) => (await import("./commands/status.ts")).status(options));
}

function health(linkup: Command): void {
  linkup
    .command("health")
    .alias("doctor")
    .description("check everything that sessions depend on, and show how to fix it")
    .option(...CONFIG)
    .option("--end-orphans", "end orphaned processes of Linkup")
    .option(...WORKER_HOST)
    .option(...JSON_OUT)
    .action(async (options) => (await import("./commands/health.ts")).health(options));
}

function explain(linkup: Command): void {
  linkup
    .command("explain")
    .description("show where a request would go, and why")
    .argument("<url>", "URL of the request")
    .option("-X, --method <method>", "method of the request (default: GET)")
    .addOption(
      new Option("-H, --header <header>", "header of the request, `name: value`; may be repeated")
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
}

function requests(linkup: Command): void {
  linkup
    .command("requests")
    .description("show the requests that reached this machine, or the details of one")
    .argument("[id]", "show where this request went and why, its headers and timings")
    .option("-f, --follow", "keep printing new requests until Ctrl-C")
    .option("-s, --session <name>", "only requests of this session")
    .option("--service <name>", "only requests to this service")
    .option("--failed", "only requests with status 400 or higher, and aborted ones")
    .option(
      "--filter <words>",
      "filter as in the Requests view: text, status:5xx method:POST path:/x lost slow …",
    )
    .option("-n, --limit <number>", "maximum number of requests (default: 30)")
    .option("--har", "print the requests as a HAR 1.2 file, for a browser's developer tools")
    .option("--from <file>", "read the requests from this HAR file instead of the log")
    .option(
      "--otlp <url>",
      "send the requests as spans to an OpenTelemetry collector, such as http://localhost:4318",
    )
    .option("--curl", "with an ID: print the curl command that repeats the request, without secrets")
    .option(...JSON_OUT)
    .addHelpText("after", "\nExamples:\n  linkup requests --follow --failed\n  linkup requests 12 --curl")
    .action(async (id, options) => (await import("./commands/requests.ts")).requests(id, options));
}

function replay(linkup: Command): void {
  linkup
    .command("replay")
    .description("send a logged request again")
    .argument("<id>", "id of the request, as listed by linkup requests")
    .option("--to <place>", "session, local, remote (a copy of its service), or a URL (default: session)")
    .option("--file <file>", "send the edited request in this .http file")
    .option("--http", "print the request as a .http file, without secrets, instead of sending it")
    .option("--secrets", "send its secrets even to a place that has not received them before")
    .option("-y, --yes", "do not ask before sending a method that may change data")
    .option(...JSON_OUT)
    .addHelpText("after", "\nExamples:\n  linkup replay 12 --to local\n  linkup replay 12 --http > 12.http")
    .action(async (id, options) => (await import("./commands/replay.ts")).replay(id, options));
}

function compare(linkup: Command): void {
  linkup
    .command("compare")
    .description("send requests to the local and the remote copy of their service, and compare the answers")
    .argument("[id...]", "ids of requests, as listed by linkup requests (default: the newest ones)")
    .option("--last <number>", "number of newest requests to compare, each URL once (default: 50)")
    .option("--service <name>", "only requests to this service")
    .option(...SESSION)
    .option(...CONFIG)
    .option("--unsafe", "also send methods that may change data")
    .option("--secrets", "send secrets to both copies")
    .option("-y, --yes", "do not ask for confirmation")
    .option(...JSON_OUT)
    .addHelpText(
      "after",
      "\nExit code 7: answers differ. Differences to ignore: compare.ignore in linkup.yaml",
    )
    .action(async (ids, options) => (await import("./commands/compare.ts")).compare(ids, options));
}

function checkPropagation(linkup: Command): void {
  linkup
    .command("check-propagation")
    .description("show which services pass the session on and which lose it, from the recorded requests")
    .option("--probe", "send a GET through each service of the session first")
    .option(...SESSION)
    .option(...CONFIG)
    .option(...JSON_OUT)
    .action(async (options) => (await import("./commands/check-propagation.ts")).checkPropagation(options));
}

function logs(linkup: Command): void {
  linkup
    .command("logs")
    .description("print the logs of Linkup's processes")
    .argument("[component]", "local-server, tunnel, local-dns or keeper (default: all)")
    .option("-f, --follow", "keep printing new lines until Ctrl-C")
    .option(...JSON_OUT)
    .action(async (component, options) => (await import("./commands/logs.ts")).logs(component, options));
}

function sessions(linkup: Command): void {
  const commands = linkup.command("sessions").description("list, create and delete sessions");
  listSessions(commands.command("list").alias("ls"));
  createPreview(commands.command("create-preview"));
  commands
    .command("create-isolated")
    .description("create a session on this machine only, beside the one of linkup.yaml")
    .argument("<words...>", "NAME SERVICE=URL…")
    .option(...CONFIG)
    .option(...JSON_OUT)
    .action(async (words, options) =>
      (await import("./commands/sessions.ts")).createIsolated(words, options),
    );
  commands
    .command("extend")
    .description("extend the time until a session on the Worker expires")
    .argument("<name>", "name of the session")
    .option("--expires <time>", "when it ends, from now: 12h, 7d, 2w (default: 30 days after its last use)")
    .option(...CONFIG)
    .option(...WORKER_HOST)
    .option(...JSON_OUT)
    .action(async (name, options) => (await import("./commands/sessions.ts")).extend(name, options));
  commands
    .command("delete")
    .description("delete a session of this machine or of the Worker")
    .argument("<name>", "name of the session; * matches any characters: 'pr-*'")
    .option(...CONFIG)
    .option("-y, --yes", "do not ask for confirmation")
    .option(...WORKER_HOST)
    .option(...JSON_OUT)
    .action(async (name, options) => (await import("./commands/sessions.ts")).remove(name, options));
}

function listSessions(command: Command): void {
  command
    .description("list the sessions of this machine, or those on the Worker")
    .option("--worker", "list the sessions on the Worker: their owner, last use and expiry")
    .option("-n, --name <pattern>", "with --worker: only these names; * matches any characters")
    .option("--limit <number>", "with --worker: maximum number of sessions (default: 100)")
    .option("--after <name>", "with --worker: only names that sort after this one")
    .option(...CONFIG)
    .option(...WORKER_HOST)
    .option(...JSON_OUT)
    .action(async (options) => (await import("./commands/sessions.ts")).list(options));
}

/** `linkup preview` is the original's spelling. */
function createPreview(command: Command): void {
  command
    .description("create a session on the Worker only, with services at the given URLs")
    .argument("[words...]", "[NAME] SERVICE=URL…")
    .option(
      "-n, --name <name>",
      "name of the session, made valid: pr_12 becomes pr-12 (default: derived from its content)",
    )
    .option("--expires <time>", "when it ends, from now: 12h, 7d, 2w (default: 30 days after its last use)")
    .option(...CONFIG)
    .addOption(access())
    .option("--print-request", "print the request to the Worker without sending it")
    .option(...WORKER_HOST)
    .option(...JSON_OUT)
    .addHelpText("after", "\nExample:\n  linkup sessions create-preview web=https://web-pr-12.example.com")
    .action(async (words, options) => (await import("./commands/sessions.ts")).createPreview(words, options));
}

function infra(linkup: Command): void {
  const commands = linkup.command("infra").description("deploy, check and remove the Worker at Cloudflare");
  const many = (value: string, before: string[] = []) => [...before, value];
  for (const [name, description] of [
    ["plan", "show what a deployment would do, and change nothing"],
    ["deploy", "show the plan, ask, and create or update the Worker"],
    ["status", "check the deployed Worker, its DNS records, routes and certificates"],
    ["destroy", "show what would be removed, ask, and remove what Linkup created"],
  ] as const) {
    const command = commands
      .command(name)
      .description(description)
      .option("-z, --zone <name>", "zone whose host names sessions use; may be repeated", many)
      .option("--tunnel-zone <name>", "zone for the tunnels' host names (default: the first zone)")
      .option("--name <name>", "name of the Worker (default: linkup)")
      .option(...JSON_OUT)
      // The original's spellings.
      .addOption(new Option("--email <email>").hideHelp())
      .addOption(new Option("--api-key <key>").hideHelp())
      .addOption(new Option("--account-id <id>").hideHelp())
      .addOption(new Option("--zone-ids <ids...>").hideHelp())
      .action(async (options) => (await import("./commands/infra.ts"))[name](options));
    if (name === "deploy" || name === "destroy") command.option("-y, --yes", "do not ask for confirmation");
    if (name === "deploy")
      command.option(
        "--wait <time>",
        "maximum time to wait until the Worker is live (default: 5m on a terminal, otherwise 0)",
      );
    if (name === "deploy" || name === "plan")
      command.option("--allow-older", "deploy over a newer version of the Worker");
  }
}

function localDns(linkup: Command): void {
  const commands = linkup.command("local-dns").description("resolve session host names to this machine");
  for (const [name, description] of [
    ["install", "show the changes to this machine, ask, and make them"],
    ["uninstall", "undo all changes"],
  ] as const) {
    commands
      .command(name)
      .description(description)
      .option(...CONFIG)
      .option("-y, --yes", "do not ask for confirmation")
      .option("--dry-run", "only print the commands")
      .option(...JSON_OUT)
      .action(async (options) => (await import("./commands/local-dns.ts"))[name](options));
  }
  commands
    .command("status")
    .description("show whether local DNS is installed, and for which domains")
    .option(...JSON_OUT)
    .action(async (options) => (await import("./commands/local-dns.ts")).status(options));
}

function cloudflared(linkup: Command): void {
  linkup
    .command("cloudflared")
    .description("manage cloudflared, which tunneled sessions need")
    .command("install")
    .description("show what would be downloaded, ask, and download it")
    .option("--release <version>", "release to install (default: the one that Linkup pins)")
    .option("--sha256 <checksum>", "checksum of that release's asset for this machine")
    .option("-y, --yes", "do not ask for confirmation")
    .option(...JSON_OUT)
    .action(async (options) => (await import("./commands/cloudflared.ts")).install(options));
}

function init(linkup: Command): void {
  linkup
    .command("init")
    .description("create a linkup.yaml with the services found here")
    .argument("[file]", "path of the new file", "linkup.yaml")
    .option(...JSON_OUT)
    .action(async (file, options) => (await import("./commands/init.ts")).init(file, options));
}

function mcp(linkup: Command): void {
  linkup
    .command("mcp")
    .description("serve coding agents over the Model Context Protocol on standard input and output")
    .action(async () => (await import("./commands/mcp.ts")).mcp());
}

function completion(linkup: Command): void {
  linkup
    .command("completion")
    .description("print a completion script for the shell: source <(linkup completion)")
    .argument("[shell]", "bash, zsh, fish, elvish or powershell (default: by $SHELL)")
    // The original's spelling.
    .addOption(new Option("--shell <shell>").hideHelp())
    .action(async (shell, options) =>
      (await import("./commands/completion.ts")).completion(shell ?? options.shell),
    );
}

function uninstall(linkup: Command): void {
  linkup
    .command("uninstall")
    .description("stop everything and remove Linkup's state")
    .option("-y, --yes", "do not ask for confirmation")
    .option(...JSON_OUT)
    .action(async (options) => (await import("./commands/uninstall.ts")).uninstall(options));
}

function complete(linkup: Command): void {
  linkup
    .command("complete", { hidden: true })
    .argument("[words...]")
    .action(async (words) => (await import("./commands/complete.ts")).complete(program(false, []), words));
}

function keep(linkup: Command): void {
  linkup
    .command("keep", { hidden: true })
    .requiredOption("--home <folder>")
    .action(async ({ home }) => (await import("./commands/keep.ts")).keep(home));
}
