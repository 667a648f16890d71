/** The Worker, but remembering no session: every request asks its session's object, or waits for one that does. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { build } from "esbuild";

/** Builds it into this folder; returns the file. */
export async function forgetfulBundle(folder: string): Promise<string> {
  const outfile = join(folder, "worker.js");
  await build({
    entryPoints: ["worker/index.ts"],
    outfile,
    bundle: true,
    minify: true,
    format: "esm",
    target: "es2024",
    conditions: ["workerd", "worker", "browser"],
    external: ["cloudflare:*"],
    plugins: [
      {
        name: "forgetful",
        setup({ onLoad }) {
          onLoad({ filter: /worker.proxy.session-lookup\.ts$/ }, async ({ path }) => {
            const source = await readFile(path, "utf8");
            const contents = source.replace("FRESH_MS = 1000", "FRESH_MS = 0");
            if (contents === source) throw new Error(`${path} has changed: FRESH_MS is not found`);
            return { contents, loader: "ts" };
          });
        },
      },
    ],
  });
  return outfile;
}
