// Wires the page: session, conversations, composer, approvals, pictures.
import { call, insist, Queue, Stream } from "./net.js";
import { frozen } from "./freeze.js";
import { models } from "./models.js";
import { Log, make } from "./messages.js";

const el = (id) => document.getElementById(id);
const TEXT_CAP = 64 * 1024;
const state = { conversation: "main", earlier: null, person: null, sent: "", titles: new Map(), isNamed: false, skew: 0 };

const log = new Log(el("log"), {
  press: (key, value, retrying) => insist(
    "/api/presses", { id: crypto.randomUUID(), conversation: state.conversation, key, value }, { retrying, lost: gate }),
  prove,
  enlarge,
  edit: fill,
});
const queue = new Queue("bulkhead.unsent", {
  sent: (item) => log.status(item.id, "Sent"),
  refused: (item, why) => log.status(item.id, why, { failed: true, item }),
  retrying: (item) => log.status(item.id, "Not sent yet, retrying…"),
  lost: gate,
});
const stream = new Stream({ event: arrived, reset: () => open(state.conversation), state: link, lost: gate });

// ---- session ----
async function start() {
  const token = new URLSearchParams(location.hash.slice(1)).get("token");
  let why = "";
  if (token) {
    try {
      await call("/auth", { token });
    } catch (error) {
      if (!error.isFinal && error.status !== 401) return again();
      why = error.message;
    }
    history.replaceState(null, "", location.pathname);  // not left in the address bar, nor in the history
  }
  let me;
  try {
    me = await call("/api/me");
  } catch (error) {
    if (error.status === 401) return gate(token ? why : error.message);
    return again();
  }
  state.person = me.person;
  el("who").textContent = `${me.person.name} · ${me.version}`;
  el("gate").hidden = true;
  el("app").hidden = false;
  await open(named());
  look();
  setInterval(() => { if (!document.hidden) look(); }, 30000);
  setInterval(() => { if (!document.hidden) frozen(); }, 5000);  // nobody shall press in vain for half a minute
}

// The server does not answer: the page shows that, and asks again.
function again() {
  el("app").hidden = false;
  link("off");
  setTimeout(start, 2000);
}

function gate(why = "") {
  stream.close();
  el("app").hidden = true;
  el("gate").hidden = false;
  if (!why || why.startsWith("no session")) return;
  el("gate-why").textContent = `${why[0].toUpperCase()}${why.slice(1)}.`;
  el("gate-why").className = "warn";
}

function look() {
  pending();
  transports();
  models();
  frozen();
}

function link(now) {
  el("link").dataset.state = now;
  el("link-text").textContent = now === "on" ? "Connected" : "Reconnecting…";
  if (now === "on") { queue.flush(); look(); }
}

// ---- conversations ----
const named = () => /^#c=([a-z0-9-]{1,64})$/.exec(location.hash)?.[1] || "main";

async function open(conversation) {
  state.conversation = conversation;
  state.isNamed = false;
  stream.close();
  closeSide();
  let past;
  try {
    past = await call(`/api/history?conversation=${conversation}`);
  } catch (error) {
    if (error.status === 401) return gate();
    link("off");
    setTimeout(() => { if (state.conversation === conversation) open(conversation); }, 2000);
    return;
  }
  if (state.conversation !== conversation) return;
  el("log").ariaBusy = "true";
  log.clear();
  past.events.forEach((event) => log.show(event));
  queue.items.filter((item) => item.conversation === conversation).forEach((item) => log.sending(item, state.person.id));
  el("log").ariaBusy = "false";
  earlier(past.earlier);
  welcome();
  toEnd();
  stream.open(conversation, past.last);
  chats();
}

function earlier(id) {
  state.earlier = id;
  el("earlier").hidden = id === null;
}

el("earlier").onclick = async () => {
  const box = el("scroll");
  const { conversation } = state;
  const past = await call(`/api/history?conversation=${conversation}&before=${state.earlier}`);
  if (conversation !== state.conversation) return;
  const fromEnd = box.scrollHeight - box.scrollTop;
  past.events.reverse().forEach((event) => log.show(event, { first: true }));
  box.scrollTop = box.scrollHeight - fromEnd;
  earlier(past.earlier);
};

async function chats() {
  const known = await call("/api/conversations").catch(() => null);
  if (!known) return;
  const others = known.conversations.filter((chat) => chat.id !== "main");
  const isNew = state.conversation !== "main" && !others.some((chat) => chat.id === state.conversation);
  const list = [{ id: "main" }, ...(isNew ? [{ id: state.conversation, title: "" }] : []), ...others];
  state.isNamed = known.conversations.some((chat) => chat.id === state.conversation && chat.title);
  state.titles = new Map(list.map((chat) => [chat.id, chat.id === "main" ? "Main" : chat.title || "New chat"]));
  el("chats").replaceChildren(...list.map((chat) => {
    const item = make("a", { href: `#c=${chat.id}`, textContent: state.titles.get(chat.id) });
    if (chat.id === state.conversation) item.ariaCurrent = "page";
    return make("li", {}, item);
  }));
  el("title").textContent = state.titles.get(state.conversation);
}

