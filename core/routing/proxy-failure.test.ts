import { expect, test } from "vitest";
import { failureContent } from "./proxy-failure.ts";

const failure = {
  status: 502,
  code: "x",
  title: "<b> & co",
  explanation: 'No "quotes" & <script>here</script>\n',
};

test.each([undefined, null, "*/*", "application/json"])("plain text for Accept: %s", (accept) => {
  const { headers, body } = failureContent(failure, accept);
  expect(body).toBe(failure.explanation);
  expect(headers).toMatchObject({
    "content-type": "text/plain; charset=utf-8",
    "cache-control": "no-store",
    "linkup-error": "x",
    vary: "Accept",
  });
});

test("a page for a browser that shows it, with nothing of the text taken for markup", () => {
  const { headers, body } = failureContent(failure, "text/html,application/xhtml+xml;q=0.9,*/*;q=0.8");
  expect(headers["content-type"]).toBe("text/html; charset=utf-8");
  expect(headers["content-security-policy"]).toContain("default-src 'none'");
  expect(body).toContain("<h1>&#60;b&#62; &#38; co</h1>");
  expect(body).toContain("&#60;script&#62;here");
  expect(body).not.toContain("<script");
});
