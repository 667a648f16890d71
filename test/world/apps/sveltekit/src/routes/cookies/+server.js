export function GET({ cookies }) {
  cookies.set("plain", "1", { path: "/" });
  cookies.set("shared", "2", { path: "/", domain: ".shop.test", sameSite: "lax" });
  cookies.set("dated", "3", { path: "/", expires: new Date("2030-01-02T03:04:05Z"), httpOnly: true });
  return new Response("set");
}
