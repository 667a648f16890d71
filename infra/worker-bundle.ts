/** The Worker that ships with this version: its code, and what `worker/wrangler.jsonc` says it is deployed with. */
import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { parse } from "jsonc-parser";
import * as z from "zod/mini";

export interface WorkerBundle {
  version: string;
  code: Uint8Array;
  /** The first 16 hexadecimal digits of the code's SHA-256. */
  hash: string;
  compatibilityDate: string;
  compatibilityFlags: readonly string[];
  bindings: readonly { name: string; className: string }[];
  migrations: readonly { tag: string; new_sqlite_classes: readonly string[] }[];
  /** The last migration's tag. */
  migrationTag: string;
  crons: readonly string[];
  observability: boolean;
}

const configuration = z.object({
  main: z.string(),
  compatibility_date: z.string(),
  compatibility_flags: z._default(z.array(z.string()), []),
  observability: z._default(z.object({ enabled: z.boolean() }), { enabled: false }),
  durable_objects: z.object({ bindings: z.array(z.object({ name: z.string(), class_name: z.string() })) }),
  migrations: z
    .array(z.object({ tag: z.string(), new_sqlite_classes: z._default(z.array(z.string()), []) }))
    .check(z.minLength(1)),
  triggers: z.object({ crons: z.array(z.string()) }),
});

/** `root`: the folder of the package, with `worker/wrangler.jsonc` and the bundle that it names. */
export async function readWorkerBundle(root: string, version: string): Promise<WorkerBundle> {
  const file = join(root, "worker", "wrangler.jsonc");
  const config = configuration.parse(parse(await readFile(file, "utf8")));
  const code = await readFile(resolve(dirname(file), config.main));
  return {
    version,
    code,
    hash: createHash("sha256").update(code).digest("hex").slice(0, 16),
    compatibilityDate: config.compatibility_date,
    compatibilityFlags: config.compatibility_flags,
    bindings: config.durable_objects.bindings.map(({ name, class_name }) => ({
      name,
      className: class_name,
    })),
    migrations: config.migrations,
    migrationTag: config.migrations.at(-1)!.tag,
    crons: config.triggers.crons,
    observability: config.observability.enabled,
  };
}
