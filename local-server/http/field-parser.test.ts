import fc from "fast-check";
import { expect, test } from "vitest";
import { FieldParser, parseFields } from "./field-parser.ts";
import { Fields } from "./fields.ts";

const STATUS_LINE = "HTTP/1.1 200 OK\r\n";

/** The lines, or the error. */
function outcome(parse: () => Fields) {
  try {
    const { raw, names } = parse();
    return { raw, names };
  } catch (error) {
    return String(error);
  }
}

test("what a connection's earlier responses had changes nothing in how later ones are read", () => {
  const line = fc.oneof(
    {
      weight: 5,
      arbitrary: fc.constantFrom("Date: 1", "Date: 2", "ETag:a", "ETag: \ta ", "Set-Cookie: a=1"),
    },
    fc.constantFrom(
      " folded",
      "\tfolded",
      "",
      "Date",
      "date: 1",
      ": x",
      "Date : 1",
      "A: \x01",
      "Date: \x7f1\x1f",
      "Date: \0",
      "A: b\rc",
      "Date: 12",
      "Dat: 1",
    ),
  );
  const head = fc.array(line, { minLength: 1, maxLength: 4 }).map((lines) => lines.join("\r\n"));
  const heads = fc.array(
    fc.oneof({ weight: 3, arbitrary: fc.constant("Date: 1\r\nETag: a\r\nX: y") }, head),
    {
      maxLength: 60,
    },
  );
  fc.assert(
    fc.property(heads, (texts) => {
      const parser = new FieldParser();
      for (const text of texts)
        expect(outcome(() => parser.parse(STATUS_LINE + text, STATUS_LINE.length))).toEqual(
          outcome(() => new Fields(parseFields(text))),
        );
    }),
    { numRuns: 1_000 },
  );
});

test("control characters in a value become spaces, but for the worst ones and where a message ends", () => {
  expect(parseFields("A: a\x01b\x1b[1m\x7f\r\nB: \x0b\r\n \x02c\td")).toEqual(["A", "a b [1m", "B", " c\td"]);
  for (const line of [
    "A: a\0b",
    "A: a\rb",
    "A: a\nb",
    "A\x01: b",
    "Content-Length: 5\x01",
    "connection: \x01close",
  ])
    expect(() => parseFields(line), line).toThrow(/it has the header line/);
});

test("lines that came before are the same objects again", () => {
  const parser = new FieldParser();
  const parse = (text: string) => parser.parse(STATUS_LINE + text, STATUS_LINE.length);
  const first = parse("A: 1\r\nB: 2");
  expect(parse("A: 1\r\nB: 2").raw).toBe(first.raw);
  const other = parse("A: 1\r\nB: 3");
  expect(other.raw).toEqual(["A", "1", "B", "3"]);
  expect(other.names).toBe(first.names);
  expect(first.raw).toEqual(["A", "1", "B", "2"]);
});
