// The licences of what is bundled, as THIRD_PARTY_NOTICES.txt has them.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

/** Files that are made from a package. */
const LISTED = { "core/session/public-suffixes.ts": "node_modules/tldts/" };

/**
 * The notices for all packages that these accounts of esbuild (metafiles) name. Throws with the names of the packages that
 * bring no licence text.
 */
export function thirdPartyNotices(root, metafiles) {
  const folders = new Set(
    Object.values(metafiles)
      .flatMap(({ inputs }) => Object.keys(inputs))
      .map((path) => LISTED[path] ?? path)
      .map((path) => /^.*node_modules\/(?:@[^/]+\/)?[^/]+(?=\/)/.exec(path)?.[0])
      .filter(Boolean),
  );
  const packages = [...folders].map((folder) => read(join(root, folder)));
  const silent = packages.filter(({ texts }) => texts.length === 0).map(({ title }) => title);
  if (silent.length > 0) throw new Error(`No licence text comes with ${silent.join(", ")}`);
  // A package may be installed twice in one version.
  const notices = new Map(packages.map((each) => [each.title, [each.title, ...each.texts].join("\n\n")]));
  const line = `\n\n${"-".repeat(80)}\n\n`;
  const introduction = `Linkup contains these ${notices.size} packages, each under its own licence.`;
  const sorted = [...notices.keys()].sort().map((title) => notices.get(title));
  return `${[introduction, ...sorted].join(line)}\n`;
}

function read(folder) {
  const { name, version, license } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
  const files = readdirSync(folder).filter((file) => /^(licen[cs]e|copying|notice)\b/i.test(file));
  const texts = files.map((file) => readFileSync(join(folder, file), "utf8").replaceAll("\r\n", "\n").trim());
  return { title: `${name} ${version} (${license ?? "see below"})`, texts };
}
