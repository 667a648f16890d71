import { expect, test } from "vitest";
import { formatText, text } from "./text.ts";

test("arguments are filled in once: what an argument contains is no placeholder", () => {
  expect(formatText(text('The key "{0}" is unknown{1}.', "{1}", " here"))).toBe(
    'The key "{1}" is unknown here.',
  );
  expect(formatText(text("No {0} and {7}", 1))).toBe("No 1 and {7}");
});

test("a text within a text is translated before it is filled in", () => {
  const german: Record<string, string> = {
    "Invalid pattern: {0}": "Ungültiges Muster: {0}",
    "Add a {0}.": "Es fehlt ein {0}.",
  };
  const nested = text("Invalid pattern: {0}", text("Add a {0}.", ")"));
  expect(formatText(nested)).toBe("Invalid pattern: Add a ).");
  const translated = formatText(nested, (template, args) =>
    german[template]!.replace("{0}", String(args[0])),
  );
  expect(translated).toBe("Ungültiges Muster: Es fehlt ein ).");
});
