/** What every command needs: the configuration file, the session to use, and a manager. */
import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { nearestConfig } from "../manager/files/config-file.ts";
import { Manager, type Selector } from "../manager/manager.ts";
import { LinkupError } from "../manager/model/problem.ts";
import { expandTilde, stateHome } from "../node/home.ts";
import { version } from "./version.ts";

/** The configuration file: `--config`, else LINKUP_CONFIG, else the nearest linkup.yaml upwards; undefined without one. */
export function findConfig(option: string | undefined, env = process.env): string | undefined {
  const named = option ?? env.LINKUP_CONFIG;
  if (!named) return nearestConfig(process.cwd());
  const path = resolve(expandTilde(named));
  if (existsSync(path)) return path;
  const from = option ? "--config" : "LINKUP_CONFIG";
  throw new LinkupError("config-missing", `${from} names ${path}, which does not exist.`);
}

/** The same for commands that need one. */
export function needConfig(option: string | undefined): string {
  const path = findConfig(option);
  if (path) return path;
  throw new LinkupError(
    "config-missing",
    `There is no linkup.yaml in ${process.cwd()} or above. Use --config or LINKUP_CONFIG to name one.`,
    [{ command: "createConfig", title: "Create linkup.yaml", terminal: "linkup init" }],
  );
}

/** `keep`: sessions that it starts keep running when this process ends. */
export function newManager({ keep }: { keep: boolean }): Manager {
  return new Manager({
    home: stateHome(process.env),
    // All bundles are in one folder.
    dist: __dirname,
    version,
    env: process.env,
    user: { id: keep ? "keep" : `terminal-${process.pid}`, keep },
    log: (line) => {
      if (process.env.LINKUP_DEBUG) console.error(line);
    },
  });
}

/** The session to use: the named one, else that of the configuration file, else the only running one, else one that the user chooses. */
export async function selectSession(
  manager: Manager,
  options: { session?: string | undefined; config?: string | undefined },
  choose?: (question: string, names: readonly string[]) => Promise<string | undefined>,
): Promise<Selector> {
  if (options.session !== undefined) return { name: options.session };
  const configPath = findConfig(options.config);
  if (configPath !== undefined) return { configPath: await manager.knownPath(configPath) };
  const { sessions } = await manager.look();
  const names = sessions.flatMap(({ name }) => name ?? []);
  const [only] = names;
  if (only !== undefined && sessions.length === 1) return { name: only };
  const chosen = names.length > 1 ? await choose?.("Which session?", names) : undefined;
  if (chosen !== undefined && names.includes(chosen)) return { name: chosen };
  throw new LinkupError(
    "session-unknown",
    sessions.length === 0
      ? "No session is running, and there is no linkup.yaml here or above."
      : `Several sessions are running: ${sessions.map(({ name }) => name).join(", ")}. Name one with --session.`,
  );
}
