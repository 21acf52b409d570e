// One patch: its files and hunks with line numbers, and the choice of some parts while it waits for a decision.
// Every text of the patch is set as text; nothing of it is ever read as HTML.

import { call, insist } from "/static/net.js";
import { make } from "/static/messages.js";

const MOST_AT_ONCE = 400;  // lines of a file that is open from the start
const WORDS = { A: "new", D: "deleted", R: "renamed", T: "type changed" };
const el = (id) => document.getElementById(id);
const id = location.pathname.split("/").pop();
const boxes = [];  // one for each part, in the order of the diff

// A hunk's lines with the numbers they have before and after.
function rows(diff) {
  const found = [];
  let before = 0, after = 0, isHunk = false;
  for (const line of diff.replace(/\n$/, "").split("\n")) {
    const at = /^@@ -(\d+)(?:,\d+)? \+(\d+)(?:,\d+)? @@/.exec(line);
    if (at) {
      [before, after, isHunk] = [Number(at[1]), Number(at[2]), true];
      found.push({ kind: "at", text: line });
    } else if (!isHunk) {
      if (!/^(diff --git|index|---|\+\+\+) /.test(line)) found.push({ kind: "note", text: line });
    } else if (line.startsWith("+")) {
      found.push({ kind: "add", after: after++, sign: "+", text: line.slice(1) });
    } else if (line.startsWith("-")) {
      found.push({ kind: "drop", before: before++, sign: "−", text: line.slice(1) });
    } else if (line.startsWith("\\")) {
      found.push({ kind: "note", text: line.slice(2) });
    } else {
      found.push({ kind: "same", before: before++, after: after++, sign: "", text: line.slice(1) });
    }
  }
  return found;
}

function table(diff) {
  const body = make("tbody");
  for (const row of rows(diff)) {
    const line = make("tr", { className: row.kind });
    if (row.kind === "at" || row.kind === "note") {
      line.append(make("td", { colSpan: 4, textContent: row.text }));
    } else {
      line.append(
        make("td", { className: "number", textContent: row.before ?? "" }),
        make("td", { className: "number", textContent: row.after ?? "" }),
        make("td", { className: "sign", textContent: row.sign }),
        make("td", { className: "code", textContent: row.text }),
      );
    }
    body.append(line);
  }
  const shown = make("table", {}, body);
  shown.ariaLabel = "Changed lines: number before, number after, sign, text";
  return make("div", { className: "lines", tabIndex: 0 }, shown);
}

function count(part) {
  return part.added === null ? "binary" : `+${part.added} −${part.removed}`;
}

function section(part, isPending) {
  const head = make("p", { className: "part" });
  if (isPending) {
    const box = make("input", { type: "checkbox", checked: true });
    box.onchange = tell;
    boxes.push(box);
    head.append(make("label", {}, box, ` ${part.title}`));
  } else {
    head.append(part.title);
  }
  head.append(make("span", { className: "count", textContent: count(part) }));
  const found = make("section", {}, head);
  found.draw = () => { found.append(table(part.diff)); found.draw = () => {}; };
  return found;
}

function drawn(file, isPending) {
  const name = file.path === file.old_path ? file.path : `${file.old_path} → ${file.path}`;
  const head = make("summary", {}, make("code", { textContent: name }));
  if (WORDS[file.status]) head.append(make("span", { className: "kind", textContent: WORDS[file.status] }));
  if (file.control) head.append(make("span", { className: "kind warn", textContent: file.control }));
  head.append(make("span", { className: "count", textContent: count(file) }));
  const parts = file.parts.map((part) => section(part, isPending));
  const box = make("details", { className: "file" }, head, ...parts);
  const draw = () => parts.forEach((part) => part.draw());
  box.ontoggle = () => { if (box.open) draw(); };
  const lines = file.parts.reduce((sum, part) => sum + part.diff.length, 0) / 40;
  box.open = lines <= MOST_AT_ONCE;
  if (box.open) draw();
  return box;
}

function tell() {
  const some = boxes.filter((box) => box.checked).length;
  el("chosen").textContent = `${some} of ${boxes.length} parts chosen`;
  el("go").disabled = some === 0 || some === boxes.length;
}

function home(patch) {
  const [channel, name] = patch.conversation.split(":", 2);
  return { name: channel === "web" ? name : "approvals", href: `/#c=${channel === "web" ? name : "approvals"}` };
}

async function open() {
  const { patch } = await call(`/api/patches/${encodeURIComponent(id)}`);
  const place = home(patch);
  el("back").href = place.href;
  el("title").textContent = `Patch by ${patch.author} on ${patch.branch}`;
  const files = `${patch.files.length} file${patch.files.length === 1 ? "" : "s"}`;
  const stands = patch.is_pending ? "waits for a decision" : patch.state;
  el("about").textContent = `${files}, on ${patch.base.slice(0, 10)}; it ${patch.is_pending ? "" : "is "}${stands}.`;
  el("files").replaceChildren(...patch.files.map((file) => drawn(file, patch.is_pending)));
  el("choose").hidden = !(patch.is_pending && boxes.length > 1);
  tell();
  el("choose").onsubmit = async (event) => {
    event.preventDefault();
    el("go").disabled = true;
    const numbers = boxes.flatMap((box, number) => (box.checked ? [number + 1] : [])).join(",");
    const press = { id: crypto.randomUUID(), conversation: place.name, key: "", value: `k:pick:${patch.request}:${numbers}` };
    try {
      await insist("/api/presses", press, { retrying: () => { el("chosen").textContent = "The server is away; trying again…"; } });
      location.href = place.href;
    } catch (error) {
      el("chosen").textContent = error.message;
      el("go").disabled = false;
    }
  };
}

open().catch((error) => {
  el("about").textContent = error.status === 401
    ? "This browser has no session. Open the link that `bulkhead link` prints, then come back."
    : `This patch cannot be shown: ${error.message}`;
});