el("new-chat").onclick = () => {
  location.hash = `c=chat-${crypto.randomUUID().slice(0, 8)}`;
  el("text").focus();
};
addEventListener("hashchange", () => {
  if (location.hash.startsWith("#token=")) location.reload();
  else if (named() !== state.conversation) open(named());
});

// ---- the log ----
function arrived(event) {
  const pinned = isAtEnd();
  const isNew = log.show(event);
  welcome();
  if (pinned) toEnd();
  else if (isNew) el("newer").hidden = false;
  if (event.kind === "card" || (event.buttons && event.kind !== "working")) look();
  if (event.kind === "own" && !state.isNamed) chats();
}

function welcome() { el("welcome").hidden = !log.isEmpty; }
function isAtEnd() {
  const box = el("scroll");
  return box.scrollHeight - box.scrollTop - box.clientHeight < 90;
}
function toEnd() {
  el("scroll").scrollTop = el("scroll").scrollHeight;
  el("newer").hidden = true;
}
el("newer").onclick = toEnd;
let wasAtEnd = true;
el("scroll").onscroll = () => {
  wasAtEnd = isAtEnd();
  if (wasAtEnd) el("newer").hidden = true;
};
new ResizeObserver(() => { if (wasAtEnd) toEnd(); }).observe(el("scroll"));  // a keyboard or a long draft takes height

document.addEventListener("click", (event) => {
  const command = event.target.closest?.(".command");
  if (command) fill(command.dataset.command);
});

// ---- composer ----
const text = el("text");
const touch = matchMedia("(pointer: coarse)");

function fit() {
  text.style.height = "auto";
  text.style.height = `${Math.min(text.scrollHeight, innerHeight * 0.4)}px`;
  el("send").disabled = !text.value.trim();
  hint("");
}
function fill(value) {
  text.value = value;
  fit();
  closeSide();
  text.focus();
  text.setSelectionRange(value.length, value.length);
}
function hint(sentence) {
  const old = el("hint").querySelector(".warn");
  if (!sentence) return old?.remove();
  if (old) old.textContent = sentence;
  else el("hint").prepend(make("span", { className: "warn", textContent: sentence }));
}
function send() {
  if (!text.value.trim()) return;
  const bytes = new TextEncoder().encode(text.value).length;
  if (bytes > TEXT_CAP) return hint(`This is ${Math.ceil(bytes / 1024)} KiB; a message holds at most 64 KiB. Shorten it or send it in parts.`);
  const item = { id: crypto.randomUUID(), conversation: state.conversation, text: text.value };
  state.sent = text.value;
  text.value = "";
  fit();
  log.sending(item, state.person.id);
  welcome();
  toEnd();
  queue.add(item);
}
text.oninput = fit;
text.onkeydown = (event) => {
  if (event.isComposing) return;
  if (event.key === "Enter" && !event.shiftKey && !(touch.matches && !event.ctrlKey)) {
    event.preventDefault();
    send();
  } else if (event.key === "Escape") {
    if (text.value) { state.sent = text.value; text.value = ""; fit(); } else text.blur();
  } else if (event.key === "ArrowUp" && !text.value && state.sent) {
    event.preventDefault();
    fill(state.sent);  // what was sent or cleared last
  }
};
el("composer").onsubmit = (event) => { event.preventDefault(); send(); text.focus(); };
if (touch.matches) el("hint").querySelector(".keys").hidden = true;

// ---- approvals that wait ----
async function pending() {
  const answer = await call("/api/pending").catch(() => null);
  if (!answer) return;
  state.skew = answer.now - Date.now() / 1000;
  const count = answer.pending.length;
  el("pending").replaceChildren(...answer.pending.map(waiting));
  el("pending-none").hidden = count > 0;
  el("pending-count").hidden = count === 0;
  el("pending-count").textContent = count;
  el("pending-open").hidden = count === 0;
  el("pending-open").textContent = `${count} pending`;
  document.title = count ? `(${count}) Bulkhead` : "Bulkhead";
}
function waiting(card) {
  const [channel, conversation] = card.conversation.split(":");
  const where = channel === "web" ? state.titles.get(conversation) || conversation : channel;
  const words = [make("b", { textContent: card.title }), make("small", {},
    make("span", { textContent: where }), make("span", { textContent: left(card.expires_at) }))];
  if (channel !== "web") return make("li", {}, make("div", {}, ...words));
  const go = make("a", { href: `#c=${conversation}` }, ...words);
  go.onclick = async () => {
    if (conversation !== state.conversation) await open(conversation);
    closeSide();
    const node = card.key && log.find(card.key);
    if (!node) return;
    node.scrollIntoView({ block: "center" });
    node.focus({ preventScroll: true });
  };
  return make("li", {}, go);
}
function left(until) {
  if (!until) return "no deadline";
  const minutes = Math.round((until - state.skew - Date.now() / 1000) / 60);
  if (minutes < 1) return "expires now";
  if (minutes < 90) return `${minutes} min left`;
  return minutes < 2880 ? `${Math.round(minutes / 60)} h left` : `${Math.round(minutes / 1440)} days left`;
}

