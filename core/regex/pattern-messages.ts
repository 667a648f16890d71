/** What the editor says about a pattern. `{0}`, `{1}`… are filled in; see core/text.ts. */
export const PATTERN_MESSAGES = {
  tooLong: "The pattern is {0} characters long; at most {1} are allowed.",
  tooLarge: "Too large once its repetitions are written out. Use smaller counts, or * and +.",
  tooDeep: "Nested more than {0} deep.",
  tooManyQuantifiers: "Too many quantifiers in a row.",
  unknownReference: "There is no group {0} to refer back to.",
  countsReversed: "{0} asks for at least {1} and at most {2}. Swap the two.",
  nothingToRepeat: "Nothing to repeat before {0}. Write \\{1} to match {1}.",
  unmatchedParenthesis: "There is no ( for this ). Remove it, or write \\) to match a parenthesis.",
  openCount: "The count has no lower bound. Write {0,…}.",
  halfBoundary: "Half word boundaries are not supported. Write \\b.",
  unknownGroup:
    "Unknown kind of group. Use (…), (?:…), (?<name>…), (?i), (?i:…), (?=…), (?!…), (?<=…) or (?<!…); write \\( to match a parenthesis.",
  unclosedGroup: "This group is never closed. Add a ), or write \\( to match a parenthesis.",
  groupName: "A group name consists of letters, digits, _ and dots, and does not start with a digit.",
  duplicateGroup: "There are two groups named {0}.",
  noFlags: "No flags given. The flags are i, m, s, x and U.",
  unknownFlag: "Unknown flag {0}. The flags are i, m, s, x and U.",
  loneBackslash: "A single \\ at the end. Write \\\\ to match a backslash.",
  unknownEscape: "Unknown escape \\{0}. Write {0} for the character, \\\\{0} for a backslash before it.",
  angleEscape: "Unknown escape \\{0}. Write {0} for the character, \\b for a word boundary.",
  notACharacter:
    "Not a character. Write \\{0} and {1} hexadecimal digits, or \\{0}{…} with the number of a character.",
  unknownProperty: "Unknown Unicode property {0}. Examples: \\p{L} (letters), \\p{Lu}, \\p{Greek}.",
  noProperty: "\\{0} needs a Unicode property. Examples: \\p{L} (letters), \\p{Lu}, \\p{Greek}.",
  unclosedClass: "This class is never closed. Add a ], or write \\[ to match a bracket.",
  symmetricDifference: "~~ is not supported. Write the class without it.",
  rangeReversed: "The range {0} runs backwards. Swap its ends, or write \\- for the character.",
  unknownClass: "Unknown class {0}. The classes are {1}.",

  spacedCount: "JavaScript reads {0} as plain characters. Remove the spaces.",
  secondQuantifier: "JavaScript refuses a second quantifier. Write (?:…){0}.",
  uselessQuantifier: "JavaScript refuses a quantifier here, and it has no effect. Remove it.",
  plainBrace: "The original Linkup refuses a { that does not begin a count. Write \\{.",
  escapeA: "\\A is the start of the text, in JavaScript the letter A. Write ^.",
  escapeZ: "\\z is the end of the text, in JavaScript the letter z. Write $.",
  noReferences: "The original Linkup does not support back-references.",
  slowReferences: "Back-references can need very many steps; a search that needs too many is abandoned.",
  noLookAround: "The original Linkup does not support look-around (?{0}…).",
  pythonGroup: "JavaScript does not support (?P<…>). Write (?<…>), which both understand.",
  inlineFlags: "Not every JavaScript engine supports flags inside a pattern; Linkup does.",
  escapeBell: "\\a is the bell character, in JavaScript the letter a.",
  escapeNull: "The original Linkup does not support \\0. Write \\x00.",
  escapeControl:
    "The original Linkup does not support \\c. Write the character as \\x and two hexadecimal digits.",
  escapeNonAscii: "The original Linkup refuses \\{0}. Write {0} without the backslash.",
  bracedHex: "JavaScript does not support \\{0}{…}: only Linkup reads this as a character.",
  leadingBracket:
    "A ] right after the [ is a member of the class; JavaScript ends the class there. Write \\].",
  setOperator: "{0} combines classes; JavaScript reads two plain characters.",
  rangeOfClass: "The original Linkup refuses a range from or to a class. Write \\- for the character.",
  posixClass: "JavaScript does not support {0}: only Linkup reads this as a class.",
  nestedClass: "A class inside a class; JavaScript reads a plain [. Write \\[ for the character.",
  backspace: "The original Linkup refuses \\b in a class. Write \\x08 for the backspace character.",

  missingGroup: "The pattern has no group {0}, so nothing is inserted here. {1}",
  bracedGroup: "Write {0}{1} for the group {2} before {1}.",
  groupCount: "It has {0} group(s). Write $$ for a plain $.",
  plainReference: "{0} is plain text here. Write {1} for the group.",

  ambiguousLoop:
    "{0} can split the same text into rounds in many ways. Linkup handles it, other engines can hang on it. Remove the inner or the outer repetition.",
  manyRepetitions:
    "Many repetitions can match the same text. Linkup handles it, other engines can be slow on it.",
} as const;

/** The warnings of what the original Linkup's engine refuses; the others only read differently in JavaScript. */
const REFUSED_BY_ORIGINAL: ReadonlySet<string> = new Set([
  PATTERN_MESSAGES.plainBrace,
  PATTERN_MESSAGES.noReferences,
  PATTERN_MESSAGES.noLookAround,
  PATTERN_MESSAGES.escapeNull,
  PATTERN_MESSAGES.escapeControl,
  PATTERN_MESSAGES.escapeNonAscii,
  PATTERN_MESSAGES.rangeOfClass,
  PATTERN_MESSAGES.backspace,
]);

export function isRefusedByOriginal(warning: { text: { template: string } }): boolean {
  return REFUSED_BY_ORIGINAL.has(warning.text.template);
}
