/** Adds places to `compare.ignore` of a linkup.yaml, and leaves the rest of the file as it is. */
import { isMap, isSeq, parseDocument } from "yaml";

export function withIgnored(text: string, places: readonly string[]): string {
  // Line ends of Windows stay.
  if (text.includes("\r\n"))
    return withIgnored(text.replaceAll("\r\n", "\n"), places).replaceAll("\n", "\r\n");
  const document = parseDocument(text);
  const known = document.getIn(["compare", "ignore"]);
  const present = isSeq(known) ? known.toJSON().map(String) : [];
  const added = places.filter((place) => !present.includes(place)).map((place) => JSON.stringify(place));
  if (added.length === 0) return text;
  const end = text.endsWith("\n") || text === "" ? "" : "\n";
  if (!document.has("compare"))
    return `${text}${end}\ncompare:\n  ignore:\n${added.map((place) => `    - ${place}\n`).join("")}`;
  // Behind the last item, in its own style.
  const last = isSeq(known)
    ? (known.items.at(-1) as { range?: [number, number, number] } | undefined)
    : undefined;
  if (last?.range && isSeq(known)) {
    const at = last.range[1];
    if (known.flow) return `${text.slice(0, at)}, ${added.join(", ")}${text.slice(at)}`;
    const line = text.lastIndexOf("\n", last.range[0]) + 1;
    const indent = /^\s*/.exec(text.slice(line))![0];
    return `${text.slice(0, at)}${added.map((place) => `\n${indent}- ${place}`).join("")}${text.slice(at)}`;
  }
  const compare = document.get("compare");
  if (isMap(compare)) compare.set("ignore", document.createNode([...places]));
  else document.set("compare", document.createNode({ ignore: [...places] }));
  return String(document);
}
