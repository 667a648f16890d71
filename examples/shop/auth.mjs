// auth: says who the user is. Reached at shop.localhost/auth/…, by the page and by api.
import { pathOf, sendJson, serve } from "./service.mjs";

serve("auth", (request, response, copy) => {
  const path = pathOf(request).replace(/^\/auth(?=\/)/, "");
  const cookies = readCookies(request.headers.cookie);
  if (path === "/whoami") {
    const visits = (Number(cookies.shop_visits) || 0) + 1;
    sendJson(
      response,
      200,
      { service: "auth", copy, user: cookies.shop_user ?? "guest" },
      {
        // Two of them, because proxies like to lose one.
        "set-cookie": [cookie("shop_visits", visits), cookie("shop_auth_copy", copy)],
      },
    );
  } else if (path === "/login") {
    response.writeHead(302, { location: "/", "set-cookie": cookie("shop_user", "ada") }).end();
  } else if (path === "/logout") {
    response.writeHead(302, { location: "/", "set-cookie": `${cookie("shop_user", "")}; Max-Age=0` }).end();
  } else {
    sendJson(response, 404, { service: "auth", copy, error: `auth has no ${path}` });
  }
});

function cookie(name, value) {
  return `${name}=${value}; Path=/; HttpOnly; SameSite=Lax`;
}

/** @returns {Record<string, string>} name to value */
function readCookies(header = "") {
  return Object.fromEntries(
    header
      .split(";")
      .map((pair) => pair.trim().split("=", 2))
      .filter(([name, value]) => name && value),
  );
}