// ---- the providers' accounts ----
let lookAgain = 0;
async function transports() {
  clearTimeout(lookAgain);
  const answer = await call("/api/transports").catch(() => null);
  if (!answer) return;
  if (answer.transports.some((one) => one.state !== "healthy")) lookAgain = setTimeout(transports, 3000);
  const ill = answer.transports.filter((one) => one.resume).length;
  el("transports-box").hidden = answer.transports.length === 0;
  el("transports-ill").hidden = ill === 0;
  el("transports-ill").textContent = ill;
  el("transports").replaceChildren(...answer.transports.map(account));
}
function account(one) {
  const since = new Date(one.since * 1000).toLocaleString([], { dateStyle: "medium", timeStyle: "short" });
  const waits = one.waiting ? ` · ${one.waiting} ${one.resume ? "parked" : "waiting"}` : "";
  const words = [make("span", { className: "dot", ariaHidden: "true" }), make("b", { textContent: one.channel }),
    make("span", { className: "state", textContent: `${one.state}${waits}` })];
  const item = make("li", { title: `since ${since}` }, make("div", {}, ...words));
  item.dataset.state = one.resume ? "closed" : one.state;
  if (one.reason) item.append(make("small", { textContent: one.reason }));
  if (one.resume) item.append(resume(one));
  return item;
}
function resume(one) {
  const button = make("button", { type: "button", className: "text", textContent: `Resume ${one.channel}` });
  button.onclick = async () => {
    button.disabled = true;
    const id = crypto.randomUUID();
    await insist("/api/presses", { id, conversation: "main", key: "", value: one.resume }, { lost: gate }).catch(() => null);
    setTimeout(transports, 300);
  };
  return button;
}

// ---- side panel, picture, sign out ----
function openSide() { el("side").classList.add("open"); el("scrim").hidden = false; el("side-close").focus(); }
function closeSide() { el("side").classList.remove("open"); el("scrim").hidden = true; }
el("side-open").onclick = openSide;
el("side-close").onclick = el("scrim").onclick = closeSide;
el("pending-open").onclick = openSide;

// Asks for the passphrase that a press needs, until it is the right one; the first time, for one to set. False when the
// person thinks better of it, or the server does not answer.
async function prove(label) {
  const [dialog, first, again, why, go] = ["proof", "passphrase", "passphrase-again", "proof-why", "proof-go"].map(el);
  const known = await call("/api/passphrase").catch(() => null);
  if (!known) return false;
  const isNew = !known.is_set;
  el("proof-title").textContent = isNew ? "Choose a passphrase" : `Your passphrase, for “${label}”`;
  el("proof-about").textContent = "You asked for this yourself and nobody else here could approve it."
    + (isNew ? " So it takes a passphrase, of 12 characters or more, now and every further time." : "");
  go.textContent = isNew ? `Set it, and ${label}` : label;
  first.value = again.value = why.textContent = "";
  again.hidden = el("again-label").hidden = !isNew;
  again.required = isNew;
  dialog.showModal();
  return new Promise((done) => {
    dialog.onclose = () => done(false);
    el("proof-form").onsubmit = async (event) => {
      event.preventDefault();
      go.disabled = true;
      try {
        await call("/api/passphrase", { passphrase: first.value, again: again.value });
      } catch (error) {
        why.textContent = `${error.message[0].toUpperCase()}${error.message.slice(1)}.`;
        if (!isNew) first.select();
        return;
      } finally {
        go.disabled = false;
      }
      first.value = again.value = "";
      dialog.onclose = null;
      dialog.close();
      done(true);
    };
  });
}
el("proof-cancel").onclick = () => el("proof").close();

const viewer = el("viewer");
function enlarge(picture) {
  const isDark = picture.dark && matchMedia("(prefers-color-scheme: dark)").matches;
  Object.assign(el("viewer-image"), { src: isDark ? picture.dark : picture.url, alt: picture.alt });
  viewer.showModal();
}
viewer.onclick = () => viewer.close();

el("leave").onclick = async () => {
  await call("/api/leave", {}).catch(() => null);
  gate();
};
addEventListener("keydown", (event) => {
  if (event.key === "Escape" && !viewer.open) closeSide();
  if (event.key === "/" && document.activeElement === document.body) { event.preventDefault(); fill("/"); }
});
document.addEventListener("visibilitychange", () => { if (!document.hidden && state.person) look(); });
addEventListener("online", () => queue.flush());

start();
