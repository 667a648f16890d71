/** The Worker with a clock that a request moves, as its header `test-clock-ahead` says in milliseconds. */
import { join, resolve } from "node:path";
import { build } from "esbuild";

const MOVABLE = `import worker from "./worker/index.ts";
export * from "./worker/index.ts";
const now = Date.now;
let ahead = 0;
Date.now = () => now.call(Date) + ahead;
export default {
  ...worker,
  fetch(request, env, context) {
    ahead = Number(request.headers.get("test-clock-ahead") ?? ahead);
    return worker.fetch(request, env, context);
  },
};`;

/** Builds it into this folder; returns the file. */
export async function movableClockBundle(folder: string): Promise<string> {
  const outfile = join(folder, "worker.js");
  await build({
    stdin: { contents: MOVABLE, resolveDir: resolve(import.meta.dirname, "../../.."), loader: "js" },
    outfile,
    bundle: true,
    format: "esm",
    target: "es2024",
    conditions: ["workerd", "worker", "browser"],
    external: ["cloudflare:*"],
  });
  return outfile;
}
