import { expect, test } from "vitest";
import { html } from "./html.ts";

test("values are escaped, HTML and lists of it are not", () => {
  const hostile = `<script a="1" b='2'>&`;
  expect(html`<p title="${hostile}">${hostile}</p>`.text).toBe(
    '<p title="&#60;script a=&#34;1&#34; b=&#39;2&#39;&#62;&#38;">&#60;script a=&#34;1&#34; b=&#39;2&#39;&#62;&#38;</p>',
  );
  expect(html`<ul>${[1, 2].map((n) => html`<li>${n}</li>`)}${null}${false}${undefined}</ul>`.text).toBe(
    "<ul><li>1</li><li>2</li></ul>",
  );
});
