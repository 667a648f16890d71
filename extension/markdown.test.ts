import { expect, test } from "vitest";
import { code, codeBlock, escaped, escapedLines, link } from "./markdown.ts";

const image = "![](https://attacker.example/pixel.png)";

test("a code span is one line within more backticks than its text has", () => {
  expect(code("http://localhost:3000")).toBe("`http://localhost:3000`");
  expect(code("a`b``c")).toBe("``` a`b``c ```");
  expect(code(`http://x\n\n${image}`)).toBe(`\`http://x↵${image}\``);
  expect(code(`x\r\n \r\n${image}`)).toBe(`\`x↵${image}\``);
  expect(code(" \n ")).toBe("");
});

test("a code block has a longer fence than its text", () => {
  expect(codeBlock("sh", "ls")).toBe("```sh\nls\n```");
  expect(codeBlock("", `\`\`\`\n${image}`)).toBe(`\`\`\`\`\n\`\`\`\n${image}\n\`\`\`\``);
});

test("escaped text is neither an image, a link, HTML nor a table cell", () => {
  expect(escaped(image)).toBe("!\\[\\](https://attacker.example/pixel.png)");
  expect(escaped('<img src="https://attacker.example/">\n|')).toBe(
    '\\<img src="https://attacker.example/"\\> \\|',
  );
  expect(escapedLines("a*\n\nb")).toBe("a\\*  \nb");
});

test("a link cannot leave its angle brackets", () => {
  expect(link("https://a.example/")).toBe("<https://a.example/>");
  expect(link(`https://a.example/> ${image}`)).not.toMatch(/> /);
});
