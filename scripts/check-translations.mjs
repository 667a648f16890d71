// No text that a user reads lacks a translation, and no translation has lost its text.
//   node scripts/check-translations.mjs            what is missing or left over, and exit code 1
//   node scripts/check-translations.mjs --missing  the missing texts as JSON, to translate
import { globSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { parseSync } from "@swc/core";

const root = resolve(import.meta.dirname, "..");
const PACKAGES = ["core", "manager", "agent-tools", "extension"];
/** `t("…")` gives a text in the user's language; `text("…")` of core/text.ts one that is translated later. */
let functions;
const SCHEMA = "core/config/model/config-schema.ts";
/** Which argument of its functions is the description of a key. */
const DESCRIPTION_AT = { described: 1, httpUrl: 0, name: 0, pattern: 0 };

/** Words of the glossary that have one translation. Code, in backticks, keeps the original's. */
const NOT_GERMAN = { Sitzung: /\bSessions?\b/, Dienst: /\bServices?\b/, remote: /\b[Ee]ntfernte[nrms]?\b/ };

const read = (path) => JSON.parse(readFileSync(join(root, path), "utf8"));
const texts = new Set();
const faults = [];

for (const name of PACKAGES)
  for (const path of globSync(`${name}/**/*.ts`, { cwd: root }))
    if (!path.endsWith(".test.ts")) {
      const module = parseSync(readFileSync(join(root, path), "utf8"), {
        syntax: "typescript",
        target: "esnext",
      });
      const imported = module.body.some(
        ({ type, source }) => type === "ImportDeclaration" && source.value.endsWith("/text.ts"),
      );
      functions = imported ? ["t", "text"] : ["t"];
      visit(module, path);
    }

function visit(node, path) {
  if (Array.isArray(node)) for (const item of node) visit(item, path);
  if (typeof node !== "object" || node === null) return;
  if (node.type === "CallExpression" && functions.includes(calleeOf(node))) call(node, path);
  // What the keys of linkup.yaml mean.
  if (node.type === "CallExpression" && path === SCHEMA) {
    const description = node.arguments[DESCRIPTION_AT[calleeOf(node)]]?.expression;
    if (description?.type === "StringLiteral") texts.add(description.value);
  }
  // What helps against a problem: {command, title}.
  if (node.type === "ObjectExpression" && literalOf(node, "command") && literalOf(node, "title"))
    texts.add(literalOf(node, "title"));
  // The titles of problems, and core's tables of messages.
  if (node.type === "VariableDeclarator" && /^TITLES$|_MESSAGES$/.test(node.id.value))
    for (const { value } of objectOf(node.init).properties)
      if (value.type === "StringLiteral") texts.add(value.value);
  for (const value of Object.values(node)) visit(value, path);
}

/** `t` of `t("…")` and of `style.t("…")`. */
function calleeOf({ callee }) {
  return callee.value ?? callee.property?.value;
}

function call(node, path) {
  const [first] = node.arguments;
  const literal = first?.expression;
  if (literal?.type === "StringLiteral") texts.add(literal.value);
  else if (literal?.type === "TemplateLiteral")
    faults.push(`${path}: ${calleeOf(node)}(\`…\`): the text must be one literal`);
}

function literalOf({ properties }, key) {
  const found = properties.find((property) => property.key?.value === key)?.value;
  return found?.type === "StringLiteral" ? found.value : undefined;
}

function objectOf(node) {
  return node.type === "ObjectExpression" ? node : objectOf(node.expression);
}

/** Placeholders, icons, links and code have to be the same in both. */
const fixedParts = (text) =>
  (text.match(/\{\d+\}|\$\(\w+\)|\(command:[^)]+\)|`[^`]+`/g) ?? []).sort().join(" ");

function compare(path, wanted, found, original) {
  const missing = wanted.filter((key) => !(key in found));
  const leftOver = Object.keys(found).filter((key) => !wanted.includes(key));
  for (const key of missing) faults.push(`${path} lacks: ${JSON.stringify(key)}`);
  for (const key of leftOver) faults.push(`${path} has what no code says: ${JSON.stringify(key)}`);
  for (const [key, translated] of Object.entries(found))
    if (wanted.includes(key) && fixedParts(translated) !== fixedParts(original(key)))
      faults.push(
        `${path}: other placeholders than ${JSON.stringify(original(key))}: ${JSON.stringify(translated)}`,
      );
  return missing;
}

const bundles = globSync("l10n/bundle.l10n.*.json", { cwd: root });
const missing = bundles.flatMap((path) => compare(path, [...texts].sort(), read(path), (key) => key));
for (const path of globSync("{l10n/bundle.l10n,package.nls}.de.json", { cwd: root }))
  for (const translated of Object.values(read(path)))
    for (const [word, other] of Object.entries(NOT_GERMAN))
      if (other.test(translated.replaceAll(/`[^`]*`/g, "")))
        faults.push(`${path}: say "${word}": ${JSON.stringify(translated)}`);
const english = read("package.nls.json");
for (const path of globSync("package.nls.*.json", { cwd: root }))
  compare(path, Object.keys(english), read(path), (key) => english[key]);
const named = [...JSON.stringify(read("package.json")).matchAll(/"%([\w.]+)%"/g)].map(([, key]) => key);
compare("package.nls.json (by package.json)", [...new Set(named)], english, (key) => english[key]);

if (process.argv.includes("--missing")) console.log(JSON.stringify(missing, null, 1));
else for (const fault of faults) console.error(fault);
console.log(
  `${texts.size} texts, ${bundles.length} translation${bundles.length === 1 ? "" : "s"}, ${faults.length} faults`,
);
process.exitCode = faults.length > 0 ? 1 : 0;
