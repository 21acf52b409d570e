// The models of the house, with what a week of calls has shown of each.
import { call } from "./net.js";
import { make } from "./messages.js";

const el = (id) => document.getElementById(id);
const FIRST = 3;
let isWhole = false;
let known = [];

export async function models() {
  const answer = await call("/api/models").catch(() => null);
  if (!answer) return;
  known = answer.models;
  show();
}

function show() {
  el("models-box").hidden = known.length === 0;
  el("models").replaceChildren(...known.slice(0, isWhole ? known.length : FIRST).map(line));
  el("models-more").hidden = known.length <= FIRST;
  el("models-more").textContent = isWhole ? "Show fewer" : `Show all ${known.length}`;
}

function line(one) {
  const words = [make("span", { className: "dot", ariaHidden: "true" }), make("b", { textContent: one.name, title: one.name }),
    make("span", { className: "state", textContent: one.is_local ? `${one.tier}, here` : one.tier })];
  const item = make("li", {}, make("div", {}, ...words));
  if (one.calls) item.dataset.state = one.failures ? "degraded" : "healthy";
  item.append(make("small", { textContent: one.calls ? told(one) : "not asked this week" }));
  return item;
}

function told(one) {
  const failed = one.failures ? `, ${one.failures} failed` : "";
  const unknown = one.unpriced ? ` and ${one.unpriced} of unknown price` : "";
  return `${one.calls} ${one.calls === 1 ? "call" : "calls"}${failed}, $${one.usd.toFixed(4)}${unknown}; obeys: ${one.obeys}`;
}

el("models-more").onclick = () => { isWhole = !isWhole; show(); };
