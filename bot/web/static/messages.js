// Draws the log. A message is named by its key: the newest event of a key is what is shown, in place.
// `html` comes from the server, which renders markdown with raw HTML off; everything else is set as text.

const NAMES = { message: "The agent", working: "The agent is working", card: "Approval card", error: "Could not do this" };

export function make(tag, props = {}, ...children) {
  const node = Object.assign(document.createElement(tag), props);
  node.append(...children);
  return node;
}

export function clock(seconds) {
  const at = new Date(seconds * 1000);
  const time = at.toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });
  if (at.toDateString() === new Date().toDateString()) return time;
  return `${at.toLocaleDateString([], { day: "numeric", month: "short" })}, ${time}`;
}

// A file that goes along; the server sends it as a download.
function download({ url, name }) {
  return make("a", { href: url, download: name, textContent: `${name} (full size)` });
}

// Gives every line an element of its own, so that one that wraps stays in its column; a diff has its lines already.
function hang(code) {
  if (code.childElementCount) return;
  const lines = code.textContent.match(/.*\n|.+$/g) ?? [];
  code.replaceChildren(...lines.map((line) => make("span", { className: "line", textContent: line })));
}

export class Log {
  constructor(list, { press, prove, enlarge, edit }) {
    Object.assign(this, { list, press, prove, enlarge, edit, shown: new Map() });
  }
  clear() {
    this.list.replaceChildren();
    this.shown.clear();
  }
  get isEmpty() { return this.shown.size === 0; }

  // Shows an event; true when it is a new message rather than a changed one. Older news of a key is ignored.
  show(event, { first = false } = {}) {
    const old = this.shown.get(event.key);
    if (old && old.id >= event.id) return false;
    const node = this.draw(event);
    if (old) {
      const hadFocus = old.node.contains(document.activeElement);
      old.node.replaceWith(node);
      if (hadFocus) node.focus({ preventScroll: true });
      node.dataset.changed = "";
    } else if (first) {
      this.list.prepend(node);
    } else {
      this.list.append(node);
    }
    this.shown.set(event.key, { id: event.id, node });
    return !old;
  }

  // The person's message before the server has it: id 0, so that the real event replaces it.
  sending(item, person) {
    this.show({ id: 0, key: `u${item.id}`, kind: "own", text: item.text, at: Date.now() / 1000, person, waits: true });
  }
  status(id, text, { failed = false, item = null } = {}) {
    const entry = this.shown.get(`u${id}`);
    if (!entry || entry.id > 0) return;
    const line = entry.node.querySelector(".state");
    line.replaceChildren(text);
    entry.node.classList.toggle("failed", failed);
    if (failed) {
      const edit = make("button", { type: "button", className: "text", textContent: "Edit" });
      edit.onclick = () => { this.forget(`u${id}`); this.edit(item.text); };
      line.append(" ", edit);
    }
  }
  forget(key) {
    this.shown.get(key)?.node.remove();
    this.shown.delete(key);
  }
  find(key) { return this.shown.get(key)?.node; }

  draw(event) {
    const node = make("article", { className: `message ${event.kind}`, tabIndex: -1 });
    node.dataset.key = event.key;
    const time = make("time", { dateTime: new Date(event.at * 1000).toISOString(), textContent: clock(event.at) });
    if (event.kind === "own") {
      const name = event.name || "You";
      node.append(make("span", { className: "unseen", textContent: `${name}: ` }));
      node.append(make("div", { className: "said", textContent: event.text }));
      const state = make("span", { className: "state", textContent: event.waits ? "Sending…" : "" });
      node.append(make("p", { className: "meta" }, state, time));
      if (event.person === "clock") node.classList.add("clock");
      return node;
    }
    node.append(make("span", { className: "unseen", textContent: `${NAMES[event.kind] || "The agent"}: ` }));
    const body = make("div", { className: "body" });
    const words = make("div", { className: "words" });
    words.innerHTML = event.html;
    if (event.kind === "working") {
      body.append(make("span", { className: "pulse", ariaHidden: "true" }, make("i"), make("i"), make("i")));
    }
    body.append(words);
    for (const picture of [event.picture, ...(event.album || [])]) if (picture) body.append(this.figure(picture));
    if (event.files) body.append(make("p", { className: "files" }, ...event.files.map(download)));
    if (event.buttons?.length) body.append(this.buttons(event));
    if (event.kind === "card") words.querySelectorAll("pre code").forEach(hang);
    for (const pre of words.querySelectorAll(".block pre")) this.offerCopy(pre);
    node.append(body);
    if (event.kind !== "working") node.append(make("p", { className: "meta" }, time));
    return node;
  }

  figure(picture) {
    const image = make("img", { src: picture.url, alt: picture.alt, width: picture.width, height: picture.height });
    image.style.width = `${Math.round(picture.width / 2)}px`;  // drawn at 2x; smaller would be less than was checked
    const shown = make("picture", {}, image);
    if (picture.dark) shown.prepend(make("source", { srcset: picture.dark, media: "(prefers-color-scheme: dark)" }));
    const button = make("button", { type: "button", className: "picture", title: "Enlarge" }, shown);
    button.ariaLabel = `Enlarge the picture: ${picture.alt}`;
    button.onclick = () => this.enlarge(picture);
    return button;
  }

  buttons(event) {
    const row = make("div", { className: "buttons", role: "group" });
    row.ariaLabel = "Actions";
    const note = make("p", { className: "note", role: "status" });
    for (const choice of event.buttons) {
      const button = make("button", { type: "button", className: `choice ${choice.style}`, textContent: choice.label });
      button.onclick = () => this.pressed(event, choice, button, row, note);
      row.append(button);
    }
    const box = make("div", { className: "choices" }, row, note);
    return box;
  }

  // Disabled from the first press on; enabled again when refused, or when the message did not change within a while
  // (a button such as Source answers with another message).
  async pressed(event, choice, button, row, note) {
    const all = [...row.querySelectorAll("button")];
    if (all.some((one) => one.disabled)) return;
    all.forEach((one) => { one.disabled = true; });
    button.classList.add("pressed");
    note.textContent = `${choice.label}: sending…`;
    const enable = () => {
      all.forEach((one) => { one.disabled = false; });
      button.classList.remove("pressed");
    };
    try {
      // a value that ends so is of a person's own request: it takes their passphrase as well
      if (choice.value.endsWith(".p") && !(await this.prove(choice.label))) {
        note.textContent = "";
        return enable();
      }
      await this.press(event.key, choice.value, () => { note.textContent = `${choice.label}: not through yet, retrying…`; });
      note.textContent = `${choice.label}: received`;
      setTimeout(() => { note.textContent = ""; enable(); }, 4000);
    } catch (error) {
      note.textContent = error.message;
      enable();
    }
  }

  offerCopy(pre) {
    const copy = make("button", { type: "button", className: "copy", textContent: "Copy" });
    copy.onclick = async () => {
      try {
        await navigator.clipboard.writeText(pre.textContent);
        copy.textContent = "Copied";
      } catch {
        copy.textContent = "Select and copy by hand";
      }
      setTimeout(() => { copy.textContent = "Copy"; }, 2000);
    };
    pre.parentElement.append(copy);
  }
}
