// Pins the release of cloudflared that Linkup offers to download:
//   node scripts/pin-cloudflared.mjs VERSION [--releases URL] [--api URL] [--out FILE]
// It downloads every asset, takes its checksum, compares it with the one that the release itself tells, and writes
// manager/tunnel/releases.ts. It needs the Internet, and writes nothing when one asset is missing or differs.
import { createHash } from "node:crypto";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { parseArgs } from "node:util";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    releases: { type: "string", default: "https://github.com/cloudflare/cloudflared/releases/download" },
    api: { type: "string", default: "https://api.github.com/repos/cloudflare/cloudflared/releases/tags" },
    out: { type: "string", default: join(import.meta.dirname, "../manager/components/tunnel/releases.ts") },
  },
});
const [version] = positionals;
if (!version || !/^[\w.-]+$/.test(version)) {
  console.error("Name a version: node scripts/pin-cloudflared.mjs 2026.8.2");
  process.exit(2);
}

const table = await readFile(values.out, "utf8");
const names = [...new Set(table.match(/cloudflared-(?:linux|darwin|windows)-[\w.]+(?=")/g))].sort();
const told = await digestsOf(await get(`${values.api}/${version}`));
const sha256 = {};
for (const name of names) {
  const asset = await get(`${values.releases}/${version}/${name}`);
  sha256[name] = createHash("sha256")
    .update(Buffer.from(await asset.arrayBuffer()))
    .digest("hex");
  if (told[name] !== sha256[name])
    throw new Error(`${name} has the checksum ${sha256[name]}, and its release says ${told[name]}.`);
  console.log(`${sha256[name]}  ${name}`);
}

const entries = Object.entries(sha256).map(([name, sum]) => `    "${name}": "${sum}",\n`);
const pinned = `export const PINNED: Release | null = {\n  version: "${version}",\n  sha256: {\n${entries.join("")}  },\n};`;
const next = table.replace(/export const PINNED: Release \| null = (?:null|\{[\s\S]*?\n\});/, () => pinned);
if (!next.includes(pinned)) throw new Error(`${values.out} has no place for it.`);
await writeFile(values.out, next);

async function get(url) {
  const answer = await fetch(url);
  if (!answer.ok) throw new Error(`${url} answered ${answer.status}.`);
  return answer;
}

/** Checksums by asset, as the release tells them. */
async function digestsOf(answer) {
  const { assets } = await answer.json();
  return Object.fromEntries(assets.map(({ name, digest }) => [name, digest?.replace(/^sha256:/, "")]));
}
