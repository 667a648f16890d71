// Asks every service, again and again, which copy of it answers, and shows that.

const ASK_EVERY_MS = 2000;
const RECONNECT_AFTER_MS = 1000;
const TRAIL_LENGTH = 120;

// <session>.shop.localhost, or shop.localhost; the api's domain is the same for every session. Which session a call
// belongs to is told by Referer and Origin, which the browser sends by itself.
const [, session, domain] = /^(?:([^.]+)\.)?(shop\..+)$/.exec(location.hostname) ?? [];
const apiHost = domain && `api.${domain}${location.port && `:${location.port}`}`;
const apiOrigin = apiHost && `${location.protocol}//${apiHost}`;
const liveUrl = apiHost && `${location.protocol.replace("http", "ws")}//${apiHost}/live`;
const NO_API_DOMAIN = `This page does not know where api is: at ${location.host} there is no domain beside it.`;

const [web, api, auth, live] = ["web", "api", "auth", "live"].map((id) => document.getElementById(id));
let socket;
let liveCopy;

showSession();
showAddresses();
askForever();
connect();

function showSession() {
  document.title = session ? `Shop · ${session}` : "Shop";
  document.getElementById("session-name").textContent = session ?? "none";
  document.getElementById("session-host").textContent = location.host;
  if (session) return;
  const notice = document.getElementById("notice");
  notice.textContent = domain
    ? `There is no session in this address. Open http://<session>.${domain}:8787/ with the name of yours.`
    : "This page was opened without Linkup in front. Start a session and open http://<session>.shop.localhost:8787/.";
  notice.hidden = false;
}

function showAddresses() {
  const addresses = [
    [web, location.host],
    [auth, `${location.host}/auth`],
    [api, apiHost ?? "no address"],
    [live, liveUrl ?? "no address"],
  ];
  for (const [card, address] of addresses) {
    put(card, ".address", address);
    card.querySelector(".address").title = address; // long ones are cut on screen
  }
}

async function askForever() {
  while (true) {
    if (!document.hidden) await Promise.all([askWeb(), askApi(), askAuth()]);
    await new Promise((resolve) => setTimeout(resolve, ASK_EVERY_MS));
  }
}

async function askWeb() {
  show(web, await ask("/whoami"));
}

async function askApi() {
  const answer = apiOrigin ? await ask(`${apiOrigin}/api/whoami`) : { error: NO_API_DOMAIN };
  show(api, answer);
  // Linkup told api the session in this header, and api tells auth the same.
  const [, told = "–"] = /linkup-session=([^,\s]*)/.exec(answer.headers?.tracestate) ?? [];
  put(api, ".told", told);
  showAuthAsApiSeesIt(answer);
  // A WebSocket stays with the copy that accepted it. When api has moved, open a new one there.
  if (answer.copy && liveCopy && answer.copy !== liveCopy) socket.close(1000, "api moved");
}

async function askAuth() {
  const answer = await ask("/auth/whoami");
  show(auth, answer);
  const user = auth.querySelector(".user");
  if (!answer.user) return user.replaceChildren("–");
  const signedIn = answer.user !== "guest";
  const link = document.createElement("a");
  link.href = signedIn ? "/auth/logout" : "/auth/login";
  link.textContent = signedIn ? "Sign out" : "Sign in";
  user.replaceChildren(answer.user, " ", link);
}

function showAuthAsApiSeesIt({ auth: seen }) {
  const place = auth.querySelector(".to-api");
  place.title = seen?.error ?? "";
  if (!seen?.copy) return place.replaceChildren(seen?.error ? "none: see api" : "–");
  const word = document.createElement("b");
  word.className = `word ${seen.copy}`;
  word.textContent = seen.copy;
  place.replaceChildren(word);
}

/** @returns {Promise<object>} the service's JSON, or `{error}` with what went wrong and why that may be */
async function ask(url) {
  let response;
  try {
    response = await fetch(url, { credentials: "include", cache: "no-store" });
  } catch {
    const { host } = new URL(url, location.href);
    return {
      error: `No readable answer from ${host}: nothing listens there, or Linkup knows no session for it.`,
    };
  }
  const text = await response.text();
  try {
    return JSON.parse(text);
  } catch {
    return { error: `${response.status}: ${text.split("\n", 1)[0].slice(0, 200)}` };
  }
}

function connect() {
  if (!liveUrl) {
    put(live, ".state", "Not connected");
    return show(live, { error: NO_API_DOMAIN });
  }
  put(live, ".state", "Connecting…");
  socket = new WebSocket(liveUrl, "shop.v1");
  socket.onopen = () => put(live, ".state", `Connected, subprotocol ${socket.protocol || "none"}`);
  socket.onmessage = ({ data }) => {
    const message = JSON.parse(data);
    liveCopy = message.copy;
    put(live, ".n", message.n);
    show(live, message);
  };
  socket.onclose = ({ code, reason, wasClean }) => {
    liveCopy = undefined;
    const why = wasClean ? `Closed (${code}${reason && ` ${reason}`})` : "No connection";
    put(live, ".state", `${why}, trying again…`);
    put(live, ".n", 0);
    if (!wasClean)
      show(live, { error: `No WebSocket at ${liveUrl}: api is down, or Linkup is not in front of it.` });
    setTimeout(connect, RECONNECT_AFTER_MS);
  };
}

/** Shows on a card which copy answered, or that none did and why. */
function show(card, { copy, error, auth: seen }) {
  // An answer of the wrong service (no route) names a copy too, but of another service: the error is what counts.
  const shown = error ? "none" : copy;
  card.dataset.copy = shown;
  put(card, ".badge", error ? "no answer" : copy);
  const problem = error ?? seen?.error;
  put(card, ".error", problem ?? "");
  card.querySelector(".error").hidden = !problem;

  const trail = card.querySelector(".trail");
  const dot = document.createElement("li");
  dot.dataset.copy = shown;
  trail.append(dot);
  if (trail.children.length > TRAIL_LENGTH) trail.firstChild.remove();
}

function put(card, selector, text) {
  card.querySelector(selector).textContent = text;
}
