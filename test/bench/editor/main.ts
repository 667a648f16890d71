// The times of the editor's features on a large linkup.yaml, from the code as it is shipped: bundled and minified.
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { build } from "esbuild";

const folder = await mkdtemp(join(tmpdir(), "linkup-bench-editor-"));
const outfile = join(folder, "bench.cjs");
await build({
  entryPoints: [join(import.meta.dirname, "keystrokes.ts")],
  outfile,
  bundle: true,
  minify: true,
  platform: "node",
  target: "node22",
  format: "cjs",
  mainFields: ["module", "main"],
  logLevel: "warning",
});
try {
  await import(pathToFileURL(outfile).href);
} finally {
  await rm(folder, { recursive: true });
}
