/** What the editor says about a text that is not valid YAML. `{0}`, `{1}`… are filled in; see core/text.ts. */
export const YAML_MESSAGES = {
  tooDeep: "This is nested too deeply.",
  unclosedQuote: "The quote is never closed. Add a {0} at the end.",
  unclosedList: "This list is never closed. Add a ].",
  unclosedMap: "This map is never closed. Add a }.",
  tabIndentation: "YAML does not allow tabs as indentation. Use spaces.",
  duplicateKey: 'The key "{0}" is used twice in this map.',
  firstKey: "First used here.",
  unknownAnchor: "There is no anchor &{0} before this alias.",
  aliasesTooLarge: "The aliases make this file too large.",
  strayText: 'A key with ":" or an item with "-" is missing here.',
  secondKey: "There is a second key on this line, or the line below is indented too far.",
  multilineKey: "A key must be on one line: the line below is indented too far, or a colon is missing.",
  secondDocument:
    "linkup.yaml must be a single YAML document: everything from this --- on is ignored. Remove it, or merge it into the first document.",
  other: "{0}.",
} as const;
