/**
 * What the existing Linkup's command remembers of a linkup.yaml, in `~/.linkup/state`: its session goes on under the same
 * name. The file is YAML, with one session up to version 3 and several since; it is only read.
 */
import { readFile, realpath, stat } from "node:fs/promises";
import { join } from "node:path";
import type { Target } from "../../core/config/model/config-model.ts";
import { isSessionName } from "../../core/session/session-name.ts";
import type { ExistingSession } from "../model/intents.ts";

const MAX_BYTES = 1024 * 1024;
const MAX_TOKEN = 256;

type Fields = Record<string, unknown>;

/** The main session of this file; undefined without one, or when the state cannot be understood. */
export async function existingSession(
  home: string,
  configPath: string,
): Promise<ExistingSession | undefined> {
  const state = await readState(join(home, "state"));
  const mainName = state.main_session;
  const main = fieldsOf(fieldsOf(state.sessions)[String(mainName)]);
  const single = fieldsOf(state.linkup);
  const [name, token, path, services] =
    typeof mainName === "string"
      ? [mainName, main.token, main.config_path, main.services]
      : [single.session_name, single.session_token, single.config_path, state.services];
  if (typeof name !== "string" || !isSessionName(name) || typeof path !== "string") return undefined;
  if (typeof token !== "string" || token === "" || token.length > MAX_TOKEN) return undefined;
  if ((await realPath(path)) !== (await realPath(configPath))) return undefined;
  return { name, token, targets: targetsOf(services) };
}

async function readState(file: string): Promise<Fields> {
  try {
    const { size } = await stat(file);
    if (size > MAX_BYTES) return {};
    const { YamlTree } = await import("../../core/config/yaml/yaml-tree.ts");
    return fieldsOf(new YamlTree(await readFile(file, "utf8")).value());
  } catch {
    return {};
  }
}

function targetsOf(services: unknown): Record<string, Target> {
  const targets: [string, Target][] = [];
  for (const service of Array.isArray(services) ? services : []) {
    const { name, config, current } = fieldsOf(service);
    const key = name ?? fieldsOf(config).name;
    const target = String(current).toLowerCase();
    if (typeof key === "string" && (target === "local" || target === "remote")) targets.push([key, target]);
  }
  return Object.fromEntries(targets);
}

function fieldsOf(value: unknown): Fields {
  return typeof value === "object" && value !== null ? (value as Fields) : {};
}

async function realPath(path: string): Promise<string> {
  return realpath(path).catch(() => path);
}
