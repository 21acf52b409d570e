// The freeze: the banner while it is on, and the dialog that sets and ends it.
import { call } from "./net.js";
import { clock } from "./messages.js";

const el = (id) => document.getElementById(id);
const WORDS = {
  freeze: {
    title: "Freeze everything?",
    about: "Whatever runs is stopped. Nothing is asked for, approved or begun until an approver ends it, also after a restart.",
    go: "Freeze",
  },
  unfreeze: {
    title: "End the freeze?",
    about: "Requests and approvals go on. What was stopped stays stopped, and its card says how it ended.",
    go: "Unfreeze",
  },
};

export async function frozen() {
  const answer = await call("/api/freeze").catch(() => null);
  if (answer) show(answer);
}

function show(now) {
  el("frozen").hidden = !now.on;
  el("freeze-open").hidden = now.on;
  if (!now.on) return;
  el("frozen-who").textContent = `Frozen${now.by ? ` by ${now.by}` : ""}${now.at ? `, ${clock(now.at)}` : ""}`;
  el("frozen-why").textContent = now.reason ? `“${now.reason}”` : "Nothing is asked for, approved or begun.";
}

function ask(on) {
  const words = on ? WORDS.freeze : WORDS.unfreeze;
  el("freeze-title").textContent = words.title;
  el("freeze-about").textContent = words.about;
  el("freeze-go").textContent = words.go;
  el("freeze-go").className = on ? "choice danger" : "choice plain";
  el("freeze-reason").hidden = el("freeze-reason-label").hidden = !on;
  el("freeze-reason").value = el("freeze-refused").textContent = "";
  el("freeze-form").onsubmit = async (event) => {
    event.preventDefault();
    el("freeze-go").disabled = true;
    try {
      show(await call("/api/freeze", { on, reason: el("freeze-reason").value }));
      el("freeze").close();
    } catch (error) {
      el("freeze-refused").textContent = `${error.message[0].toUpperCase()}${error.message.slice(1)}.`;
    } finally {
      el("freeze-go").disabled = false;
    }
  };
  el("freeze").showModal();
}

el("freeze-open").onclick = () => ask(true);
el("unfreeze-open").onclick = () => ask(false);
el("freeze-cancel").onclick = () => el("freeze").close();
