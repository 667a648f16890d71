// One code-server: VS Code's server side, with folders, settings and an extension of its own, all in one
// temporary folder. That folder's path is in the environment of all it starts, so all of it can be found.
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, symlinkSync } from "node:fs";
import { cp, mkdtemp, realpath, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, delimiter, dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { createVSIX } from "@vscode/vsce";
import { type CodeServer, codeServer } from "./install.ts";

/** Quiet: nothing on the screen, and no request, that the extension under test did not cause. */
const SETTINGS = {
  "telemetry.telemetryLevel": "off",
  "workbench.startupEditor": "none",
  "workbench.enableExperiments": false,
  "workbench.tips.enabled": false,
  "workbench.secondarySideBar.defaultVisibility": "hidden",
  "workbench.reduceMotion": "on",
  "security.workspace.trust.enabled": false,
  "extensions.autoUpdate": false,
  "extensions.autoCheckUpdates": false,
  "extensions.ignoreRecommendations": true,
  "update.mode": "none",
  // It would offer every port that any process of this machine listens on.
  "remote.autoForwardPorts": false,
  "chat.disableAIFeatures": true,
  "window.commandCenter": false,
  "git.enabled": false,
  "editor.minimap.enabled": false,
};

/**
 * VS Code's own extensions that play no part in any test. Their manifests are the largest, and each window is sent all of
 * them three times: 12 MB, half of the processor time that it takes to open one.
 */
const LEFT_OUT =
  /^(copilot|css-language-features|emmet|git|git-base|github|github-authentication|microsoft-authentication|ms-vscode\..+|npm|typescript-language-features)$/;

/** Variables by which an outer VS Code, or a hosting platform, would steer the one under test. */
const STEERING =
  /^(VSCODE_|ELECTRON_|CODE_SERVER|XDG_|LINKUP_|PORT$|PASSWORD$|HASHED_PASSWORD$|NODE_OPTIONS$|NODE_ENV$|VITEST)/;

export interface ServerOptions {
  /** The packaged extension, installed by VS Code's own command line. */
  vsix?: string;
  /** Folders of extensions that play a part in a test: packed, and installed too. */
  others?: string[];
  settings?: Record<string, unknown>;
  /** VS Code's display language, `de`; of its own texts none is translated. */
  language?: string;
  /** Over the environment of the extension host; `LINKUP_HOME` is in the temporary folder unless said otherwise. */
  env?: Record<string, string>;
  /** More arguments for code-server. */
  args?: string[];
}

export interface RunningProcess {
  pid: number;
  command: string;
}

export class Server {
  /** `http://127.0.0.1:<port>` */
  readonly url: string;
  /** The temporary folder: `user`, `extensions`, `home` (HOME) and `state` (LINKUP_HOME). */
  readonly folder: string;
  readonly #killOnExit: () => void;
  readonly #output: string[];

  private constructor(url: string, folder: string, output: string[], killOnExit: () => void) {
    this.url = url;
    this.folder = folder;
    this.#output = output;
    this.#killOnExit = killOnExit;
  }

  /** Installs the extension and starts; ready when this resolves. */
  static async start(options: ServerOptions): Promise<Server> {
    const program = await codeServer();
    const folder = await realpath(await mkdtemp(join(tmpdir(), "lw-")));
    try {
      return await Server.#launch(program, folder, options);
    } catch (error) {
      await rm(folder, { recursive: true, force: true });
      throw error;
    }
  }

  static async #launch(
    { entry, node, flags, passesOptions }: CodeServer,
    folder: string,
    options: ServerOptions,
  ): Promise<Server> {
    for (const name of ["user/User", "user/Machine", "extensions", "home", "state", "tmp"])
      mkdirSync(join(folder, name), { recursive: true });
    const settings = JSON.stringify({ ...SETTINGS, ...options.settings }, null, 2);
    await writeFile(join(folder, "user", "User", "settings.json"), settings);
    // Those of scope "machine" are this side's: the user's count only until VS Code knows that scope.
    await writeFile(join(folder, "user", "Machine", "settings.json"), settings);
    if (options.language) await writeLanguagePack(join(folder, "user"), options.language);
    const env = environment(folder, dirname(node), options.env);
    const common = [entry, "--config", "/dev/null", "--user-data-dir", join(folder, "user")];
    common.push("--extensions-dir", join(folder, "extensions"));
    if (options.vsix)
      await cp(await installed(entry, node, options.vsix), join(folder, "extensions"), { recursive: true });
    for (const other of options.others ?? []) {
      const vsix = await pack(other, join(folder, "tmp"));
      execFileSync(node, [...common, "--install-extension", vsix, "--force"], { env, stdio: "pipe" });
    }

    const argv = [...common, "--bind-addr", "127.0.0.1:0", "--auth", "none", "--disable-telemetry"];
    argv.push("--disable-update-check", "--disable-getting-started-override");
    // Window and server share this machine: compressing costs more than it saves.
    const vsCode = [
      "disable-websocket-compression",
      `builtin-extensions-dir=${builtInExtensions(entry, folder)}`,
    ];
    if (passesOptions) argv.push(...vsCode.flatMap((option) => ["--vscode-option", option]));
    argv.push(...flags, ...(options.args ?? []));
    if (options.language) argv.push("--locale", options.language);
    const child = spawn(node, argv, { env, cwd: folder, stdio: ["ignore", "pipe", "pipe"], detached: true });
    // A test runner that dies without stopping us takes the server along.
    const kill = () => child.pid && signal(-child.pid, "SIGKILL");
    process.once("exit", kill);
    const output: string[] = [];
    try {
      return new Server(await listening(child, output), folder, output, kill);
    } catch (error) {
      kill();
      process.off("exit", kill);
      throw error;
    }
  }

  /** Folders of installed extensions, by id: `linkup-dev.linkup`. */
  get extensionIds(): string[] {
    const folders = readdirSync(join(this.folder, "extensions"), { withFileTypes: true });
    return folders
      .filter((entry) => entry.isDirectory() && !entry.name.startsWith("."))
      .map(({ name }) =>
        JSON.parse(readFileSync(join(this.folder, "extensions", name, "package.json"), "utf8")),
      )
      .map(({ publisher, name }) => `${publisher}.${name}`);
  }

  /** All that the server started, directly or not, whatever process group or parent it has now. */
  processes(): RunningProcess[] {
    // With `e`, the environment follows the arguments; without, the arguments stand alone.
    const pids = ps(["axeww"]).filter(({ command }) => command.includes(this.folder));
    const wanted = new Set(pids.map(({ pid }) => pid));
    return ps(["axww"]).filter(({ pid }) => wanted.has(pid));
  }

  /** The ends of the server's output and of the extension host's log files. */
  logs(lines = 15): string {
    const logs = join(this.folder, "user", "logs");
    const files = readdirSync(logs, { recursive: true, encoding: "utf8" }).filter((file) =>
      /exthost[^/]*\/(?!vscode\.).*\.log$/.test(file),
    );
    const texts = files.map(
      (file) => [file, withoutBuiltIns(readFileSync(join(logs, file), "utf8"))] as const,
    );
    return [["code-server", this.#output.join("").trim()] as const, ...texts]
      .filter(([, text]) => text)
      .map(([name, text]) => `--- ${name}\n${text.split("\n").slice(-lines).join("\n")}`)
      .join("\n");
  }

  /** Ends everything the server started, and removes the folder. Throws when something cannot be ended. */
  async stop(): Promise<void> {
    for (const { pid } of this.processes()) signal(pid, "SIGTERM");
    for (let tries = 0; this.processes().length > 0; tries++) {
      if (tries > 100) throw new Error(`Cannot end: ${JSON.stringify(this.processes())}`);
      if (tries > 20) for (const { pid } of this.processes()) signal(pid, "SIGKILL");
      await sleep(100);
    }
    process.off("exit", this.#killOnExit);
    await rm(this.folder, { recursive: true, force: true, maxRetries: 5 });
  }
}

/**
 * A folder of extensions in which VS Code's own command line has installed that package: once in a run of all files, for
 * each new user gets a copy. VS Code writes down where an extension is relative to its folder.
 */
async function installed(entry: string, node: string, vsix: string): Promise<string> {
  process.env.LINKUP_TEST_INSTALLED ??= await installFolder();
  const folder = join(process.env.LINKUP_TEST_INSTALLED, String(statSync(vsix).mtimeMs));
  if (existsSync(folder)) return folder;
  const made = await mkdtemp(`${folder}-`);
  const argv = [entry, "--config", "/dev/null", "--user-data-dir", join(made, "user")];
  argv.push("--extensions-dir", join(made, "extensions"), "--install-extension", vsix, "--force");
  execFileSync(node, argv, { env: environment(made, dirname(node)), stdio: "pipe" });
  await rename(join(made, "extensions"), folder).catch((error) => {
    // Another test file, which runs beside this one, was first.
    if (!existsSync(folder)) throw error;
  });
  await rm(made, { recursive: true });
  return folder;
}

/** Where `installed` keeps what it made, until this process ends. */
export async function installFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "li-"));
  process.once("exit", () => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** A folder with links to VS Code's own extensions, less those that are left out. */
function builtInExtensions(entry: string, folder: string): string {
  const all = join(dirname(entry), "..", "..", "lib", "vscode", "extensions");
  const links = join(folder, "built-in");
  mkdirSync(links);
  for (const { name } of readdirSync(all, { withFileTypes: true }).filter((found) => found.isDirectory()))
    if (!LEFT_OUT.test(name)) symlinkSync(join(all, name), join(links, name));
  return links;
}

/** What VS Code notes of an installed language pack. */
async function writeLanguagePack(user: string, language: string): Promise<void> {
  const texts = join(user, `${language}.i18n.json`);
  await writeFile(texts, JSON.stringify({ version: "1.0.0", contents: {} }));
  const extensions = [{ extensionIdentifier: { id: "linkup-test.language" }, version: "1.0.0" }];
  const pack = { hash: "0", extensions, translations: { vscode: texts }, label: language };
  await writeFile(join(user, "languagepacks.json"), JSON.stringify({ [language]: pack }));
}

/** Packs the extension of that folder, and returns the path of the file. */
async function pack(extension: string, into: string): Promise<string> {
  const packagePath = join(into, `${basename(extension)}.vsix`);
  const quiet = { allowMissingRepository: true, skipLicense: true, dependencies: false };
  await createVSIX({ cwd: extension, packagePath, ...quiet });
  return packagePath;
}

/** The caller's environment, less what steers VS Code, with a home of its own. */
function environment(folder: string, nodeBin: string, more: Record<string, string> = {}): NodeJS.ProcessEnv {
  const inherited = Object.entries(process.env).filter(([name]) => !STEERING.test(name));
  return {
    ...Object.fromEntries(inherited),
    PATH: `${nodeBin}${delimiter}${process.env.PATH}`,
    HOME: join(folder, "home"),
    TMPDIR: join(folder, "tmp"),
    // No marketplace: nothing is looked up, nothing is updated.
    EXTENSIONS_GALLERY: "{}",
    LINKUP_HOME: join(folder, "state"),
    ...more,
    LINKUP_TEST_FOLDER: folder,
  };
}

/** Leaves out that VS Code's own extensions were activated. */
function withoutBuiltIns(log: string): string {
  return log.replace(/^.*_doActivateExtension vscode\..*\n?/gm, "").trim();
}

/** Writes a workspace file over several folders into a new folder in `parent`, and returns its path. */
export async function writeWorkspace(parent: string, folders: string[]): Promise<string> {
  const file = join(await mkdtemp(join(parent, "workspace-")), "test.code-workspace");
  await writeFile(file, JSON.stringify({ folders: folders.map((path) => ({ path })) }));
  return file;
}

/** Resolves with the address that code-server says it listens on. */
function listening(child: ChildProcess, output: string[]): Promise<string> {
  return new Promise((found, fail) => {
    const giveUp = (why: string) => fail(new Error(`code-server ${why}:\n${output.join("")}`));
    const timer = setTimeout(() => giveUp("did not listen within a minute"), 60_000);
    child.once("exit", (code) => giveUp(`ended with ${code}`));
    const read = (chunk: Buffer) => {
      output.push(chunk.toString());
      const url = /listening on (http:\/\/127\.0\.0\.1:\d+)/.exec(output.join(""))?.[1];
      if (!url) return;
      clearTimeout(timer);
      found(url);
    };
    child.stdout?.on("data", read);
    child.stderr?.on("data", read);
  });
}

export function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch (error) {
    // Gone already, which is what was wanted.
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
  }
}

function ps(flags: string[]): RunningProcess[] {
  const text = execFileSync("ps", [...flags, "-o", "pid=,args="], { encoding: "utf8", maxBuffer: 1 << 28 });
  return text
    .split("\n")
    .map((line) => /^\s*(\d+)\s(.*)$/.exec(line))
    .filter((match) => match !== null)
    .map(([, pid, command]) => ({ pid: Number(pid), command: command ?? "" }))
    .filter(({ pid }) => pid !== process.pid);
}
