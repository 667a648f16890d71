// Writes core/session/public-suffixes.ts from the Public Suffix List of the installed `tldts`:
//   node scripts/public-suffixes.mjs
import { writeFileSync } from "node:fs";
import { domainToASCII } from "node:url";
import * as trie from "../node_modules/tldts/dist/es6/src/data/trie.js";

const { nodeFlags, edgeStart, edgeLength, edgeChild, labelText, rulesRoot, exceptionsRoot } = trie;

/** The rules of the list in ASCII, as it writes them: `co.uk`, `*.ck`, `!www.ck`. */
export function rules() {
  const labels = [];
  let offset = 0;
  for (const length of edgeLength) {
    labels.push(labelText.slice(offset, offset + length));
    offset += length;
  }
  const below = (node, suffix) => [
    ...(suffix !== "" && nodeFlags[node] !== 0 ? [suffix] : []),
    ...labels.slice(edgeStart[node], edgeStart[node + 1]).flatMap((label, index) => {
      const name = suffix === "" ? label : `${label}.${suffix}`;
      return below(edgeChild[edgeStart[node] + index], name);
    }),
  ];
  const exceptions = below(exceptionsRoot, "").map((rule) => `!${rule}`);
  return [...new Set([...below(rulesRoot, ""), ...exceptions].map(ascii))];
}

function ascii(rule) {
  const [, sign, name] = /^(!|\*\.)?(.*)$/.exec(rule);
  return (sign ?? "") + domainToASCII(name);
}

/** A line for each top-level domain with rules below it: its name, then the rules without it. */
export function lines() {
  const below = new Map();
  for (const rule of rules()) {
    const dot = rule.lastIndexOf(".");
    if (dot === -1) continue;
    const top = rule.slice(dot + 1);
    below.set(top, [...(below.get(top) ?? []), rule.slice(0, dot)]);
  }
  return [...below]
    .map(([top, rules]) => `${top} ${rules.sort().join(" ")}`)
    .sort()
    .join("\n");
}

if (process.argv[1] === import.meta.filename)
  writeFileSync(
    new URL("../core/session/public-suffixes.ts", import.meta.url),
    `/** Made by scripts/public-suffixes.mjs from the Public Suffix List (https://publicsuffix.org, MPL 2.0). */\nexport const PUBLIC_SUFFIXES = ${JSON.stringify(lines())};\n`,
  );
